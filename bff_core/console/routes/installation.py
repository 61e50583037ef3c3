"""The API about the console itself: what it looks at, and what this browser may do."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff_core.console.answers import answer
from bff_core.console.console import Console


def routes(console: Console) -> list[Route]:
    """Return the routes of this area."""

    async def get(request: Request) -> Response:
        return answer(await console.installation(request))

    return [Route("/installation", get, methods=["GET"])]
