"""What may be shown of a request: its headers and query without credentials or personal data."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Final
from urllib.parse import quote, unquote_plus

from bff_core.observe.masking import HIDDEN, redacted
from bff_core.observe.secret_names import hides

SHOWN_HEADERS: Final = frozenset(
    b"accept accept-encoding accept-language cache-control connection content-encoding "
    b"content-length content-type dnt expect host if-match if-modified-since if-none-match "
    b"if-unmodified-since last-event-id origin pragma prefer priority range request-timeout "
    b"save-data sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode "
    b"sec-fetch-site sec-fetch-user te traceparent upgrade user-agent viewport-width "
    b"x-app-version x-client x-forwarded-host x-forwarded-proto x-request-id "
    b"x-requested-with".split()
)
"""Headers whose values are shown; of others only the name is."""

MAX_HEADERS: Final = 64
MAX_VALUE: Final = 300
MAX_NAME: Final = 100
MAX_READ: Final = 4096
"""Characters of a value that are masked before it is cut to `MAX_VALUE`."""

MAX_CACHED: Final = 300
"""Characters of paths and headers whose shown form is cached: to find it takes long."""

MAX_QUERY: Final = 1000
MAX_PATH: Final = 2000

_PRINTABLE: Final = "".join(map(chr, range(0x20, 0x7F)))


def shown_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Return headers as they may be shown: `***` for values of all but well-known ones."""
    return [
        _short_header(name, value) if len(name) + len(value) <= MAX_CACHED else _header(name, value)
        for name, value in _without_hidden(islice(headers, MAX_HEADERS))
    ]


def _without_hidden(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Yield headers without the values that are not shown, so that no cache holds a credential."""
    for name, value in headers:
        yield name, value if name in SHOWN_HEADERS else b""


def _header(name: bytes, value: bytes) -> tuple[str, str]:
    return name[:MAX_NAME].decode("latin-1"), shown_header(name, value)[:MAX_VALUE]


_short_header = lru_cache(maxsize=1024)(_header)


def shown_header(name: bytes, value: bytes, *, limit: int = MAX_READ) -> str:
    """Return the value of a request's header as it may be shown, of its first bytes."""
    return redacted(value[:limit].decode("latin-1")) if name in SHOWN_HEADERS else HIDDEN


def shown_target(target: str, route: str) -> str:
    """Return the target of a request, encoded as it was, as it may be shown."""
    path, mark, query = target.partition("?")
    shown = shown_query(query.encode("latin-1"), has_values=True, limit=len(query))
    return f"{shown_path(path, route, limit=len(path))}{mark}{shown}"


def shown_path(path: str, route: str = "", *, limit: int = MAX_PATH) -> str:
    """Return a path as it may be shown; `route`, its template, names what is in it."""
    given, names = path.split("/"), route.split("/")
    if len(given) == len(names):
        given = [
            HIDDEN if name[:1] == "{" and hides(name.strip("{}"), one) else one
            for one, name in zip(given, names, strict=True)
        ]
    return without_controls(redacted("/".join(given)[:limit]))


def recorded_path(path: str, route: str) -> str:
    """Return a path as `shown_path` does; for short ones, which repeat, it is looked up."""
    return (_short_path if len(path) + len(route) <= MAX_CACHED else shown_path)(path, route)


_short_path = lru_cache(maxsize=1024)(shown_path)


def without_controls(path: str) -> str:
    """Return a path with its invisible characters encoded, as its client sent them."""
    if path.isprintable():
        return path
    return "".join(one if one.isprintable() else quote(one, errors="replace") for one in path)


def shown_query(query: bytes, *, has_values: bool, limit: int = MAX_QUERY) -> str:
    """Return a query as it may be shown: its names, with `has_values` also harmless values.

    They are encoded as they were.
    """
    if not query:
        return ""
    pairs = query[:limit].decode("latin-1").split("&")
    return "&".join(_pair(*one.partition("="), has_values=has_values) for one in pairs if one)


def _pair(name: str, equals: str, value: str, *, has_values: bool) -> str:
    plain = unquote_plus(name)
    shown = quote(name, safe=_PRINTABLE) if redacted(plain) == plain else HIDDEN
    shown += equals
    return f"{shown}{_value(plain, value) if has_values else HIDDEN}" if value else shown


def _value(name: str, value: str) -> str:
    plain = unquote_plus(value)
    if hides(name, plain) or redacted(plain) != plain:
        return HIDDEN
    return quote(value, safe=_PRINTABLE)
