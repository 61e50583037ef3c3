"""Tags answers for caches, so that a change of an item purges every list with it."""

from collections.abc import Iterable


def about(kind: str, ids: Iterable[str]) -> dict[str, str]:
    """Return the `Surrogate-Key` of an answer about these items, found or not."""
    names = [f"{kind}:{one}" for one in ids if one.isascii() and one.isalnum()]
    return {"surrogate-key": " ".join(names)} if names else {}
