"""Renders the Cache-Status field of an answer (RFC 9211)."""

import re
from functools import lru_cache
from math import floor
from typing import Final, Literal

import http_sf

_is_token: Final = re.compile(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*").fullmatch
_NOT_IN_STRING: Final = re.compile(r"[^ -~]")


def hit(name: str, ttl: float) -> bytes:
    """Return the Cache-Status member of a cache hit (RFC 9211, section 2.1).

    `ttl` is the remaining freshness in seconds, negative for a stale answer.
    """
    return f"{_bare(name)}; hit; ttl={floor(ttl)}".encode()


def forwarded(
    name: str, why: Literal["bypass", "miss"], *, is_stored: bool = False, detail: str = ""
) -> bytes:
    """Return the Cache-Status member of an answer that is not from the cache (section 2.2)."""
    member = f"{_bare(name)}; fwd={why}"
    if is_stored:
        member += "; stored"
    if detail:
        member += f"; detail={_bare(detail)}"
    return member.encode()


@lru_cache(maxsize=256)
def _bare(text: str) -> str:
    """Serialise a text as a token, or else as a string (RFC 9651, section 3.3)."""
    if _is_token(text):
        return text
    return http_sf.ser(_NOT_IN_STRING.sub("?", text))
