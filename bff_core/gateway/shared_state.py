"""The stores that the processes of one gateway share: cache, idempotency keys, rate limits."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bff_core.background import Background
from bff_core.cache.response_cache import ResponseCache
from bff_core.cache.stores.factory import open_store
from bff_core.clock import Clock, chance
from bff_core.events import Events
from bff_core.idempotency.interface import IdempotencyStore
from bff_core.idempotency.memory import MemoryIdempotencyStore
from bff_core.idempotency.redis import RedisIdempotencyStore
from bff_core.limits.interface import LimitStore
from bff_core.limits.memory import MemoryLimitStore
from bff_core.limits.redis import RedisLimitStore
from bff_core.policy.edge.idempotency import IdempotencyOptions
from bff_core.redis.clients_by_url import RedisClients
from bff_core.settings.model import Settings


@dataclass(frozen=True, slots=True)
class SharedState:
    """The open stores of one run.

    They are in Redis if the settings name one, else in memory. `cache` is None if no policy caches.
    In memory, the edge has its own `idempotency` and `limits`, which also work between runs.
    """

    redis: RedisClients
    cache: ResponseCache | None
    idempotency: IdempotencyStore
    limits: LimitStore


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedStateConfig:
    """The configuration of the stores; `open` connects to them."""

    gateway: str
    settings: Settings
    idempotency: IdempotencyOptions
    has_cache: bool
    clock: Clock
    events: Events

    @asynccontextmanager
    async def open(self, background: Background) -> AsyncIterator[SharedState]:
        """Yield the stores, open until the context ends."""
        redis = RedisClients(clock=self.clock, chance=chance, events=self.events)
        async with AsyncExitStack() as closing:
            closing.push_async_callback(redis.aclose)
            yield SharedState(
                redis=redis,
                cache=self._open_cache(redis, background, closing) if self.has_cache else None,
                idempotency=self._open_idempotency(redis, background),
                limits=self._open_limits(redis),
            )

    def _open_cache(
        self, redis: RedisClients, background: Background, closing: AsyncExitStack
    ) -> ResponseCache:
        url = self.settings.cache_url
        store = open_store(
            redis.to(url) if url else None,
            gateway=self.gateway,
            size=self.settings.cache_size,
            spawn=background.spawn,
            clock=self.clock,
            chance=chance,
            events=self.events,
        )
        closing.push_async_callback(store.aclose)
        return ResponseCache(store, self.events)

    def _open_idempotency(self, redis: RedisClients, background: Background) -> IdempotencyStore:
        url = self.settings.idempotency_url
        if not url:
            return MemoryIdempotencyStore(self.idempotency, self.clock, self.events)
        return RedisIdempotencyStore(
            redis.to(url),
            self.idempotency,
            spawn=background.spawn,
            chance=chance,
            events=self.events,
        )

    def _open_limits(self, redis: RedisClients) -> LimitStore:
        url, local = self.settings.limits_url, MemoryLimitStore(self.clock)
        if not url:
            return local
        return RedisLimitStore(redis.to(url), local, gateway=self.gateway, clock=self.clock)
