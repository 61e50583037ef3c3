"""Counts the values of a JSON text before they are made: each costs more than its bytes show."""

from math import ceil


def count_values(text: bytes, enough: int) -> int:
    """Return how many values a JSON text has; an empty list or object counts as two.

    It may return less where that is more than `enough` already.

    Each value but the first of its list or object follows a comma.
    """
    found = _marks(text)
    # A NUL is in no JSON of UTF-8: what has one is in another encoding, with quotes of two bytes.
    if found <= enough or b"\0" in text:
        return found
    bare = text.replace(rb"\\", b"").replace(rb"\"", b"")
    # Between two quotes stands a string; there are at most two for each value: its name and itself.
    found = ceil(bare.count(b'"') / 4)
    return found if found > enough else _marks(b"".join(bare.split(b'"')[::2]))


def _marks(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")
