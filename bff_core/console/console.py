"""What one console works with: its gateways, access, live stream and what areas add to it."""

import asyncio
import os
import time
from collections.abc import Awaitable, Iterable

from starlette.requests import Request

from bff_core.background import Background
from bff_core.clock import Clock
from bff_core.console.answers import ConsoleProblem
from bff_core.console.development import Development
from bff_core.console.installation import gateways_of
from bff_core.console.live_stream import LiveFeed
from bff_core.console.metrics.store import MetricsStore
from bff_core.console.model import EventRow, Installation, Overview, ProcessInfo, Severity
from bff_core.console.process_state import OPERATION, ConsoleState
from bff_core.console.sign_in.access import Access, actor_of, address_of
from bff_core.console.sources import ACTIONS_COMMAND, Sources
from bff_core.events import Events, OperatorActed
from bff_core.upstream.user_agent import framework_version


class Console:
    """One console over some gateways: that of `bff dev`, or that of one gateway.

    `wall` returns Unix time. `run` is what `bff dev` runs, `shop` the address that the foot of the
    navigation links to. `state` has the actions of people in this process. `newest_overview` is the
    one that pages got last, for their first paint.
    """

    def __init__(
        self,
        sources: Sources,
        *,
        is_development: bool,
        access: Access,
        events: Events | None = None,
        run: Development | None = None,
        shop: str = "",
        state: ConsoleState | None = None,
        wall: Clock = time.time,
    ) -> None:
        self.sources = sources
        self.is_development = is_development
        self.access = access
        self.events = events or Events()
        self.run = run
        self.shop = shop
        self.wall = wall
        self.live = LiveFeed()
        self.state = state or ConsoleState()
        self.newest_overview: Overview | None = None
        self.metrics = MetricsStore(sources, wall)
        self._background: Background | None = None

    @property
    def background(self) -> Background:
        """The tasks that no request waits for; they end with the console."""
        if self._background is None:
            self._background = Background(asyncio.get_running_loop(), self.events)
        return self._background

    async def aclose(self) -> None:
        """End its streams and tasks."""
        await self.live.aclose()
        if self._background is not None:
            await self._background.aclose()
        await self.sources.aclose()

    def processes(self) -> list[ProcessInfo]:
        """Return what `bff dev` runs."""
        return [] if self.run is None else list(self.run.processes())

    async def installation(self, request: Request | None = None) -> Installation:
        """Return what the console looks at, for all pages or for the one that sent a request.

        For that one a gateway without an address of its own has the address of the request.
        """
        found = Installation(
            version=framework_version(),
            is_development=self.is_development,
            gateways=await gateways_of(self.sources),
            processes=self.processes(),
            shop=self.shop,
        )
        if request is not None:
            found.can_sign_out = bool(actor_of(request).session)
            for one in found.gateways:
                one.url = one.url or str(request.base_url).rstrip("/")
        return found

    def audit(
        self,
        request: Request,
        subject: str,
        text: str,
        *,
        state: Severity = "ok",
        kind: str = "action",
    ) -> EventRow:
        """Record that someone changed something: a line in the log, and an event with the actor.

        `text` is a sentence about the `subject`; it marks names as `Headline.text` does. Events
        that an `OPERATION` causes by itself are not shown.
        """
        now, actor = self.wall(), actor_of(request).name
        row = EventRow(
            id=f"{kind}-{os.getpid()}-{now:.6f}",
            time=now,
            state=state,
            subject=subject,
            text=text,
            actor=actor,
        )
        self.state.actions.append(row)
        if self.events.sinks:
            self.events.emit(OperatorActed(actor, address_of(request), subject, text))
        return row

    async def audited(self, request: Request, subject: str, work: Awaitable[str]) -> str:
        """Await what someone does to a `subject`, and record its outcome.

        An outcome that is not known is recorded as well: without an answer, or if the request ends
        before it. A refusal (4xx) changes nothing and is not recorded.
        """
        outcome = f"**{subject}**: started, and its end is unknown"
        try:
            outcome = await work
        except ConsoleProblem as problem:
            outcome = "" if problem.status < 500 else f"**{subject}**: {problem.detail}"
            raise
        finally:
            if outcome:
                self.audit(request, subject, outcome, kind=OPERATION)
        return outcome

    async def actions(self) -> list[EventRow]:
        """Return the newest actions of people in all processes, oldest first."""
        found = {one.id: one for one in self.state.actions}
        answers = await self.sources.send_each(self.sources.names, ACTIONS_COMMAND)
        for one in answers.values():
            rows: Iterable[list[EventRow]] = one.decoded(list[EventRow])
            found |= {row.id: row for some in rows for row in some}
        return sorted(found.values(), key=lambda row: row.time)
