"""Reads what the processes of all gateways have counted, and stores their steps for a while."""

import asyncio
from collections.abc import Callable
from typing import Final

from bff_core.console.metrics.window import (
    DEFAULT_SECONDS,
    GatewayWindow,
    window_of,
)
from bff_core.console.sources import Sources
from bff_core.observe.metrics.samples import Samples, SamplesQuery, WindowStep, encoded
from bff_core.observe.metrics.scrape import SAMPLES
from bff_core.observe.metrics.steps import MAX_STEPS, number_of

PULL_SECONDS: Final = 0.25
"""The least time between two reads: all pages share one."""


class MetricsStore:
    """The steps of all processes, those that have ended meanwhile included.

    `wall` returns Unix time.
    """

    def __init__(self, sources: Sources, wall: Callable[[], float]) -> None:
        self._sources = sources
        self._wall = wall
        self._steps: dict[str, dict[tuple[int, int], WindowStep]] = {}
        self._samples: dict[str, list[Samples]] = {}
        self._windows: dict[float, list[GatewayWindow]] = {}
        self._pulled = 0.0
        self._pulling = asyncio.Lock()

    async def windows(self, length: float = DEFAULT_SECONDS) -> list[GatewayWindow]:
        """Return the windows of all gateways, read now or a moment ago, over `length` seconds."""
        async with self._pulling:
            names = self._sources.names
            if not 0 <= self._wall() - self._pulled < PULL_SECONDS:
                await asyncio.gather(*(self._read(name) for name in names))
                self._pulled = self._wall()
                self._windows.clear()
            if length not in self._windows:
                self._windows[length] = [self._window(name, length) for name in names]
        return self._windows[length]

    def _window(self, gateway: str, length: float) -> GatewayWindow:
        steps = self._steps[gateway].values()
        return window_of(gateway, self._samples[gateway], steps, self._pulled, length)

    async def _read(self, gateway: str) -> None:
        known = self._steps.setdefault(gateway, {})
        newest: dict[str, int] = {}
        for pid, number in known:
            newest[f"{pid}"] = max(number, newest.get(f"{pid}", 0))

        def query(process: str) -> bytes:
            last = newest.get(process, 0) if process else max(newest.values(), default=0)
            return encoded(SamplesQuery(since=last, has_totals=False))

        found = await self._sources.send_all(gateway, SAMPLES, query)
        self._samples[gateway] = samples = found.decoded(Samples)
        for one in samples:
            known.update({(one.pid, step.number): step for step in one.steps})
        first = number_of(self._wall()) - MAX_STEPS
        for key in [key for key in known if key[1] < first]:
            del known[key]
