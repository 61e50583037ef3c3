"""`Proxy-Status` (RFC 9209): says that the gateway made an answer, and why."""

import re
from typing import Final

from bff_core.errors import (
    BulkheadFull,
    CircuitOpen,
    DeadlineExceeded,
    NotSent,
    TransportFailed,
    UpstreamError,
)

_OTHER: Final = "http_protocol_error"

_TYPES: Final[dict[type[UpstreamError], str]] = {
    CircuitOpen: "destination_unavailable",
    BulkheadFull: "connection_limit_reached",
    NotSent: "proxy_internal_error",
    DeadlineExceeded: "http_response_timeout",
}
"""The first kind of which a failure is."""

_is_token: Final = re.compile(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*").fullmatch


def proxy_status(error: UpstreamError, gateway: str) -> tuple[bytes, bytes]:
    """Return the field for a failure; it names the upstream, never an address."""
    text = f"{_item(gateway)}; error={error_type(error)}; next-hop={_item(error.upstream)}"
    return b"proxy-status", text.encode("ascii")


def error_type(error: UpstreamError) -> str:
    """Return the type of a failure as RFC 9209 names it, section 2.3."""
    if isinstance(error, TransportFailed):
        return _of_transport(error)
    if isinstance(error, DeadlineExceeded) and not error.is_sent:
        return "connection_timeout"
    return next((name for kind, name in _TYPES.items() if isinstance(error, kind)), _OTHER)


def _of_transport(error: TransportFailed) -> str:
    if error.code.startswith("tls_"):
        return "tls_protocol_error" if error.code == "tls_failed" else "tls_certificate_error"
    if error.code == "protocol_error":
        return _OTHER
    return "connection_terminated" if error.is_sent else "connection_refused"


def _item(name: str) -> str:
    """Return a name as a token, else as a string, of structured fields (RFC 9651)."""
    if _is_token(name):
        return name
    shown = re.sub(r'["\\]|[^ -~]', "-", name)
    return f'"{shown}"'
