"""What one gateway remembers beyond a request: answers, counts, sagas; where, the settings say."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from bff_core.auth.viewer_codec import ViewerCodec
from bff_core.background import Background
from bff_core.cache.response_cache import NO_CACHE, ResponseCache
from bff_core.cache.stores.factory import open_store
from bff_core.cache.stores.interface import CacheStore
from bff_core.clock import Clock, chance
from bff_core.composition.wiring import Wiring
from bff_core.errors import ConfigurationError
from bff_core.events import Events
from bff_core.idempotency.redis import RedisIdempotencyStore
from bff_core.idempotency.store import IdempotencyStore
from bff_core.limits.memory import MemoryLimitStore
from bff_core.limits.redis import RedisLimitStore
from bff_core.limits.store import LimitStore
from bff_core.policy.edge.idempotency import IdempotencyOptions
from bff_core.redis.clients import RedisClients
from bff_core.saga.coordinator import SagaCoordinator
from bff_core.saga.journal.factory import open_journal
from bff_core.saga.saga import Saga
from bff_core.saga.step_runner import Surroundings
from bff_core.settings.model import Settings
from bff_core.sqlite import opened_file

CLOSED = "the stores of a gateway are open while it runs: run its lifespan"


class SharedState:
    """The stores that processes share, while the gateway runs.

    `desk` is where its sagas are begun, None where it has none.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        idempotency: IdempotencyOptions | None,
        sagas: Sequence[type[Saga]],
        *,
        has_cache: bool,
        clock: Clock,
        events: Events,
    ) -> None:
        self.desk = SagaCoordinator(sagas) if sagas else None
        self.has_cache = has_cache
        self._name = name
        self._settings = settings
        self._idempotency = idempotency or IdempotencyOptions()
        self._clock = clock
        self._events = events
        self._answers: IdempotencyStore | None = None
        self._counts: LimitStore | None = None
        self._cache: ResponseCache | None = None
        self._links: RedisClients | None = None

    @property
    def links(self) -> RedisClients:
        """The links to what gateways share."""
        if self._links is None:
            raise ConfigurationError(CLOSED)
        return self._links

    def answers(self) -> IdempotencyStore:
        """Return where all processes of the gateway keep the answers of keyed requests."""
        if self._answers is None:
            raise ConfigurationError(CLOSED)
        return self._answers

    def counts(self) -> LimitStore:
        """Return where all processes of the gateway count their callers' requests."""
        if self._counts is None:
            raise ConfigurationError(CLOSED)
        return self._counts

    def cache(self) -> ResponseCache:
        """Return what services' replies and composed answers are kept in."""
        if not self.has_cache:
            raise ConfigurationError(NO_CACHE)
        if self._cache is None:
            raise ConfigurationError(CLOSED)
        return self._cache

    @asynccontextmanager
    async def opened(self, background: Background) -> AsyncIterator[None]:
        """Hold them open, but for the journal: services may use them, sagas use services."""
        settings = self._settings
        links = self._links = RedisClients(clock=self._clock, chance=chance, events=self._events)
        async with AsyncExitStack() as closing:
            closing.push_async_callback(links.aclose)
            if self.has_cache:
                store = self._kept(links, background)
                closing.push_async_callback(store.aclose)
                self._cache = ResponseCache(store, self._events)
            if settings.idempotency_url:
                self._answers = RedisIdempotencyStore(
                    links.to(settings.idempotency_url),
                    self._idempotency,
                    spawn=background.spawn,
                    chance=chance,
                    events=self._events,
                )
            if settings.limits_url:
                local = MemoryLimitStore(self._clock)
                self._counts = RedisLimitStore(
                    links.to(settings.limits_url), local, gateway=self._name, clock=self._clock
                )
            yield
            self._answers = self._counts = self._cache = self._links = None

    def _kept(self, links: RedisClients, background: Background) -> CacheStore:
        settings = self._settings
        return open_store(
            links.to(settings.cache_url) if settings.cache_url else None,
            gateway=self._name,
            size=settings.cache_size,
            spawn=background.spawn,
            clock=self._clock,
            chance=chance,
            events=self._events,
        )

    @asynccontextmanager
    async def journalled(self, wiring: Wiring, background: Background) -> AsyncIterator[None]:
        """Hold the journal open while they are; what others left in it is gone on with."""
        desk = self.desk
        if desk is None:
            yield
            return
        journal = open_journal(self._settings.journal_url, self.links, time.time)
        for opened in opened_file(self._settings.journal_url, "BFF_JOURNAL_URL"):
            self._events.emit(opened)
        desk.open(
            Surroundings(
                wiring=wiring,
                journal=journal,
                viewers=ViewerCodec(),
                spawn=background.spawn,
                clock=self._clock,
                wall=time.time,
                chance=chance,
                events=self._events,
                lease=self._settings.journal_lease,
                name=self._name,
            )
        )
        try:
            yield
        finally:
            await desk.aclose(self._settings.grace)
            await background.aclose()
            await journal.aclose()
