"""What background work does, in words for the waterfall."""

from collections.abc import Mapping
from typing import Final

NAMES: Final[Mapping[str, str]] = {
    "CacheLayer._refreshed": "renew the cache",
    "HedgeLayer._run": "send a second call",
    "MemoryCacheStore.release": "unlock the cache",
    "RedisCacheStore.release": "unlock the cache",
    "TieredCacheStore.release": "unlock the cache",
    "PurgeLayer._purge": "purge cached replies",
}
"""The work of layers and caches, by the qualified name of its function."""


def name_of_work(function: str) -> str:
    """Return what the work of a function does: its words, if the console knows no sentence."""
    known = NAMES.get(function)
    own = function.rpartition(".")[2].replace("_", " ").strip()
    return known or own or function
