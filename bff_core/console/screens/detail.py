"""Builds the page of one screen from what the gateways' processes answer."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from bff_core.console.answers import ConsoleProblem
from bff_core.console.console import Console
from bff_core.console.installation import INFO
from bff_core.console.model import (
    ClientView,
    GatewayInfo,
    MatrixRow,
    PlanNode,
    ScreenDetail,
    ScreenName,
    Severity,
)
from bff_core.console.screens.columns import add_awaited, set_columns
from bff_core.console.screens.exchange import (
    ANSWERS,
    LIST,
    PLAN,
    AnswersOfGateway,
    AnswersRequest,
    PlanOfGateway,
    PlanRequest,
)
from bff_core.console.screens.headline import screen_headline
from bff_core.console.screens.observed import add_observed

T = TypeVar("T")

SCREEN_SECONDS: Final = 20.0
"""How long the answers of one gateway may take; each request of it has its own deadline."""

SMALL_FIRST: Final = ("mobile", "web", "desktop")
"""Kinds of clients in the order of pages; others are after them."""

FIRST_SCREEN: Final = "Home"
"""The screen that a list begins with, if there is one: most projects call their first one so."""

NOT_HERE: Final = "answers are computed in development only"

_SEVERITIES: Final[Mapping[str, Severity]] = {
    "stale": "stale",
    "fallback": "fallback",
    "missing": "missing",
    "forbidden": "missing",
    "failed": "failed",
}


async def screen_names(console: Console) -> list[ScreenName]:
    """Return the screens of all gateways, Home first and the others by name.

    Gateways that are down have none.
    """
    found: dict[str, ScreenName] = {}
    for listed in (await _from_each(console, LIST, None, list[ScreenName])).values():
        for one in listed:
            known = found.setdefault(one.screen, ScreenName(screen=one.screen, views=[]))
            known.views += one.views
            known.parts += [part for part in one.parts if part not in known.parts]
    return [found[name] for name in sorted(found, key=lambda name: (name != FIRST_SCREEN, name))]


async def screen_detail(console: Console, wanted: AnswersRequest) -> ScreenDetail:
    """Return a screen as all gateways use it.

    Raises a `ConsoleProblem`: 404 for an unknown screen, 503 if no gateway answers.
    """
    request = PlanRequest(screen=wanted.screen)
    answered = await _from_each(console, PLAN, request, PlanOfGateway)
    if not answered:
        title = f"No gateway answers what {wanted.screen} is"
        raise ConsoleProblem(503, title, "They are stopped, or busy: try again.")
    plans = {gateway: one for gateway, one in answered.items() if one.views or one.writes}
    if not plans:
        title, what = "No such screen", f"No gateway that answers has a screen {wanted.screen}"
        raise ConsoleProblem(404, title, f"{what}: choose one of the list.")
    answers: Mapping[str, AnswersOfGateway] = {}
    reading = [gateway for gateway, one in plans.items() if one.views]
    if console.is_development and reading:
        answers = await _from_each(console, ANSWERS, wanted, AnswersOfGateway, reading)
    nodes = _nodes(plans, answers)
    clients = await _clients(console, plans, answers)
    await add_observed(console, list(plans), wanted.screen, nodes, clients)
    routes = [one.explain for one in plans.values() if "'Query." not in one.explain]
    return ScreenDetail(
        screen=wanted.screen,
        headline=screen_headline(wanted.screen, nodes, _seconds(answers), clients, wanted.broken),
        plan=nodes,
        clients=clients,
        explain=(routes or [one.explain for one in plans.values()])[0],
        has_matrix=wanted.with_matrix and bool(answers),
        matrix=_matrix(nodes, answers) if wanted.with_matrix else [],
        broken=wanted.broken,
        writes=[(gateway, route) for gateway, one in plans.items() for route in one.writes],
    )


async def _from_each(
    console: Console, command: str, body: object, kind: type[T], gateways: Sequence[str] = ()
) -> dict[str, T]:
    """Return what one process of each gateway answers, without gateways that do not answer."""
    names, sent = gateways or console.sources.names, msgspec.json.encode(body)
    found = await asyncio.gather(
        *(console.sources.send_one(one, command, sent, seconds=SCREEN_SECONDS) for one in names),
        return_exceptions=True,
    )
    answered: dict[str, T] = {}
    for name, one in zip(names, found, strict=True):
        if isinstance(one, bytes):
            answered[name] = msgspec.json.decode(one, type=kind)
        elif not isinstance(one, ConsoleProblem):
            raise one
    return answered


def _nodes(
    plans: Mapping[str, PlanOfGateway], answers: Mapping[str, AnswersOfGateway]
) -> list[PlanNode]:
    """Return the parts of a screen, with what they follow on any gateway."""
    nodes: dict[str, PlanNode] = {}
    for plan in plans.values():
        for node in plan.nodes:
            known = nodes.setdefault(node.part, node)
            known.awaits = list(dict.fromkeys([*known.awaits, *node.awaits]))
    for gateway, plan in plans.items():
        answered = answers.get(gateway)
        add_awaited(list(nodes.values()), plan.edges if answered is None else answered.edges)
    set_columns(list(nodes.values()))
    found = sorted(nodes.values(), key=lambda one: one.column)
    for one in answers.values():
        for part in (part for client in one.clients for part in client.parts):
            if part.part in nodes and part.state is not None and part.state != "ok":
                nodes[part.part].state = _SEVERITIES[part.state]
    return found


def _seconds(answers: Mapping[str, AnswersOfGateway]) -> dict[str, float]:
    """Return how long each part took at most."""
    found: dict[str, float] = {}
    for one in answers.values():
        for part, took in one.seconds.items():
            found[part] = max(took, found.get(part, 0.0))
    return found


async def _clients(
    console: Console,
    plans: Mapping[str, PlanOfGateway],
    answers: Mapping[str, AnswersOfGateway],
) -> list[ClientView]:
    """Return what each view is answered with and the kind of its clients, small ones first."""
    infos = await _from_each(console, INFO, None, GatewayInfo, list(plans))
    found: list[ClientView] = []
    for gateway, plan in plans.items():
        answered = answers.get(gateway)
        if answered is not None:
            views = answered.clients
        else:
            note = "it did not answer in time" if console.is_development else NOT_HERE
            views = [_without_answer(gateway, title, note) for title in plan.views]
        for one in views:
            one.client = infos[gateway].client if gateway in infos else ""
        found += views
    return sorted(found, key=_size_of_client)


def _size_of_client(view: ClientView) -> int:
    is_known = view.client in SMALL_FIRST
    return SMALL_FIRST.index(view.client) if is_known else len(SMALL_FIRST)


def _without_answer(gateway: str, route: str, note: str) -> ClientView:
    return ClientView(
        gateway=gateway,
        client="",
        route=route,
        status=0,
        size=None,
        calls=None,
        received=None,
        p95=None,
        state=None,
        note=note,
    )


def _matrix(nodes: Sequence[PlanNode], answers: Mapping[str, AnswersOfGateway]) -> list[MatrixRow]:
    """Return a row for each service; the cells are in the order of the clients."""
    parts: dict[str, list[str]] = {}
    for node in nodes:
        for service in node.upstreams:
            parts.setdefault(service, []).append(node.part)
    return [
        MatrixRow(
            upstream=service,
            parts=names,
            cells=[cell for one in answers.values() for cell in one.cells.get(service, [])],
        )
        for service, names in parts.items()
    ]
