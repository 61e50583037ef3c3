"""Parses structured fields (RFC 9651) into plain values; a malformed field is None."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import http_sf


@lru_cache(maxsize=1024)
def dictionary(field: bytes) -> Mapping[str, object] | None:
    """Parse a dictionary without parameters (RFC 9651, section 3.2); None if malformed.

    Values are bool, int, str, `Decimal` or another type of `http_sf`; an inner list is a list.
    """
    try:
        members = http_sf.parse(field, tltype="dictionary")
    except (http_sf.StructuredFieldError, ValueError):
        return None
    if not isinstance(members, dict):
        return None
    return {name: _bare(member) for name, member in members.items()}


@lru_cache(maxsize=1024)
def strings(field: bytes) -> Sequence[str] | None:
    """Parse a list of strings; None if it is malformed or has other members."""
    try:
        members = http_sf.parse(field, tltype="list")
    except (http_sf.StructuredFieldError, ValueError):
        return None
    values = [_bare(member) for member in members] if isinstance(members, list) else []
    texts = tuple(value for value in values if isinstance(value, str))  # tokens are no str
    return texts if len(texts) == len(values) else None


def _bare(member: object) -> object:
    """Return the value of a member without its parameters."""
    return member[0] if isinstance(member, tuple) else member
