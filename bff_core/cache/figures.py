"""Counts what caches did, by upstream: from the events that sinks receive."""

from collections import defaultdict
from dataclasses import dataclass

from bff_core.events import CacheLookup


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


class CacheFigures:
    """The figures by the name of an upstream, or of the views."""

    __slots__ = ("by_name",)

    def __init__(self) -> None:
        self.by_name: defaultdict[str, Figures] = defaultdict(Figures)

    def __call__(self, event: CacheLookup, /) -> None:
        """Count one event."""
        figures, outcome = self.by_name[event.upstream], event.outcome
        setattr(figures, outcome, getattr(figures, outcome) + 1)
        figures.size += event.size
