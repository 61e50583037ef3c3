"""Reads what the processes of all gateways have counted, and stores their steps for a while."""

import asyncio
from collections.abc import Callable
from typing import Final

from bff_core.console.overview.window import GatewayWindow, window_of
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
        self._windows: list[GatewayWindow] = []
        self._pulled = 0.0
        self._pulling = asyncio.Lock()

    async def windows(self) -> list[GatewayWindow]:
        """Return the windows of all gateways, read now or a moment ago."""
        async with self._pulling:
            if not 0 <= self._wall() - self._pulled < PULL_SECONDS:
                names = self._sources.names
                self._windows = list(await asyncio.gather(*(self._read(name) for name in names)))
                self._pulled = self._wall()
        return self._windows

    async def _read(self, gateway: str) -> GatewayWindow:
        known = self._steps.setdefault(gateway, {})
        newest: dict[str, int] = {}
        for pid, number in known:
            newest[f"{pid}"] = max(number, newest.get(f"{pid}", 0))

        def query(process: str) -> bytes:
            last = newest.get(process, 0) if process else max(newest.values(), default=0)
            return encoded(SamplesQuery(since=last, has_totals=False))

        found = await self._sources.send_all(gateway, SAMPLES, query)
        samples = found.decoded(Samples)
        for one in samples:
            known.update({(one.pid, step.number): step for step in one.steps})
        now = self._wall()
        first = number_of(now) - MAX_STEPS
        for key in [key for key in known if key[1] < first]:
            del known[key]
        return window_of(gateway, samples, known.values(), now)
