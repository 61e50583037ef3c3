"""The header fields of a service's reply that a client gets, its cookies by name."""

from collections.abc import Callable, Sequence
from typing import Final

from bff_core.http_exchange.request_context import RequestContext
from bff_core.proxy.transform import Transform
from bff_core.proxy.transforms.path import Rewritten
from bff_core.proxy.transforms.request_headers import FieldChanges
from bff_core.proxy.transforms.values import RequestValues

Fields = list[tuple[bytes, bytes]]

OF_THE_GATEWAY: Final = frozenset({
    *(b"part-status", b"server-timing", b"idempotency-replayed", b"proxy-status"),
    *(b"ratelimit", b"ratelimit-policy", b"proxy-authenticate", b"public-key-pins"),
    *(b"expect-ct", b"nel", b"report-to", b"x-accel-redirect", b"x-sendfile"),
    *(b"x-lighttpd-send-file", b"x-reproxy-url", b"x-reproxy-file"),
})  # fmt: skip
"""Fields that only the gateway may send to its clients, beside those of `Upstream.forward`.

Some hold for the whole origin. By others a proxy in front of us would send a file of its own.
"""

ChangeReply = Callable[[Fields, RequestValues, Rewritten, str], Fields]
"""Takes the fields of a reply, the values of its request, its path and our root path."""


def reply_headers_of(transform: Transform, parameters: Sequence[str], where: str) -> ChangeReply:
    """Return the function that makes the fields of an answer."""
    given = transform.response_headers
    changes = (
        None if given is None else FieldChanges(given, parameters, f"{where}.response_headers")
    )
    cookies = frozenset(name.encode("latin-1") for name in transform.cookies)

    def change(fields: Fields, values: RequestValues, path: Rewritten, root: str) -> Fields:
        passed: Fields = []
        set_cookies: Fields = []
        for field in fields:
            if field[0] in OF_THE_GATEWAY:
                continue
            if field[0] != b"set-cookie":
                passed.append(field)
            elif cookies and (cookie := own_cookie(field[1], cookies, path, root)):
                set_cookies.append((b"set-cookie", cookie))
        if changes is not None:
            passed = changes.apply(passed, values)
        return passed + set_cookies if set_cookies else passed

    return change


def own_cookie(value: bytes, names: frozenset[bytes], path: Rewritten, root: str) -> bytes | None:
    """Return a cookie of the service as one of the gateway; None if its name may not pass.

    It has no domain, so that it is of our host alone; its path becomes ours; it is `Secure` and
    `HttpOnly`.
    """
    pair, *attributes = [one.strip(b" \t") for one in value.split(b";")]
    name = pair.partition(b"=")[0].strip()
    if name not in names:
        return None
    found = {one.partition(b"=")[0].strip().lower(): one for one in attributes if one}
    own_path = b"/" if name.startswith(b"__Host-") else _own_path(found.get(b"path"), path, root)
    others = [
        one for key, one in found.items() if key not in {b"domain", b"path", b"secure", b"httponly"}
    ]
    return b"; ".join([pair, *others, b"Path=" + own_path, b"Secure", b"HttpOnly"])


def _own_path(attribute: bytes | None, path: Rewritten, root: str) -> bytes:
    """Return our path for that of a cookie, which is the service's."""
    given = b"" if attribute is None else attribute.partition(b"=")[2].strip()
    service, own = path.service.encode("latin-1"), (root + path.own).encode("latin-1")
    if given.startswith(service) and given[len(service) : len(service) + 1] in {b"", b"/"}:
        return own + given[len(service) :] or b"/"
    return own or b"/"


def without_ours(fields: Fields, context: RequestContext | None) -> Fields:
    """Return the fields of a reply without those that a concern of the edge has added."""
    if context is None or not context.added:
        return fields
    ours = {name for name, _ in context.added} - {b"vary"}
    return [field for field in fields if field[0] not in ours] if ours else fields
