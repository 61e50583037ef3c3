"""Computes what the clients of one gateway get of a screen, also while services fail."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bff_core.composition.part import Part
from bff_core.console.foreign_json import NotDecoded, decode_foreign
from bff_core.console.model import ClientPart, ClientView, MatrixCell, PartState, RequestState
from bff_core.console.model.states import SHOWN_STATES
from bff_core.console.origins.applied import Origins, apply
from bff_core.console.origins.cached import LearnedOrigins
from bff_core.console.origins.learned import Learned, json_of
from bff_core.console.sandbox.sandbox import (
    Sandbox,
    SandboxAnswer,
    open_sandbox,
    takes_demo_viewers,
)
from bff_core.console.screens.exchange import AnswersOfGateway, AnswersRequest
from bff_core.console.screens.outlines import outline
from bff_core.console.screens.plan import plan_of_screen
from bff_core.console.screens.requests import ViewExchange, send_view
from bff_core.console.screens.views import ScreenView, views_of_screen
from bff_core.events.part_states import COMPLETE_STATES
from bff_core.gateway.app import Gateway

MAX_AT_ONCE: Final = 16
"""Requests of one view that run at the same time."""


async def answers_of(
    app: Gateway, wanted: AnswersRequest, learned: LearnedOrigins
) -> AnswersOfGateway:
    """Return what each view of a screen is answered with, and the cells of the matrix.

    The view that needs most parts comes first.
    """
    async with open_sandbox(app) as sandbox:
        answers = _Answers(app, sandbox, wanted, learned)
        views = [one for one in views_of_screen(app, wanted.screen)[1] if one.reads]
        found = await asyncio.gather(*map(answers.of, views))
    merged = AnswersOfGateway()
    for one in sorted(found, key=lambda one: -len(one.seconds)):
        merged.clients += one.clients
        merged.edges += one.edges
        for part, took in one.seconds.items():
            merged.seconds[part] = max(took, merged.seconds.get(part, 0.0))
        for service, cells in one.cells.items():
            merged.cells.setdefault(service, []).extend(cells)
    return merged


@dataclass(frozen=True, slots=True)
class _Answers:
    """Computes the answers of the views of one screen."""

    app: Gateway
    sandbox: Sandbox
    wanted: AnswersRequest
    learned: LearnedOrigins

    async def of(self, view: ScreenView) -> AnswersOfGateway:
        """Return what one view is answered with."""
        viewer = self.wanted.viewer if takes_demo_viewers(self.app) else ""
        usual = await send_view(self.app, self.sandbox, view, viewer, self.wanted.inputs)
        known = await self._learned(usual)
        answer = usual.answer
        if self.wanted.broken:
            answer = await self.sandbox.send(usual.request, broken=frozenset(self.wanted.broken))
        return AnswersOfGateway(
            clients=[_view_of(self.app, view, usual, answer, known)],
            edges=[] if known is None else sorted(known.edges),
            seconds={part.name: part.ended - part.started for part in usual.answer.parts},
            cells=await self._cells(view, usual) if self.wanted.with_matrix else {},
        )

    async def _learned(self, usual: ViewExchange) -> Learned | None:
        if usual.query:
            return self.learned.of_query(usual.path, usual.query)
        request = usual.request
        key = f"{request.target} {request.headers} {self.wanted.viewer}"
        return await self.learned.of_request(key, self.sandbox, request, usual.answer.composed)

    async def _cells(self, view: ScreenView, usual: ViewExchange) -> dict[str, list[MatrixCell]]:
        """Return what a view becomes while each service fails."""
        services = plan_of_screen(self.app, self.wanted.screen).services
        at_once = asyncio.Semaphore(MAX_AT_ONCE)

        async def cell(service: str) -> MatrixCell:
            made = MatrixCell(gateway=self.app.config.name, route=view.title, is_used=False)
            if service in usual.answer.calls.upstreams:
                async with at_once:
                    answer = await self.sandbox.send(usual.request, broken={service})
                made.is_used, made.status = True, answer.status
                made.size, made.state = len(answer.body), state_of(answer)
            return made

        cells = await asyncio.gather(*map(cell, services))
        return {service: [one] for service, one in zip(services, cells, strict=True)}


def _view_of(
    app: Gateway,
    view: ScreenView,
    usual: ViewExchange,
    answer: SandboxAnswer,
    known: Learned | None,
) -> ClientView:
    body = json_of(answer)
    origins = None if known is None or body is None else apply(known, body)
    return ClientView(
        gateway=app.config.name,
        client="",
        route=view.title,
        status=answer.status,
        size=len(answer.body),
        calls=len(answer.calls.received),
        received=sum(answer.calls.received.values()),
        p95=None,
        state=state_of(answer),
        parts=_parts(answer, origins, {} if known is None else known.parts),
        note="; ".join(one for one in (_reason(answer), usual.note) if one),
        part_status=answer.headers.get("part-status", ""),
        took=answer.seconds,
    )


def _parts(
    answer: SandboxAnswer, origins: Origins | None, patterns: Mapping[str, str]
) -> list[ClientPart]:
    """Return the parts that the request needed, in the order in which they started."""
    return [
        ClientPart(
            part=name,
            outline="" if origins is None else outline(origins.values.get(name, ()), patterns),
            sent=None if origins is None else origins.bytes.get(name, 0),
            state=_state(part),
            reason=part.reason,
            age=part.age or None,
        )
        for name, part in _worst_runs(answer.parts).items()
    ]


def _worst_runs(parts: Sequence[Part[Any]]) -> dict[str, Part[Any]]:
    """Return of each part the run that explains its state best."""
    found: dict[str, Part[Any]] = {}
    for part in parts:
        known = found.get(part.name)
        if known is None or _state(known) in COMPLETE_STATES:
            found[part.name] = part
    return found


def _state(part: Part[Any]) -> PartState:
    """Return the state of a part; one that failed has an error."""
    is_failed = part.is_done and part.exception() is not None
    return "failed" if is_failed else SHOWN_STATES[part.state]


def state_of(answer: SandboxAnswer) -> RequestState:
    """Return whether an answer is complete; it has failed if a part that it needs has.

    An answer of GraphQL has the status 200 then, and an error instead of the part.
    """
    states: Collection[str] = [_state(one) for one in _worst_runs(answer.parts).values()]
    if answer.status >= 400 or answer.status == 0 or "failed" in states:
        return "failed"
    return "complete" if COMPLETE_STATES.issuperset(states) else "degraded"


def _reason(answer: SandboxAnswer) -> str:
    """Return why a request was refused; empty if it was not."""
    if answer.status < 400:
        return ""
    try:
        problem = decode_foreign(answer.body)
    except NotDecoded:
        return ""
    if not isinstance(problem, dict):
        return ""
    errors = problem.get("errors")
    first = errors[0].get("message") if isinstance(errors, list) and errors else ""
    return str(problem.get("detail") or problem.get("title") or first)
