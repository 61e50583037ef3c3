"""The services that are down, and the screens that need them."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from bff_core.console.metrics.window import GatewayWindow
from bff_core.console.model import DownService, ProcessInfo, ScreenFigures
from bff_core.console.sources import Sources

NEEDS: Final = "overview.needs"
"""The command that returns a list of `ServiceNeed`."""

NEEDS_SECONDS: Final = 2.0
"""How long a process may take to read the source of its screens."""


class ServiceNeed(msgspec.Struct, array_like=True):
    """A view and a service that it calls; without one that is critical it fails."""

    route: str
    upstream: str
    is_critical: bool


class NeedsStore:
    """What the screens of each gateway need: read when a service is down, once for each start."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._started: dict[str, float] = {}
        self.known: dict[str, list[ServiceNeed]] = {}
        """The needs by gateway, as far as they were read."""

    async def has_read(self, windows: Iterable[GatewayWindow]) -> bool:
        """Read the needs of gateways that have started; return whether something is new."""
        fresh = [
            one
            for one in windows
            if one.is_running and self._started.get(one.gateway) != one.started
        ]
        await asyncio.gather(*map(self._read, fresh))
        return bool(fresh)

    async def _read(self, window: GatewayWindow) -> None:
        self._started[window.gateway] = window.started
        found = await self._sources.send_all(window.gateway, NEEDS, seconds=NEEDS_SECONDS)
        for needs in found.decoded(list[ServiceNeed])[:1]:
            self.known[window.gateway] = needs


def stopped_services(processes: Iterable[ProcessInfo]) -> dict[str, float | None]:
    """Return the services whose process does not run, and since when."""
    return {
        one.name: one.since
        for one in processes
        if one.kind == "service" and one.state in {"stopped", "failed"}
    }


def stopped_words(name: str, since: float | None) -> str:
    """Return that the process of a service does not run, since when if that is known."""
    return f"**{name} is stopped{'' if since is None else f' since {clock_of(since)}'}.**"


def clock_of(instant: float) -> str:
    """Return the time of the day: "14:05"."""
    return time.strftime("%H:%M", time.localtime(instant))


def add_down(
    screens: Iterable[ScreenFigures],
    needs: Mapping[str, Sequence[ServiceNeed]],
    down: Iterable[str],
) -> None:
    """Set which of the services that a screen needs are down, critical ones first."""
    names = set(down)
    for screen in screens:
        found = [
            DownService(upstream=one.upstream, is_critical=one.is_critical)
            for one in needs.get(screen.gateway, ())
            if one.route == screen.route and one.upstream in names
        ]
        screen.down = sorted(found, key=lambda one: (not one.is_critical, one.upstream))
