"""The API of the sessions page: sessions, callers near a limit, sagas; and resuming a saga."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff_core.console.answers import answer
from bff_core.console.console import Console
from bff_core.console.model import ActionResult
from bff_core.console.sessions.page import resume, sessions_page


def routes(console: Console) -> list[Route]:
    """Return the routes of this area."""

    async def get(request: Request) -> Response:
        return answer(await sessions_page(console, request.query_params.get("gateway", "")))

    async def resume_saga(request: Request) -> Response:
        names = request.path_params
        resuming = resume(console, names["gateway"], names["id"])
        text = await console.audited(request, names["id"], resuming)
        return answer(ActionResult(text=text))

    return [
        Route("/sessions", get, methods=["GET"]),
        Route("/sagas/{gateway}/{id}/resume", resume_saga, methods=["POST"]),
    ]
