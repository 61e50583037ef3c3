"""Which headers of a request a gateway may log, and which it may propagate to services."""

import re
from typing import Final

_is_token: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch

_holds_secret: Final = re.compile(
    r"(?i)authoriz|cookie|credential|dpop|passw|secret|session|signature|token|client-?cert"
    r"|(?:api|access|private)-?key|\bx-auth\b"
).search

OF_THE_CALL: Final = frozenset({
    *("accept", "accept-charset", "accept-encoding", "cache-control", "connection"),
    *("content-encoding", "content-language", "content-length", "content-location"),
    *("content-range", "content-type", "expect", "host", "idempotency-key", "if-match"),
    *("if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "keep-alive"),
    *("pragma", "prefer", "proxy-connection", "range", "request-timeout", "te", "traceparent"),
    *("tracestate", "trailer", "transfer-encoding", "upgrade", "via", "x-request-id"),
})  # fmt: skip
"""Headers that describe one HTTP message or control caches: each call has its own, or none."""

_is_trusted: Final = re.compile(
    r"(?i)forwarded|x-forwarded-.+|x-real-ip|true-client-ip|x-(original|rewrite)-ur[il]"
    r"|x-(original-)?host|x-(http-)?method(-override)?"
).fullmatch
"""Headers that services believe, since a proxy sets them: sender, host, method or path."""


def logging_advice(name: object) -> str | None:
    """Return what to write instead of a header that can't be logged."""
    if not isinstance(name, str) or _is_token(name) is None:
        return 'give names of headers, as in log_headers=["X-App-Version"]'
    if _holds_secret(name):
        return "it holds a credential, which must not be in a log: leave it out"
    return None


def propagation_advice(name: object) -> str | None:
    """Return what to write instead of a header that can't be propagated."""
    if not isinstance(name, str) or _is_token(name) is None:
        return 'give names of headers, as in propagate_headers=["X-App-Version"]'
    if _holds_secret(name):
        return "it holds a credential: Policy(credentials=Relay()) sends the viewer's to a service"
    if name.lower() in OF_THE_CALL:
        return "each call to a service has its own, or none: leave it out"
    if _is_trusted(name):
        return "services believe that a proxy set it: leave it out"
    return None
