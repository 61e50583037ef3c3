"""Opens the cache store of a gateway: memory, or memory over Redis."""

from bff_core.cache.stores.interface import CacheStore
from bff_core.cache.stores.invalidation_outbox import Spawn
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.cache.stores.redis import RedisCacheStore
from bff_core.cache.stores.tiered import TieredCacheStore
from bff_core.clock import Chance, Clock
from bff_core.events import Events
from bff_core.redis.interface import RedisInterface


def open_store(
    link: RedisInterface | None,
    *,
    gateway: str,
    size: int,
    spawn: Spawn,
    clock: Clock,
    chance: Chance,
    events: Events,
) -> CacheStore:
    """Open a store with `size` bytes of memory; with a Redis (`link`) it is shared.

    Gateways of one name share their entries; all gateways on one Redis share their purges. Call it
    inside the running loop, and close the store before the link.
    """
    memory = MemoryCacheStore(size=size, clock=clock, events=events)
    if link is None:
        return memory
    shared = RedisCacheStore(link, gateway=gateway, spawn=spawn, clock=clock, chance=chance)
    return TieredCacheStore(memory, shared, spawn=spawn, clock=clock, events=events)
