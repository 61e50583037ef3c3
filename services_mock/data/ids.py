"""Parses ids that are numbers."""


def number(identity: str) -> int | None:
    """Parse an id of digits without leading zeros; anything else is `None`."""
    if identity.isascii() and identity.isdigit() and len(identity) <= 9 and identity[0] != "0":
        return int(identity)
    return None


def is_between(identity: str, first: int, last: int) -> bool:
    """Whether an id is within a range of numbers, ends included."""
    found = number(identity)
    return found is not None and first <= found <= last
