"""Continues the caller's trace or starts one (W3C Trace Context, level 1)."""

import re

from bff_core.edge.request_id import Bits

_TRACEPARENT = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?"
)
_KNOWN_FLAGS = 0x03  # sampled, random trace id


def child_of(offered: bytes | None, bits: Bits) -> str:
    """Return the `traceparent` that this request's calls to services carry.

    A valid one is continued under a span id of our own, with the caller's flags. Anything else
    starts a new trace, as the specification demands; it is marked as sampled because the gateway
    must not switch off the traces of services that would otherwise decide for themselves.
    """
    span = bits(64) or 1
    match = None if offered is None else _TRACEPARENT.fullmatch(offered)
    if match is None:
        return f"00-{bits(128) or 1:032x}-{span:016x}-01"
    version, trace, flags, rest = match.groups()
    if rest is not None and version == b"00":
        return f"00-{bits(128) or 1:032x}-{span:016x}-01"
    return f"00-{trace.decode()}-{span:016x}-{int(flags, 16) & _KNOWN_FLAGS:02x}"


def trace_id(traceparent: str) -> str:
    """Return the trace's part of a `traceparent`; empty for an empty one."""
    return traceparent[3:35]
