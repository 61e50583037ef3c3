"""Both caches of one gateway: their store, what came of asking it, and how to purge it."""

from dataclasses import asdict, dataclass
from typing import Literal, Self

from bff_core.cache.stores.interface import CacheStore
from bff_core.events import CacheLookup, Events, Purged
from bff_core.scope import Scope

Outcome = Literal["hit", "miss", "stale", "refresh", "store", "refuse"]
PurgeSource = Literal["code", "write", "operator", "webhook"]

NO_CACHE = (
    "this gateway has no cache: give a service a policy that says so, "
    "Policy(cache=Cache()), or set BFF_CACHE_URL"
)


@dataclass(slots=True)
class Figures:
    """How often something came of asking the cache, since the gateway started.

    `size` is the sum of the bodies that were stored (bytes).
    """

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
        self.figures: dict[str, Figures] = {}
        self._events = events

    def __repr__(self) -> str:
        rows = [f"  {name:<16} {figures}" for name, figures in self.figures.items()]
        return "\n".join([f"cache      {self.store!r}", *rows])

    def bind(self, scope: Scope) -> Self:
        """Return itself: a screen's field of this type is wired, and purges for its screen.

        What such a screen says may be about the cache, so it is not stored.
        """
        if scope.dependencies is not None:
            scope.dependencies.forbid("cache")
        return self

    def of(self, name: str) -> Figures:
        """Return the figures of an upstream, or of the views."""
        found = self.figures.get(name)
        if found is None:
            found = self.figures[name] = Figures()
        return found

    def report(self) -> dict[str, object]:
        """Return what an operator is shown: what is held here, and the figures of each upstream."""
        rows = {
            name: {**asdict(figures), "hit_ratio": round(figures.hit_ratio, 4)}
            for name, figures in sorted(self.figures.items())
        }
        store = self.store
        held = {"entries": len(store), "bytes": store.size, "limit": store.limit}
        return {"store": repr(store), **held, "upstreams": rows}

    def record(
        self, name: str, operation: str, outcome: Outcome, reason: str = "", age: float = 0.0
    ) -> None:
        """Count what came of asking the cache, and tell who listens."""
        figures = self.of(name)
        setattr(figures, outcome, getattr(figures, outcome) + 1)
        if self._events.sinks:
            self._events.emit(CacheLookup(name, operation, outcome, reason, age))

    async def purge(self, *tags: str, by: PurgeSource = "code") -> int:
        """Forget all that is known by any of these tags, in all processes of the gateways.

        Return how many entries of this process were dropped.
        """
        count = await self.store.purge(tags)
        if self._events.sinks:
            self._events.emit(Purged(tags, by, count))
        return count
