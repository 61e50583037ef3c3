"""The API of the overview, and its part of the live stream."""

import asyncio
import time

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff_core.console.answers import ConsoleProblem, answer
from bff_core.console.console import Console
from bff_core.console.metrics.window import DEFAULT_SECONDS, WINDOWS
from bff_core.console.model import Installation, Live, Overview
from bff_core.console.overview.down import NeedsStore
from bff_core.console.overview.overview import is_down, overview_of

LIVE_SECONDS = 1.0
"""The time between two overviews in the live stream: figures are not read faster."""

PAUSE_RATIO = 200
"""An overview of many screens takes long: the pause after it is so many times as long.

So pages use at most 0.5 % of a core, which the console of a gateway shares with its requests.
"""

MAX_LIVE_SECONDS = 5.0


class OverviewNews:
    """Adds the overview to the live stream, and the events that are new."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._needs = NeedsStore(console.sources)
        self._sent = 0.0
        self._pause = LIVE_SECONDS
        self._known: set[str] | None = None

    async def __call__(self, live: Live, is_all: bool) -> None:
        """Add the overview about once a second, and to the first message of a page."""
        now = self._console.wall()
        if not is_all and 0 <= now - self._sent < self._pause:
            return
        overview = await self.read(await self._console.installation())
        live.overview = self._console.newest_overview = overview
        if is_all:
            return
        self._sent = now
        ids = {event.id for event in overview.events}
        if self._known is not None:
            live.events += [one for one in overview.events if one.id not in self._known]
        self._known = ids

    async def read(self, installation: Installation, length: float = DEFAULT_SECONDS) -> Overview:
        """Return the overview of now, over `length` seconds."""
        windows, actions = await asyncio.gather(
            self._console.metrics.windows(length), self._console.actions()
        )
        now, needs, began = self._console.wall(), self._needs, time.thread_time()
        found = overview_of(windows, installation, now, actions, needs.known)
        if length == DEFAULT_SECONDS:
            pause = (time.thread_time() - began) * PAUSE_RATIO
            self._pause = min(max(LIVE_SECONDS, pause), MAX_LIVE_SECONDS)
        if any(map(is_down, found.upstreams)) and await needs.has_read(windows):
            return overview_of(windows, installation, now, actions, needs.known)
        return found


def routes(console: Console) -> list[Route]:
    """Return the routes of this area."""
    news = OverviewNews(console)
    console.live.add(news)

    async def get(request: Request) -> Response:
        installation = await console.installation(request)
        gateway = request.query_params.get("gateway", "")
        console.sources.selected(gateway)
        overview = await news.read(installation, _length(request))
        return answer(msgspec.structs.replace(overview, installation=installation))

    return [Route("/overview", get, methods=["GET"])]


def _length(request: Request) -> float:
    """Return how many seconds figures cover; raises `ConsoleProblem` (422) for another length."""
    wanted = request.query_params.get("window", f"{DEFAULT_SECONDS:.0f}")
    lengths = {f"{one:.0f}": one for one in WINDOWS}
    if wanted not in lengths:
        known = ", ".join(lengths)
        raise ConsoleProblem(422, "'window' is not valid", f"It is one of {known} (seconds).")
    return lengths[wanted]
