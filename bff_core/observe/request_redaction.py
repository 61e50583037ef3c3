"""What may be shown of a request: its headers and query without credentials or personal data."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl, quote

from bff_core.observe.masking import redacted

HIDDEN: Final = "***"

SHOWN: Final = frozenset(
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
MAX_QUERY: Final = 1000


def shown_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Return headers as they may be shown: `***` for values of all but well-known ones."""
    return [
        (
            name.decode("latin-1"),
            redacted(value[:MAX_VALUE].decode("latin-1")) if name in SHOWN else HIDDEN,
        )
        for name, value in list(headers)[:MAX_HEADERS]
    ]


def shown_query(query: bytes, *, has_values: bool) -> str:
    """Return a query as it may be shown: its names, with `has_values` also harmless values."""
    if not query:
        return ""
    text = query[:MAX_QUERY].decode("latin-1")
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=None)
    shown = (
        f"{quote(name)}={_value(name, value) if has_values else HIDDEN}" for name, value in pairs
    )
    return "&".join(shown)


def _value(name: str, value: str) -> str:
    pair = redacted(f"{name}={value}")
    return HIDDEN if HIDDEN in pair else quote(value)
