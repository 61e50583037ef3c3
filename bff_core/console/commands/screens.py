"""The commands of a gateway's process about screens; they need its code and its connections."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from bff_core.console.model import ScreenName
from bff_core.console.origins.cached import LearnedOrigins
from bff_core.console.origins.exchange import ORIGINS, OriginsRequest
from bff_core.console.origins.stored_response import find_origins
from bff_core.console.screens.answers import answers_of
from bff_core.console.screens.exchange import ANSWERS, LIST, PLAN, AnswersRequest, PlanRequest
from bff_core.console.screens.plan import plan_of_screen
from bff_core.console.screens.views import views_of
from bff_core.gateway.app import Gateway
from bff_core.inspection.reader import parts_of
from bff_core.observe.process_socket import Command, InvalidCommand

T = TypeVar("T")


def commands(gateway: Gateway) -> dict[str, Command]:
    """Return the commands of a running gateway.

    Only in development the screens are answered, since that calls the services again.
    """

    async def listed(_: bytes) -> bytes:
        return msgspec.json.encode(_screens(gateway))

    async def plan(wanted: PlanRequest) -> object:
        return plan_of_screen(gateway, wanted.screen)

    found = {LIST: listed, PLAN: _command(PlanRequest, plan)}
    if gateway.settings.env != "development":
        return found
    learned = LearnedOrigins(gateway)

    async def answer(wanted: AnswersRequest) -> object:
        return await answers_of(gateway, wanted, learned)

    async def origins(wanted: OriginsRequest) -> object:
        return await find_origins(gateway, wanted, learned)

    found[ANSWERS] = _command(AnswersRequest, answer)
    found[ORIGINS] = _command(OriginsRequest, origins)
    return found


def _screens(gateway: Gateway) -> list[ScreenName]:
    """Return the screens of a gateway, each with the views that serve it."""
    found: dict[str, ScreenName] = {}
    for screen, view in views_of(gateway):
        name = screen.__name__
        if name not in found:
            found[name] = ScreenName(screen=name, views=[], parts=list(parts_of(screen)))
        found[name].views.append((gateway.config.name, view.title))
    return list(found.values())


def _command(kind: type[T], run: Callable[[T], Awaitable[object]]) -> Command:
    """Return a command that decodes its body and encodes its answer."""

    async def command(body: bytes) -> bytes:
        try:
            wanted = msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError as error:
            raise InvalidCommand(str(error)) from error
        return msgspec.json.encode(await run(wanted))

    return command
