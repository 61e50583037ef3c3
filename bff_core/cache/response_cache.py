"""The cache of a gateway: one store for services' replies and for views, its figures, purges."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Literal, Self

from bff_core.cache.stores.interface import CacheStore
from bff_core.events import CacheLookup, Events, Purged, Span
from bff_core.scope import Scope

Outcome = Literal["hit", "miss", "stale", "refresh", "store", "refuse"]
PurgeSource = Literal["code", "write", "operator", "webhook"]

NO_CACHE = "this gateway has no cache: set Policy(cache=Cache()) for a service, or BFF_CACHE_URL"


@dataclass(slots=True)
class Figures:
    """Counts outcomes since the gateway started; `size` sums the stored bodies (bytes)."""

    hit: int = 0
    miss: int = 0
    stale: int = 0
    refresh: int = 0
    store: int = 0
    refuse: int = 0
    size: int = 0

    @property
    def hit_ratio(self) -> float:
        """The share of requests that were answered without waiting for a service."""
        lookups = self.hit + self.stale + self.miss
        return (self.hit + self.stale) / lookups if lookups else 0.0

    def __str__(self) -> str:
        return f"{self.hit_ratio:.0%} hits, {self.miss} misses, {self.store} stored"


class ResponseCache:
    """The cached replies of services and the gateway's own cached answers, in one store."""

    def __init__(self, store: CacheStore, events: Events) -> None:
        self.store = store
        self.figures: defaultdict[str, Figures] = defaultdict(Figures)
        """By the name of an upstream, or of the views."""
        self._events = events

    def __repr__(self) -> str:
        rows = [f"  {name:<16} {figures}" for name, figures in self.figures.items()]
        return "\n".join([f"cache      {self.store!r}", *rows])

    def bind(self, scope: Scope) -> Self:
        """Return itself, so that a screen may have a field of this type.

        The answer of such a screen may depend on the cache, so it is not stored.
        """
        if scope.dependencies is not None:
            scope.dependencies.forbid("cache")
        return self

    def report(self) -> dict[str, object]:
        """Return the report for operators: the store's contents, and each upstream's figures."""
        rows = {
            name: {**asdict(figures), "hit_ratio": round(figures.hit_ratio, 4)}
            for name, figures in sorted(self.figures.items())
        }
        store = self.store
        held = {"entries": len(store), "bytes": store.size, "limit": store.limit}
        return {"store": repr(store), **held, "upstreams": rows}

    def record(
        self,
        name: str,
        operation: str,
        outcome: Outcome,
        reason: str = "",
        age: float = 0.0,
        *,
        span: Span | None = None,
    ) -> None:
        """Count the outcome of a lookup or a store, and emit its event."""
        figures = self.figures[name]
        setattr(figures, outcome, getattr(figures, outcome) + 1)
        if self._events.sinks:
            self._events.emit(CacheLookup(name, operation, outcome, reason, age, span=span))

    async def purge(self, *tags: str, by: PurgeSource = "code") -> int:
        """Delete all entries with any of these tags, in all processes of the gateways.

        Return how many entries of this process were deleted.
        """
        count = await self.store.purge(tags)
        if self._events.sinks:
            self._events.emit(Purged(tags, by, count))
        return count
