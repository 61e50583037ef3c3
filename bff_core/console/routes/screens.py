"""The API of screens: which there are, and one as its plan, its clients and its failure matrix."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff_core.console.answers import ConsoleProblem, answer, read_json
from bff_core.console.console import Console
from bff_core.console.model import BreakServices
from bff_core.console.screens.detail import screen_detail, screen_names
from bff_core.console.screens.exchange import FIRST_VIEWER, AnswersRequest

MAX_BROKEN: Final = 50
"""Services that may fail at the same time."""


def routes(console: Console) -> list[Route]:
    """Return the routes of this area.

    `viewer` is a user id of the demo authenticator; other parameters of the query are inputs of
    the screen, such as `?product_id=8`.
    """

    async def list_screens(_: Request) -> Response:
        return answer(await screen_names(console))

    async def get(request: Request) -> Response:
        return answer(await screen_detail(console, _wanted(request)))

    async def compute_matrix(request: Request) -> Response:
        _check_development(console)
        wanted = _wanted(request)
        wanted.with_matrix = True
        return answer(await screen_detail(console, wanted))

    async def break_services(request: Request) -> Response:
        _check_development(console)
        wanted = _wanted(request)
        wanted.broken = (await read_json(request, BreakServices)).broken[:MAX_BROKEN]
        return answer(await screen_detail(console, wanted))

    return [
        Route("/screens", list_screens, methods=["GET"]),
        Route("/screens/{name}", get, methods=["GET"]),
        Route("/screens/{name}/matrix", compute_matrix, methods=["POST"]),
        Route("/screens/{name}/break", break_services, methods=["POST"]),
    ]


def _wanted(request: Request) -> AnswersRequest:
    inputs = dict(request.query_params)
    viewer = inputs.pop("viewer", FIRST_VIEWER)
    return AnswersRequest(screen=request.path_params["name"], viewer=viewer, inputs=inputs)


def _check_development(console: Console) -> None:
    """Raise a `ConsoleProblem` (403) in production: services are called again for it."""
    if not console.is_development:
        raise ConsoleProblem(
            403,
            "Only in development",
            "A failure matrix calls the services again: compute it where `bff dev` runs.",
        )
