"""Header limits: bounds the URL and the header fields, and joins fields with several lines."""

from itertools import chain

from starlette.exceptions import HTTPException

from bff_core.call import Headers
from bff_core.http_exchange.request_context import RequestContext

SINGULAR = frozenset(
    {
        b"access-control-request-method",
        b"authorization",
        b"content-length",
        b"content-range",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"if-modified-since",
        b"if-range",
        b"if-unmodified-since",
        b"origin",
        b"proxy-authorization",
        b"range",
        b"request-timeout",
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"sec-fetch-site",
        b"x-request-id",
    }
)
"""Fields with one value: of two lines, a proxy might use the first and the gateway the second."""

LISTS = frozenset(
    {
        b"a-im",
        b"accept",
        b"accept-charset",
        b"accept-encoding",
        b"accept-language",
        b"access-control-request-headers",
        b"baggage",
        b"cache-control",
        b"cdn-loop",
        b"connection",
        b"content-encoding",
        b"content-language",
        b"cookie",
        b"expect",
        b"forwarded",
        b"if-match",
        b"if-none-match",
        b"link",
        b"pragma",
        b"prefer",
        b"priority",
        b"signature",
        b"signature-input",
        b"te",
        b"tracestate",
        b"trailer",
        b"upgrade",
        b"vary",
        b"via",
        b"want-content-digest",
        b"want-repr-digest",
        b"warning",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
    }
)
"""Fields that a standard defines as lists: FastAPI also gets their lines as one value."""


class HeaderLimits:
    """After the deadline: too many or too large header fields are a 431, a long URL is a 414.

    Path and query together may be as long as all header fields.

    A field in several lines becomes one value (RFC 9110, section 5.3): commas join the lines,
    semicolons those of `Cookie` (RFC 9113, section 8.2.3). A `SINGULAR` field in several lines is a
    400. FastAPI's `list[str] = Header()` still gets each line of a field that no standard defines
    as a list.
    """

    __slots__ = ("_max_bytes", "_max_count")

    def __init__(self, *, max_count: int, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._max_count = max_count

    def check(self, context: RequestContext) -> None:
        """Raise a 431 or 414 for what is too large; join the lines of each field."""
        scope = context.scope
        headers = scope.headers
        if len(headers) > self._max_count:
            raise HTTPException(431, f"At most {self._max_count} header fields are accepted.")
        if sum(map(len, chain.from_iterable(headers))) > self._max_bytes:
            raise HTTPException(431, f"At most {self._max_bytes} bytes of headers are accepted.")
        if len(scope.path) + len(scope.query) > self._max_bytes:
            raise HTTPException(414, f"At most {self._max_bytes} characters of a URL are accepted.")
        if len(headers) != len(context.fields):
            context.fields = context.scope.fields = joined = _joined(headers)
            context.scope.headers = tuple(joined.items())
            context.asgi["headers"] = _with_lists(headers, joined)


def _joined(headers: Headers) -> dict[bytes, bytes]:
    """Return the value of each field: all its lines, joined; raise a 400 for a `SINGULAR` one."""
    lines: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in lines and name in SINGULAR:
            raise HTTPException(400, f"The header {name.decode('latin-1')} was sent twice.")
        lines.setdefault(name, []).append(value)
    return {
        name: (b"; " if name == b"cookie" else b", ").join(values) for name, values in lines.items()
    }


def _with_lists(headers: Headers, joined: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Return the fields for FastAPI and services: each list once, other fields line by line."""
    left = LISTS & joined.keys()
    fields: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        if name not in LISTS:
            fields.append((name, value))
        elif name in left:
            left -= {name}
            fields.append((name, joined[name]))
    return fields
