"""Views by label: routes and root fields of GraphQL, with their screens and objectives."""

import asyncio

import pytest
import strawberry

from bff_core import ANYONE, Gateway, Settings, Views, access, gateway, objective
from bff_core.events import Events
from bff_core.graphql import GraphQL, Info, ShapeOf, part, screen
from bff_core.observe.metrics.samples import SamplesQuery
from bff_core.observe.metrics.sink import MetricsSink
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, ScriptedTransport, Step, fail, reply
from tests.observe.metrics.shelf import ADDRESSES, Catalog, Reviews, Shelf, ShelfOf
from tests.observe.metrics.test_scrape import values

pytestmark = pytest.mark.virtual_time


class WebShelf(ShapeOf[Shelf], name="Shelf"):
    """The screen as browsers get it."""

    title: str = part(Shelf.title)
    rating: int = part(Shelf.rating)


@strawberry.type
class Query:
    """The root."""

    shelf: WebShelf | None = screen(
        Shelf, WebShelf.of, access=ANYONE, objective="complete 99 %, ≤ 1 s"
    )

    @strawberry.field
    @access(ANYONE)
    def hello(self, info: Info) -> str:
        """Return a text."""
        return "Hello"


views = Views(access=ANYONE)


@objective("≤ 1 s")
@views.get("/above")
async def get_above() -> str:
    """Answer."""
    return "above"


@views.get("/below")
@objective("≤ 2 s")
async def get_below(shelf: ShelfOf) -> str:
    """Answer."""
    return await shelf.title()


@views.post("/option", objective="complete 90 %")
async def post_option() -> str:
    """Answer."""
    return "option"


def web(catalog: Step, reviews: Step) -> Gateway:
    """Return a gateway with both faces, over two scripted services."""
    transport = ScriptedTransport({"10.0.0.1": Scripted(catalog), "10.0.0.2": Scripted(reviews)})
    return gateway(
        "web",
        services=[Catalog, Reviews],
        faces=[views, GraphQL(strawberry.Schema(Query))],
        settings=Settings(env="development", log="off", upstreams=ADDRESSES),
        transport=lambda *_: transport,
        events=Events(MetricsSink()),
        clock=asyncio.get_running_loop().time,
    )


async def test_each_view_has_its_screen_and_its_objective():
    """A decorator may stand above or below the route; FastAPI's own routes are listed, too."""
    app = web(reply(200, "A tent"), reply(200, 4))
    async with running(app):
        found = app.metrics.process.samples(SamplesQuery()).views

    expected = {
        "GET /above": ("", "≤ 1 s"),
        "GET /below": ("Shelf", "≤ 2 s"),
        "POST /option": ("", "complete 90 %"),
        "query shelf": ("Shelf", "complete 99 %, ≤ 1 s"),
        "query hello": ("", ""),
        "POST /graphql": ("", ""),
        "GET /openapi.json": ("", ""),
    }
    assert {label: (found[label].screen, found[label].objective) for label in expected} == expected


@pytest.mark.parametrize(
    ("catalog", "reviews", "states"),
    [
        (reply(200, "A tent"), reply(200, 4), {"shelf": "complete", "hello": "complete"}),
        (reply(200, "A tent"), fail(), {"shelf": "degraded", "hello": "degraded"}),
        (fail(), reply(200, 4), {"shelf": "failed", "hello": "degraded"}),
    ],
)
async def test_answers_are_counted_for_each_root_field(catalog, reviews, states):
    """A field that is null since a service failed has failed, although the status is 200."""
    app = web(catalog, reviews)
    fields = "a: shelf { title rating } b: shelf { title } ...F __typename"
    query = "{ " + fields + " } fragment F on Query { hello }"
    async with running(app) as client:
        await client.post("/graphql", json={"query": query})
        await client.post("/graphql", json={"query": "{ nothing }"})
        _, text = await app.metrics.scrape("")

    assert values(text.decode(), "bff_graphql_fields_total") == {
        ("query", name, state): 1 for name, state in states.items()
    }
    outcome = "good" if states["shelf"] == "complete" else states["shelf"]
    assert values(text.decode(), "bff_objective_answers_total")["query shelf", outcome] == 1
    blamed = {labels[:3] for labels in values(text.decode(), "bff_blame_total")}
    culprits = {
        "complete": set(),
        "degraded": {("rating", "reviews")},
        "failed": {("title", "catalog")},
    }[states["shelf"]]
    assert {one[1:] for one in blamed if one[0] == "query shelf"} == culprits
