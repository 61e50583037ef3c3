"""Renders the Cache-Status (RFC 9211) and Age (RFC 9111) fields of an answer."""

import re
from functools import lru_cache
from math import floor
from typing import Final, Literal

import http_sf

Forwarded = Literal[
    "bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"
]
"""Why an answer did not come from the cache (RFC 9211, section 2.2)."""

_is_token: Final = re.compile(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*").fullmatch
_NOT_IN_STRING: Final = re.compile(r"[^ -~]")


def hit(name: str, ttl: float, detail: str = "") -> bytes:
    """Return the Cache-Status member of a cache hit (RFC 9211, section 2.1).

    `ttl` is the remaining freshness in seconds, negative for a stale answer.
    """
    member = f"{_bare(name)}; hit; ttl={floor(ttl)}"
    return (f"{member}; detail={_bare(detail)}" if detail else member).encode()


def forwarded(
    name: str,
    why: Forwarded,
    *,
    status: int | None = None,
    ttl: float | None = None,
    is_stored: bool = False,
    is_collapsed: bool = False,
    detail: str = "",
) -> bytes:
    """Return the Cache-Status member of a forwarded request (RFC 9211, section 2).

    `status` is that of the forwarded request's reply, if this answer has another. `ttl` is the
    remaining freshness in seconds.
    """
    member = f"{_bare(name)}; fwd={why}"
    if status is not None:
        member += f"; fwd-status={status}"
    if ttl is not None:
        member += f"; ttl={floor(ttl)}"
    if is_stored:
        member += "; stored"
    if is_collapsed:
        member += "; collapsed"
    return (f"{member}; detail={_bare(detail)}" if detail else member).encode()


def age(seconds: float) -> bytes:
    """Return the value of an Age field: whole seconds (RFC 9111, section 5.1)."""
    return b"%d" % max(0.0, seconds)


@lru_cache(maxsize=256)
def _bare(text: str) -> str:
    """Serialise a text as a token, or else as a string (RFC 9651, section 3.3)."""
    if _is_token(text):
        return http_sf.ser(http_sf.Token(text))
    return http_sf.ser(_NOT_IN_STRING.sub("?", text))
