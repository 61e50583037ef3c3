"""Redirects: the call that a 3xx reply leads to (RFC 9110, section 15.4)."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from bff_core.call import Call, Headers, Reply
from bff_core.policy.upstream.reference_resolution import same_origin

_is_target: Final = re.compile(r"/[!\"$-~]*").fullmatch
_BODY_FIELD_PREFIXES: Final = (b"content-", b"if-", b"idempotency-key")
"""Fields that are dropped when a redirect becomes a GET."""


def redirected(call: Call, reply: Reply, origins: Sequence[str]) -> Call | None:
    """Return the call that a redirect leads to; None for another origin or an invalid reference.

    303 becomes a GET, and so do 301 and 302 after a POST, as in browsers (the Fetch standard,
    section 4.4). Otherwise method and body stay. The call has its own trail of attempts, since the
    redirected request was not executed.
    """
    reference = reply.header("location")
    if reference is None:
        return None
    target = next(iter(same_origin(reference, call.target, origins)), "")
    if _is_target(target) is None:
        return None
    if call.method in {"GET", "HEAD"} or not _becomes_get(call.method, reply.status):
        return replace(call, target=target, trail=[])
    return replace(
        call,
        method="GET",
        target=target,
        operation=call.operation.replace(call.method, "GET", 1),
        headers=_bodiless(call.headers),
        body=b"",
        trail=[],
        cache=False,
        purges=(),
    )


def _becomes_get(method: str, status: int) -> bool:
    return status == 303 or (method == "POST" and status in {301, 302})


def _bodiless(headers: Headers) -> Headers:
    return tuple(field for field in headers if not field[0].startswith(_BODY_FIELD_PREFIXES))
