"""The least that a Starlette application does; answers from the cache are measured against it."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def hello(_: Request) -> JSONResponse:
    """Answer."""
    return JSONResponse({"hello": "world"})


app = Starlette(routes=[Route("/screen/{user_id}", hello)])
