"""What background work does, in words for the waterfall."""

from collections.abc import Mapping
from typing import Final

NAMES: Final[Mapping[str, str]] = {
    "CacheLayer._refreshed": "refresh the cached reply",
    "HedgeLayer._run": "send the call a second time",
    "MemoryCacheStore.release": "free the cache for other calls",
    "RedisCacheStore.release": "free the cache for other calls",
    "TieredCacheStore.release": "free the cache for other calls",
    "PurgeLayer._purge": "purge cached replies",
}
"""The work of layers and caches, by the qualified name of its function."""


def name_of_work(function: str) -> str:
    """Return what the work of a function does: its words, if the console knows no sentence."""
    known = NAMES.get(function)
    own = function.rpartition(".")[2].replace("_", " ").strip()
    return known or own or function
