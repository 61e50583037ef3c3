"""The cache of a gateway: one store for services' replies and for views; reports and purges."""

from dataclasses import asdict
from typing import Literal, Self

from bff_core.cache.figures import CacheFigures
from bff_core.cache.stores.interface import CacheStore
from bff_core.events import CacheLookup, Events, Purged, Span
from bff_core.scope import Scope

Outcome = Literal["hit", "miss", "stale", "refresh", "store", "refuse"]
PurgeSource = Literal["code", "write", "operator", "webhook"]

NO_CACHE = "this gateway has no cache: set Policy(cache=Cache()) for a service, or BFF_CACHE_URL"


class ResponseCache:
    """The cached replies of services and the gateway's own cached answers, in one store."""

    def __init__(self, store: CacheStore, events: Events) -> None:
        self.store = store
        self.figures = CacheFigures()
        self._events = events

    def __repr__(self) -> str:
        rows = [f"  {name:<16} {figures}" for name, figures in self.figures.by_name.items()]
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
            for name, figures in sorted(self.figures.by_name.items())
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
        size: int = 0,
        span: Span | None = None,
    ) -> None:
        """Count and emit a lookup or a store; `size` is that of a stored body in bytes."""
        event = CacheLookup(name, operation, outcome, reason, age, size, span=span)
        self.figures(event)
        if self._events.is_detailed or span is not None:
            self._events.emit(event)

    async def purge(self, *tags: str, by: PurgeSource = "code") -> int:
        """Delete all entries with any of these tags, in all processes of the gateways.

        Return how many entries of this process were deleted.
        """
        count = await self.store.purge(tags)
        if self._events.sinks:
            self._events.emit(Purged(tags, by, count))
        return count
