"""What the layers of one upstream share while the gateway runs: loop, time, chance, events."""

import asyncio
from dataclasses import dataclass

from bff_core.cache.response_cache import ResponseCache
from bff_core.clock import Chance, Clock
from bff_core.events import Events
from bff_core.policy.retry import RetryBudget
from bff_core.upstream.vault import Spawn, Vault

__all__ = ["Runtime", "Spawn"]


@dataclass(frozen=True, slots=True)
class Runtime:
    """Handed to every layer when a stack is built, inside the running loop.

    `spawn` starts background work that the gateway owns: it is cancelled when the gateway closes,
    and outlives the request that caused it. `budget` is what attempts beyond the first are taken
    from, whoever makes them; None where the policy sends nothing twice. `cache` is the gateway's,
    None where it has none.
    """

    upstream: str
    loop: asyncio.AbstractEventLoop
    clock: Clock
    chance: Chance
    events: Events
    spawn: Spawn
    budget: RetryBudget | None = None
    cache: ResponseCache | None = None
    vault: Vault | None = None
