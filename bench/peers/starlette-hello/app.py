"""A minimal Starlette application, the comparison for answers from the cache."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def hello(_: Request) -> JSONResponse:
    """Answer."""
    return JSONResponse({"hello": "world"})


app = Starlette(routes=[Route("/screen/{user_id}", hello)])
