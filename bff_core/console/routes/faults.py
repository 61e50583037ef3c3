"""The API of the faults: breaks mock services, stops and starts processes, and shows the effect."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff_core.console.answers import ConsoleProblem, answer, read_json
from bff_core.console.console import Console
from bff_core.console.development import Development
from bff_core.console.faults.control import (
    MAX_LATENCY,
    FaultControl,
    FaultsRefused,
    NoFaultControl,
)
from bff_core.console.faults.headline import effect_of, faults_headline
from bff_core.console.faults.watched_screen import WatchedScreen
from bff_core.console.model import FaultCard, FaultsPage, Live, SetFaults, Severity

MAX_SPREAD: Final = 5.0

REPORT_SECONDS: Final = 2.0
"""Changes of a service's faults within this time are one event: sliders send many."""

MIN_EFFECT: Final = 0.001
"""Smaller latencies (seconds) and shares have no effect that anyone sees."""


def routes(console: Console) -> list[Route]:
    """Return the routes of this area; none where `bff dev` does not run the services."""
    run = console.run
    if run is None:
        return []
    api = _FaultsAPI(console, run, FaultControl(run.client, run.effects), WatchedScreen(console))
    console.live.add(api.contribute)
    return [
        Route("/faults", api.get, methods=["GET"]),
        Route("/faults/{service}", api.put, methods=["PUT"]),
        Route("/faults/{service}", api.delete, methods=["DELETE"]),
        Route("/processes/{name}/start", api.start, methods=["POST"]),
        Route("/processes/{name}/stop", api.stop, methods=["POST"]),
    ]


@dataclass
class _FaultsAPI:
    console: Console
    run: Development
    control: FaultControl
    watched: WatchedScreen
    cards: dict[str, FaultCard] = field(default_factory=dict)
    """The cards as they were read last; pages get them live when one changes."""

    sent: list[FaultCard] = field(default_factory=list)

    changed: dict[str, tuple[Request, FaultCard]] = field(default_factory=dict)
    """The newest change of each service that is no event yet."""

    async def get(self, _: Request) -> Response:
        cards, _done = await asyncio.gather(
            self.control.cards(self.run.processes()), self.watched.refresh()
        )
        self.cards = {one.service: one for one in cards}
        clients, screen = self.watched.clients, self.watched.screen
        headline = faults_headline(cards, clients, screen)
        page = FaultsPage(
            headline=headline,
            cards=cards,
            screen=screen,
            clients=clients,
            critical=self.watched.critical,
            optional=self.watched.optional,
        )
        return answer(page)

    async def put(self, request: Request) -> Response:
        service = self.run.service(request.path_params["service"])
        wanted = _checked(await read_json(request, SetFaults))
        try:
            card = await self.control.put(service, wanted)
        except FaultsRefused as error:
            title = f"{service.name} refuses these faults"
            raise ConsoleProblem(422, title, f"{error}.") from None
        except NoFaultControl as error:
            raise ConsoleProblem(409, f"{service.name} takes no faults", f"{error}.") from None
        return self._answer_changed(request, card)

    async def delete(self, request: Request) -> Response:
        service = self.run.service(request.path_params["service"])
        try:
            card = await self.control.clear(service)
        except NoFaultControl as error:
            raise ConsoleProblem(409, f"{service.name} takes no faults", f"{error}.") from None
        return self._answer_changed(request, card)

    async def start(self, request: Request) -> Response:
        return self._set_running(request, self.run.start, "started", "ok")

    async def stop(self, request: Request) -> Response:
        return self._set_running(request, self.run.stop, "stopped", "missing")

    async def contribute(self, live: Live, is_new: bool) -> None:  # of `Contribute`
        """Add the cards to a live message if one has changed, or for a new page."""
        cards = [self._now(one) for one in self.cards.values()]
        if is_new:
            live.faults = cards or None
        elif cards != self.sent:
            live.faults = self.sent = cards

    def _set_running(
        self, request: Request, change: Callable[[str], None], done: str, state: Severity
    ) -> Response:
        name = request.path_params["name"]
        self.run.process(name)
        change(name)
        self.console.audit(request, name, f"**{name}** was {done}", state=state)
        return answer(self.run.process(name))

    def _answer_changed(self, request: Request, card: FaultCard) -> Response:
        self.cards[card.service] = card
        if card.service not in self.changed:
            self.console.background.spawn(self._report(card.service))
        self.changed[card.service] = request, card
        return answer(card)

    async def _report(self, service: str) -> None:
        """Record the newest change of a service's faults after a while."""
        await asyncio.sleep(REPORT_SECONDS)
        request, card = self.changed.pop(service)
        effect = effect_of(card)
        text = f"**{service}** {effect or 'has no faults any more'}"
        self.console.audit(request, service, text, state="missing" if effect else "ok")

    def _now(self, card: FaultCard) -> FaultCard:
        """Return a card with the state of its process; a process that was stopped has no faults."""
        now = self.run.process(card.service)
        if now.state == card.state:
            return card
        return FaultCard(
            service=card.service,
            port=card.port,
            state=now.state,
            takes_faults=False,
            since=now.since,
        )


def _checked(wanted: SetFaults) -> SetFaults:
    """Return faults that a service takes; raises `ConsoleProblem` (422)."""
    shares = {"errors": wanted.errors, "hang": wanted.hang, "garbage": wanted.garbage}
    for name, share in shares.items():
        _check(name, share, "", 1)
    _check("latency", wanted.latency, " s", MAX_LATENCY)
    _check("spread", wanted.spread, "", MAX_SPREAD)
    return wanted


def _check(name: str, value: float, unit: str, limit: float) -> None:
    if value and not MIN_EFFECT <= value <= limit:
        given = f"Give 0 for none, or {MIN_EFFECT:g} to {limit:g}{unit}, not {value:g}."
        raise ConsoleProblem(422, f"{name} is out of range", given)
