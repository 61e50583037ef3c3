"""Redirects within a gateway are relative, whatever Host a client sends."""

from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

from bff_core import Settings, gateway
from bff_core.rest.views import Views
from tests.server.talking import served

pytestmark = pytest.mark.uvloop

HOST = b"localhost:6666"

WITHIN = {
    "/orders": "/orders/",
    "/orders?q=%2F%3F&next=http://localhost:6666/": (
        "/orders/?q=%2F%3F&next=http://localhost:6666/"
    ),
    "/items/": "/items",
    "/items///": "/items",
    "/v1/products": "/v1/products/",
    "/any/caf%C3%A9%20%3F%23/end/": "/any/caf%C3%A9%20%3F%23/end",
    "//evil.example/end/": "/.//evil.example/end",
    "/%2Fevil.example/end/": "/.//evil.example/end",
    "///evil.example/end/": "/.///evil.example/end",
    "/%5Cevil.example/end/": "/%5Cevil.example/end",
    "/mounted": "/mounted/",
    "/mounted/inner": "/mounted/inner/",
    "/files": "/files/",
    "/files/folder": "/files/folder/",
    "/by-name": "/items",
    "/home": "/",
    "/here?a=b": "/?a=b",
}
ELSEWHERE = {
    "/elsewhere": "http://localhost:66667/x",
    "/secure": "https://localhost:6666/x",
    "/other-user": "http://localhost:6666@evil.example/",
    "/relative": "../x",
}


@pytest.fixture
def app(tmp_path: Path):
    """Return a gateway with routes, views, a mounted app, and files."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/index.html").write_text("hello")
    views, inner = Views(prefix="/v1"), FastAPI()

    @views.get("/products/")
    async def products() -> dict[str, int]:
        return {}

    settings = Settings(env="development", log="off", gc_freeze=False)
    made = gateway("moving", settings=settings, faces=[views])
    made.get("/orders/")(products)
    made.get("/items", name="items")(products)
    made.get("/any/{rest:path}/end")(products)
    made.get("/{rest:path}/end")(products)
    inner.get("/inner/")(products)

    @made.get("/by-name")
    async def by_name(request: Request) -> RedirectResponse:
        return RedirectResponse(request.url_for("items"))

    @made.get("/home")
    async def home() -> RedirectResponse:
        return RedirectResponse("http://localhost:6666", 303)

    @made.get("/here")
    async def here(request: Request) -> RedirectResponse:
        return RedirectResponse(f"http://localhost:6666?{request.url.query}", 302)

    for path, location in ELSEWHERE.items():
        made.get(path, response_class=RedirectResponse)(leading_to(location))
    made.mount("/mounted", inner)
    made.mount("/files", StaticFiles(directory=tmp_path, html=True))
    return made


def leading_to(location: str):
    """Return a handler that redirects."""

    async def lead() -> str:
        return location

    return lead


@pytest.mark.parametrize(("path", "location"), (WITHIN | ELSEWHERE).items())
async def test_a_redirect_within_the_gateway_is_relative(app, path, location):
    """A forged Host can't get into a cached redirect."""
    async with served(app) as server:
        answer = await server.say(b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (path.encode(), HOST))

    assert 301 <= answer.status <= 308
    assert answer.fields["location"] == location
