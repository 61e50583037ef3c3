"""Code counts wherever a gateway runs it: mounted apps, sockets, dependencies, calls by text."""

import importlib.util
import sys
from pathlib import Path

import pytest

from bff_core import Settings
from bff_core.contracts.change import Change
from bff_core.contracts.changes import affected
from bff_core.inspection.usage.operation_uses import ContractUsage
from bff_core.inspection.usage.source_readings import SourceReadings

SOURCE = """
from dataclasses import dataclass
from typing import Annotated, Any

from bff_core import ANYONE, Composition, Gateway, Policy, Settings, Upstream, Views, compose
from bff_core import critical, gateway
from fastapi import Depends, FastAPI, Request, WebSocket
from starlette.endpoints import HTTPEndpoint
from starlette.responses import PlainTextResponse
from starlette.routing import Route

BASE = "/v1"


@dataclass
class Product:
    title: str = ""
    note: str = ""
    weight: int = 0
    size: int = 0


class Catalog(Upstream):
    policy = Policy(timeout=1.0)
    prefix = "/v2"

    async def product(self) -> Product:
        return await self.get("/product", Product)

    async def based(self) -> Product:
        return await self.get(f"{BASE}/product", Product)

    async def prefixed(self) -> Product:
        return await self.get(self.prefix + "/product", Product)

    async def chosen(self, name: str) -> Product:
        return await self.get(f"/{name}", Product)


class Page(Composition):
    catalog: Catalog

    @critical
    async def product(self) -> Product:
        return await self.catalog.product()


class Checker:
    async def __call__(self, page: Annotated[Page, Depends(compose(Page))]) -> str:
        return (await page.product()).note


views = Views(access=ANYONE)
inside = FastAPI()


@views.get("/checked")
async def checked(page: Page, note: Annotated[str, Depends(Checker())]) -> str:
    return note


@views.get("/based")
async def based(page: Page) -> str:
    return (await page.catalog.based()).title


@views.get("/prefixed")
async def prefixed(page: Page) -> str:
    return (await page.catalog.prefixed()).title


@views.get("/chosen")
async def chosen(page: Page, name: str) -> str:
    return (await page.catalog.chosen(name)).title


@inside.get("/title")
async def title(request: Request) -> str:
    return (await request.app.state.services[Catalog].product()).title


class Endpoint(HTTPEndpoint):
    async def get(self, request: Request) -> PlainTextResponse:
        product = await request.app.services[Catalog].product()
        return PlainTextResponse(product.note)


def make(settings: Settings) -> Gateway:
    app = gateway("g", faces=[views], settings=settings)
    app.mount("/inside", inside)
    app.router.routes.append(Route("/endpoint", Endpoint))

    @app.websocket("/socket")
    async def socket(socket: WebSocket) -> None:
        await socket.send_text(str((await app.services[Catalog].product()).weight))

    return app
"""


@pytest.fixture(scope="module")
def uses(tmp_path_factory):
    """Return the uses of the project."""
    file = tmp_path_factory.mktemp("places") / "module_of_places.py"
    file.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("module_of_places", file)
    module = sys.modules["module_of_places"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    settings = Settings(env="development", upstreams={"catalog": ["http://catalog.test"]})
    usage = ContractUsage()
    usage.add("g", module.make(settings), SourceReadings(Path(file).parent))
    return [one.use for one in usage.uses()]


@pytest.mark.parametrize(
    ("view", "field"),
    [
        ("g: GET /checked", "note"),
        ("g: /inside/title", "title"),
        ("g: /endpoint", "note"),
        ("g: /socket", "weight"),
    ],
)
def test_code_that_a_gateway_runs_is_read(uses, view, field):
    """A field is used by a dependency, a mounted app, a class of methods, a socket."""
    (use,) = [one for one in uses if view in one.views]

    assert (use.path, use.reads) == ("/product", frozenset({(field,)}))


def test_paths_that_are_made_of_texts_are_known(uses):
    """A path may be made of constants."""
    paths = {view: one.path for one in uses for view in one.views}

    assert paths["g: GET /based"] == "/v1/product"
    assert paths["g: GET /prefixed"] == "/v2/product"


def test_a_path_that_is_chosen_at_run_time_may_be_any(uses):
    """A change of any operation affects a call whose path the source does not show."""
    change = Change(
        "response-property-removed",
        "breaking",
        "the property title was removed",
        "GET /things/{id}",
        "response",
        ("title",),
        "200",
    )
    (hit,) = affected([change], uses)

    assert hit.views == ("g: GET /chosen",)
