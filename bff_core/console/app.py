"""What one console works with: its gateways, access, live stream and what areas add to it."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar

from starlette.requests import Request

from bff_core.clock import Clock
from bff_core.console.access import Access, Actor
from bff_core.console.installation import gateways_of
from bff_core.console.live import LiveFeed
from bff_core.console.model import EventRow, Installation, Overview, ProcessInfo, Severity
from bff_core.console.sources import Sources
from bff_core.events import Events
from bff_core.upstream.user_agent import framework_version

T = TypeVar("T")

MAX_EVENTS: Final = 200
"""Actions of people that the console lists."""

ACTOR: Final = "bff.console.actor"
"""Where a request holds who sent it."""


class Console:
    """One console over some gateways: that of `bff dev`, or that of one gateway.

    `wall` returns Unix time. `processes` lists what `bff dev` runs, `shop` is the address that the
    foot of the navigation links to. `overview` returns the last one for the first paint; the area
    of the overview sets it. Areas store what they need with `put`, and read what others
    stored with `find`.
    """

    def __init__(
        self,
        sources: Sources,
        *,
        is_development: bool,
        access: Access,
        events: Events | None = None,
        processes: Callable[[], list[ProcessInfo]] = list,
        shop: str = "",
        wall: Clock = time.time,
    ) -> None:
        self.sources = sources
        self.is_development = is_development
        self.access = access
        self.events = events or Events()
        self.processes = processes
        self.shop = shop
        self.wall = wall
        self.live = LiveFeed()
        self.actions: deque[EventRow] = deque(maxlen=MAX_EVENTS)
        self.overview: Callable[[], Overview | None] = lambda: None
        self._stored: dict[type, object] = {}

    def put(self, value: object) -> None:
        """Store a value by its class, for `find`."""
        self._stored[type(value)] = value

    def find(self, kind: type[T]) -> T | None:
        """Return the stored value of a class; None if this console has none."""
        found = self._stored.get(kind)
        return found if isinstance(found, kind) else None

    def actor(self, request: Request) -> Actor:
        """Return who sent a request that `access` admitted."""
        found = request.scope[ACTOR]
        assert isinstance(found, Actor)  # noqa: S101 - the app sets it
        return found

    async def installation(self, request: Request) -> Installation:
        """Return what the console looks at, and what the sender of a request may do."""
        return Installation(
            version=framework_version(),
            is_development=self.is_development,
            can_operate=self.actor(request).can_operate,
            gateways=await gateways_of(self.sources),
            processes=self.processes(),
            shop=self.shop,
        )

    def audit(
        self, request: Request, subject: str, text: str, *, state: Severity = "ok"
    ) -> EventRow:
        """Record that someone changed something: a log line, and an event with the actor.

        `text` marks names as `Headline.text` does.
        """
        now = self.wall()
        row = EventRow(
            id=f"action-{now:.6f}-{len(self.actions)}",
            time=now,
            state=state,
            subject=subject,
            text=text,
            actor=self.actor(request).name,
        )
        self.actions.append(row)
        return row
