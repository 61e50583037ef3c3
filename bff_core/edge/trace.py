"""Trace context: continues the caller's trace or starts one (W3C Trace Context, level 1)."""

import re

from bff_core.call import Headers
from bff_core.edge.request_id import Bits
from bff_core.events import Events, Span

_TRACEPARENT = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?"
)
_KNOWN_FLAGS = 0x03  # sampled, random trace id
_SAMPLED = "13"
_STATE = re.compile(rb"[!-~](?:[ -~]{0,510}[!-~])?")
"""A list of members of other vendors, which is passed on as it is (section 3.3)."""


def offered_trace(headers: Headers) -> tuple[bytes | None, bytes | None]:
    """Return the `traceparent` and `tracestate` of a client whose fields may have several lines.

    Of two `traceparent` none is valid. Lines of `tracestate` are one list (sections 3.2 and 3.3).
    """
    parents = [value for name, value in headers if name == b"traceparent"]
    states = [value for name, value in headers if name == b"tracestate"]
    parent = parents[0] if len(parents) == 1 else None
    return parent, b",".join(states) if states else None


def child_of(offered: bytes | None, bits: Bits) -> str:
    """Return the `traceparent` that calls to services send.

    It continues a valid trace of the caller with a new span id and the caller's flags. Otherwise
    it starts a new trace, which is marked as sampled: without the flag, services that sample by
    themselves would drop it.
    """
    span = bits(64) or 1
    match = None if offered is None else _TRACEPARENT.fullmatch(offered)
    if match is None or (match[1] == b"00" and match[4] is not None):
        return f"00-{bits(128) or 1:032x}-{span:016x}-01"
    _, trace, flags, _ = match.groups()
    return f"00-{trace.decode()}-{span:016x}-{int(flags, 16) & _KNOWN_FLAGS:02x}"


def span_of(traceparent: str, offered: bytes | None) -> Span:
    """Return the span of a request, from its own `traceparent` and the one that its client sent."""
    trace, parent = traceparent[3:35], ""
    if offered is not None and offered[3:35] == trace.encode():
        parent = offered[36:52].decode("latin-1")
    return Span(trace, traceparent[36:52], parent, traceparent[-1] in _SAMPLED)


def sampled(events: Events, traceparent: str, offered: bytes | None) -> tuple[str, Span | None]:
    """Return a request's `traceparent` with the flag of its trace, and its span if a sink wants it.

    `offered` is the `traceparent` that the client sent.
    """
    began = span_of(traceparent, offered)
    span = events.flagged(began)
    if span is not began:
        traceparent = f"{traceparent[:-1]}{int(traceparent[-1], 16) ^ 1:x}"
    return traceparent, span if events.wants(span) else None


def state_of(traceparent: str, offered: bytes | None, state: bytes) -> str:
    """Return the client's `tracestate` if its trace continues; empty if not, or if malformed."""
    is_continued = offered is not None and offered[3:35] == traceparent[3:35].encode()
    return state.decode() if is_continued and _STATE.fullmatch(state) else ""


def trace_id(traceparent: str) -> str:
    """Return the trace id of a `traceparent`; empty for an empty one."""
    return traceparent[3:35]
