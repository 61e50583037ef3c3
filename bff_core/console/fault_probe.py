"""The screen that the page of faults watches: as each client gets it now, while someone looks."""

import asyncio
import contextlib
import time
from typing import Final

from bff_core.clock import Clock
from bff_core.console.answers import ConsoleProblem
from bff_core.console.app import Console
from bff_core.console.model import ClientView, ScreenName
from bff_core.console.screens.detail import screen_detail, screen_names
from bff_core.console.screens.exchange import AnswersRequest

VIEWER: Final = "1"
"""The user whose screen is shown, where gateways take demo viewers."""

HOME: Final = "Home"
"""The name that most projects give to their first screen."""

INTERVAL_SECONDS: Final = 0.9
"""How old answers may be before they are computed again."""

FIRST_SECONDS: Final = 1.0
"""How long a page waits for the first answers; services that hang must not delay it."""


class FaultProbe:
    """Computes the answers of one screen, once at a time and only when they are read."""

    def __init__(self, console: Console, *, clock: Clock = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._running: asyncio.Task[None] | None = None
        self._read_at = -INTERVAL_SECONDS
        self.screen = ""
        self.clients: list[ClientView] = []

    async def refresh(self) -> None:
        """Start to compute the answers if they are old; wait for the first ones, and not long."""
        is_running = self._running is not None and not self._running.done()
        if not is_running and self._clock() - self._read_at >= INTERVAL_SECONDS:
            self._running = asyncio.get_running_loop().create_task(self._compute())
        if self._running is not None and not self.clients:
            await asyncio.wait({self._running}, timeout=FIRST_SECONDS)

    async def _compute(self) -> None:
        try:
            with contextlib.suppress(ConsoleProblem):  # no gateway answers now
                self.screen = self.screen or shared_screen(await screen_names(self._console))
                wanted = AnswersRequest(screen=self.screen, viewer=VIEWER)
                detail = await screen_detail(self._console, wanted)
                self.clients = _one_of_each(detail.clients)
        finally:
            self._read_at = self._clock()


def _one_of_each(clients: list[ClientView]) -> list[ClientView]:
    """Return the view of each gateway that shows most of the screen, in their order."""
    best: dict[str, ClientView] = {}
    for one in clients:
        known = best.setdefault(one.gateway, one)
        if len(one.parts) > len(known.parts):
            best[one.gateway] = one
    return list(best.values())


def shared_screen(screens: list[ScreenName]) -> str:
    """Return the screen that most gateways have, `Home` before others; empty without screens."""

    def gateways_of(one: ScreenName) -> int:
        return len({gateway for gateway, _ in one.views})

    named = [one for one in screens if one.screen == HOME]
    best = max([*named, *screens], key=gateways_of, default=None)
    return "" if best is None else best.screen
