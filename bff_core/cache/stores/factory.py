"""Where entries are kept, by what a gateway was told: memory, or memory over Redis."""

from bff_core.cache.stores.interface import Store
from bff_core.cache.stores.invalidation_outbox import Spawn
from bff_core.cache.stores.memory import MemoryStore
from bff_core.cache.stores.redis import RedisStore
from bff_core.cache.stores.tiered import LevelStore
from bff_core.clock import Chance, Clock
from bff_core.events import Events
from bff_core.redis.interface import Link


def open_store(
    link: Link | None,
    *,
    gateway: str,
    size: int,
    spawn: Spawn,
    clock: Clock,
    chance: Chance,
    events: Events,
) -> Store:
    """Return an open store, whose memory takes `size` bytes; with a link it is shared.

    Gateways of one name share their entries, all that share a Redis their purges. It is called
    inside the running loop, and closed before the link.
    """
    memory = MemoryStore(size=size, clock=clock, events=events)
    if link is None:
        return memory
    shared = RedisStore(link, gateway=gateway, spawn=spawn, clock=clock, chance=chance)
    return LevelStore(memory, shared, spawn=spawn, clock=clock, events=events)
