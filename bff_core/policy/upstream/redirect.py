"""Where a redirect leads, and with which method (RFC 9110, section 15.4)."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from bff_core.call import Call, Headers, Reply
from bff_core.policy.upstream.location import same_origin

_is_target: Final = re.compile(r"/[!\"$-~]*").fullmatch
_OF_THE_BODY: Final = (b"content-", b"if-", b"idempotency-key")
"""How the fields begin that a request loses with its method."""


def redirected(call: Call, reply: Reply, origins: Sequence[str]) -> Call | None:
    """Return the call that a redirect leads to; None for another origin, or what is no reference.

    303 means a GET, and so do 301 and 302 after a POST, as browsers have always taken them (the
    Fetch standard, section 4.4). Otherwise the method and the body stay. The call has a trail of
    its own, since what was redirected was not done.
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
    return tuple(field for field in headers if not field[0].startswith(_OF_THE_BODY))
