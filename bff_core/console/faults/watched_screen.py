"""The screen that the page of faults watches: as each client gets it now, while someone looks."""

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from bff_core.clock import Clock
from bff_core.console.answers import ConsoleProblem
from bff_core.console.console import Console
from bff_core.console.model import ClientView, PlanNode, ScreenName
from bff_core.console.screens.detail import FIRST_SCREEN, screen_detail, screen_names
from bff_core.console.screens.exchange import FIRST_VIEWER, AnswersRequest

INTERVAL_SECONDS: Final = 0.9
"""How old answers may be before they are computed again."""

P95_SECONDS: Final = 10.0
"""The time that the p95 of a client covers."""

FIRST_ANSWER_SECONDS: Final = 1.0
"""How long a page waits for the first answers; services that hang must not delay it."""


class WatchedScreen:
    """Computes the answers of one screen, once at a time and only when they are read."""

    def __init__(self, console: Console, *, clock: Clock = time.monotonic) -> None:
        self.console = console
        self._clock = clock
        self._running: asyncio.Task[None] | None = None
        self._read_at = -INTERVAL_SECONDS
        self.screen = ""
        self.clients: list[ClientView] = []
        self.critical: list[str] = []
        self.optional: list[str] = []
        self._courses: dict[str, _Course] = {}

    @property
    def is_running(self) -> bool:
        """Whether answers are computed now."""
        return self._running is not None and not self._running.done()

    async def refresh(self) -> None:
        """Start to compute the answers if they are old; wait for the first ones, and not long."""
        if not self.is_running and self._clock() - self._read_at >= INTERVAL_SECONDS:
            self._running = self.console.background.spawn(self._compute())
        if self._running is not None and not self.clients:
            await asyncio.wait({self._running}, timeout=FIRST_ANSWER_SECONDS)

    async def _compute(self) -> None:
        try:
            with contextlib.suppress(ConsoleProblem):  # no gateway answers now
                self.screen = self.screen or shared_screen(await screen_names(self.console))
                wanted = AnswersRequest(screen=self.screen, viewer=FIRST_VIEWER)
                detail = await screen_detail(self.console, wanted)
                clients, now = _one_of_each(detail.clients), self._clock()
                for one in clients:
                    self._courses.setdefault(one.gateway, _Course()).add(one, now)
                self.clients = clients
                self.critical, self.optional = services_of(detail.plan)
        finally:
            self._read_at = self._clock()


class _Course:
    """The answers that one client got lately: how long they took, how large complete ones are."""

    def __init__(self) -> None:
        self._took: deque[tuple[float, float]] = deque()
        self._complete_size: int | None = None

    def add(self, client: ClientView, now: float) -> None:
        """Add an answer, and set its p95 and the size of the newest complete answer."""
        if client.took is not None:
            self._took.append((now, client.took))
        while self._took and now - self._took[0][0] > P95_SECONDS:
            self._took.popleft()
        took = sorted(seconds for _, seconds in self._took)
        client.p95 = took[math.ceil(0.95 * len(took)) - 1] if took else None
        if client.state == "complete":
            self._complete_size = client.size
        client.complete_size = self._complete_size


def services_of(plan: Sequence[PlanNode]) -> tuple[list[str], list[str]]:
    """Return the services that critical parts need, and the others, in the order of the plan."""
    critical = dict.fromkeys(name for one in plan if one.is_critical for name in one.upstreams)
    every = dict.fromkeys(name for one in plan for name in one.upstreams)
    return list(critical), [name for name in every if name not in critical]


def _one_of_each(clients: list[ClientView]) -> list[ClientView]:
    """Return the view of each gateway that shows most of the screen, in their order."""
    best: dict[str, ClientView] = {}
    for one in clients:
        known = best.setdefault(one.gateway, one)
        if len(one.parts) > len(known.parts):
            best[one.gateway] = one
    return list(best.values())


def shared_screen(screens: list[ScreenName]) -> str:
    """Return the screen that most gateways have, Home before others; empty without screens."""

    def gateways_of(one: ScreenName) -> int:
        return len({gateway for gateway, _ in one.views})

    named = [one for one in screens if one.screen == FIRST_SCREEN]
    best = max([*named, *screens], key=gateways_of, default=None)
    return "" if best is None else best.screen
