"""Batch reads: many keys in few calls, for the loaders of compositions."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from bff_core.composition.gather import gather

Key = TypeVar("Key")
Value = TypeVar("Value")


async def in_chunks(
    keys: Sequence[Key],
    load: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]],
    *,
    size: int,
) -> Mapping[Key, Value]:
    """Load distinct keys at most `size` at a time, the chunks at once, and return what was found.

    The first error is raised. No keys make no call.
    """
    distinct = list(dict.fromkeys(keys))
    chunks = [distinct[start : start + size] for start in range(0, len(distinct), size)]
    if len(chunks) <= 1:
        return await load(chunks[0]) if chunks else {}
    loaded = await gather(*[load(chunk) for chunk in chunks])
    return {key: value for one in loaded for key, value in one.items()}
