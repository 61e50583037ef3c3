"""A gateway has the services that the screens of its faces and sagas use."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import pytest
import strawberry
from fastapi import APIRouter, Depends, FastAPI

from bff_core import (
    ANYONE,
    Composition,
    ConfigurationError,
    Gateway,
    Policy,
    ResponseCache,
    Saga,
    Upstream,
    Viewer,
    Views,
    access,
    compose,
    critical,
    gateway,
    step,
)
from bff_core.events import Crashed, Events
from bff_core.graphql import GraphQL, Info
from bff_core.policy.upstream.cache import Cache
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply
from tests.startup.conftest import settings


class Catalog(Upstream):
    """A service of a screen."""

    async def title(self) -> str:
        return await self.get("/title", str)


class Prices(Upstream):
    """A service of a screen above another."""

    policy = Policy(cache=Cache(ttl=60))


class Payments(Upstream):
    """A service of a saga."""


class Stock(Upstream):
    """A service of nothing."""


class Shelf(Composition):
    """A screen that others extend."""

    prices: Prices


class Page(Shelf):
    """A screen with a service of its own, and those of its parent."""

    catalog: Catalog

    @critical
    async def title(self) -> str:
        return await self.catalog.title()


class Row(Composition):
    """A screen that is made for another."""

    page: Page
    stock: Stock


class Buy(Saga):
    """A saga with a service."""

    payments: Payments

    @step
    async def pay(self) -> int:
        return 1


async def show(page: Page) -> str:
    """Show a title."""
    return await page.title()


def views_with(endpoint: Any = show) -> Views:
    """Return views with one view."""
    views = Views(access=ANYONE)
    views.get("/x")(endpoint)
    return views


def made(**options: Any) -> Gateway:
    """Return a gateway with addresses of all services."""
    names = ("catalog", "prices", "payments", "stock")
    addresses = dict.fromkeys(names, ("http://127.0.0.1:1",))
    script = Scripted(reply(200, "A tent"))
    return gateway(
        "shop",
        settings=settings(upstreams=addresses, journal_url="sqlite://"),
        transport=lambda *_: ScriptedTransport({"127.0.0.1": script}),
        **options,
    )


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Run an app, with a client in front of it."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield client


async def by_dependency(title: Annotated[str, Depends(compose(Page))]) -> str:
    """Take a screen by a dependency."""
    return str(title)


async def deeper(title: Annotated[str, Depends(by_dependency)]) -> str:
    """Take a screen by the dependency of a dependency."""
    return title


def router_in_views() -> Views:
    """Return views whose router includes another."""
    router = APIRouter()
    router.get("/inner")(by_dependency)
    views = Views(access=ANYONE)
    views.router.include_router(router)
    return views


async def stream(page: Page) -> AsyncIterator[str]:
    """Stream a title."""
    yield await page.title()


def streams() -> Views:
    """Return views with a stream."""
    views = Views(access=ANYONE)
    views.stream("/x")(stream)
    return views


def private_field() -> GraphQL:
    """Return a schema whose type holds a screen."""

    @strawberry.type
    class Query:
        page: strawberry.Private[Page]

        @strawberry.field
        def x(self) -> int:
            return 1

    return GraphQL(strawberry.Schema(Query))


@pytest.mark.parametrize(
    "face",
    [views_with(), views_with(by_dependency), views_with(deeper), router_in_views(), streams(),
     private_field()],
    ids=["view", "dependency", "dependency of one", "router", "stream", "GraphQL"],
)  # fmt: skip
def test_services_of_faces_are_found(face):
    """Those of a screen and of the screens that it extends, in the order of its fields."""
    assert list(made(faces=[face]).services) == [Prices, Catalog]


def test_given_services_come_first_and_sagas_last():
    """The order is the same at each start, and no service is there twice."""
    app = made(services=[Stock, Catalog], faces=[views_with()], sagas=[Buy])

    assert list(app.services) == [Stock, Catalog, Prices, Payments]


def test_services_of_a_screen_within_another_are_found():
    """A screen may be an input of another."""

    @strawberry.type
    class Query:
        row: strawberry.Private[Row]

        @strawberry.field
        def x(self) -> int:
            return 1

    app = made(faces=[GraphQL(strawberry.Schema(Query))])

    assert list(app.services) == [Stock, Prices, Catalog]


async def test_found_services_are_called_and_cached():
    """They are like listed ones: their policies count, and their stacks can be shown."""
    app = made(faces=[views_with()])

    async with running(app) as client:
        answer = await client.get("/x")
        assert app.has_cache
        assert "cache" in repr(app.services[Prices])

    assert answer.json() == "A tent"


def test_found_service_needs_an_address():
    """The error names the variable to set."""
    with pytest.raises(ConfigurationError, match="BFF_UPSTREAM_PRICES is not set"):
        gateway("shop", faces=[views_with()], settings=settings())


def test_policy_file_knows_found_services(tmp_path):
    """A policy file may change the policy of a service that no list names."""
    file = tmp_path / "policies.toml"
    file.write_text("[catalog]\ntimeout = 0.125\n")
    addresses = dict.fromkeys(("catalog", "prices"), ("http://127.0.0.1:1",))

    app = gateway(
        "shop",
        faces=[views_with()],
        settings=settings(upstreams=addresses, policies=str(file)),
    )

    assert app.config.policies.read()[Catalog].timeout == 0.125


def other_service(service: str) -> type[Upstream]:
    """Return another service of this name."""

    class Other(Upstream):
        """Another service."""

        name = service

    return Other


@pytest.mark.parametrize("name", ["catalog", "Catalog"])
def test_two_services_with_one_name_are_refused(name):
    """They would share an address; the error names both classes."""
    other = other_service(name)

    with pytest.raises(ConfigurationError) as caught:
        made(services=[other], faces=[views_with()])

    assert f"{__name__}.other_service.<locals>.Other and {__name__}.Catalog" in str(caught.value)
    assert "are both named 'catalog'" in str(caught.value)


def test_names_that_differ_in_the_hyphen_only_are_refused():
    """A variable can't have one, so that both would have the same."""
    services = [other_service("price-list"), other_service("price_list")]

    with pytest.raises(ConfigurationError, match="one address, BFF_UPSTREAM_PRICE_LIST"):
        made(services=services, faces=[])


@pytest.mark.parametrize("included", [False, True])
async def test_route_that_is_added_later_needs_its_services_listed(included):
    """The start fails and names the field, the route and what to write."""
    app = made(faces=[])
    added = access(ANYONE)(by_dependency)
    if included:
        router = APIRouter()
        router.get("/later")(added)
        app.include_router(router)
    else:
        app.get("/later")(added)

    with pytest.raises(ConfigurationError) as caught:
        async with running(app):
            pass

    message = str(caught.value)
    assert message.startswith(f"GET /later ({__name__}.by_dependency): Page.")
    assert "gateway(..., services=[" in message


async def test_route_that_is_added_later_may_use_what_the_gateway_has():
    """Its services are those of a face, or listed."""
    app = made(services=[Catalog, Prices])

    @app.get("/later")
    @access(ANYONE)
    async def later(page: Annotated[Page, Depends(compose(Page))]) -> str:
        return await page.title()

    async with running(app) as client:
        answer = await client.get("/later")

    assert answer.json() == "A tent"


async def test_saga_of_a_route_that_is_added_later_has_to_be_listed():
    """Its steps need a journal."""
    app = made(services=[Payments])
    app.post("/later")(late_saga)

    with pytest.raises(ConfigurationError, match=r"Buy is a saga: add it to the gateway's sagas"):
        async with running(app):
            pass


@access(ANYONE)
async def late_saga(buy: Annotated[Buy, Depends(compose(Buy))]) -> int:
    """Take a saga on a plain route."""
    await buy.run()
    return await buy.pay()


@access(ANYONE)
async def from_body(viewer: Viewer) -> str:
    """Take a viewer on a plain route, which reads it from the body."""
    return viewer.subject


async def test_plain_route_that_reads_a_viewer_from_the_body_stops_the_start():
    """Any client could send itself as another viewer."""
    app = made()
    app.post("/later")(from_body)

    with pytest.raises(
        ConfigurationError, match=r"POST /later \(.*from_body\): viewer is a Viewer"
    ):
        async with running(app):
            pass


class Cached(Composition):
    """A screen that needs a cache."""

    cache: ResponseCache
    stock: Stock


def test_screen_that_needs_a_cache_is_still_checked():
    """No policy caches, so there is no cache to inject."""

    async def take(page: Cached) -> int:
        return 1

    with pytest.raises(ConfigurationError, match=r"Cached\.cache"):
        made(faces=[views_with(take)])


@strawberry.type
class Hidden:
    """A schema whose resolver composes a screen itself."""

    @strawberry.field
    @access(ANYONE)
    async def title(self, info: Info) -> str | None:
        return await info.context.compose(Page).title()


async def test_screen_of_a_resolver_needs_its_services_listed():
    """The gateway can't look into resolvers: the first use says what to write."""
    heard: list[Any] = []
    app = made(faces=[GraphQL(strawberry.Schema(Hidden))], events=Events(heard.append))
    listed = made(faces=[GraphQL(strawberry.Schema(Hidden))], services=[Catalog, Prices])

    async with running(app) as client:
        failed = await client.post("/graphql", json={"query": "{ title }"})
    async with running(listed) as client:
        answer = await client.post("/graphql", json={"query": "{ title }"})

    assert failed.json()["data"] == {"title": None}
    [crash] = [one for one in heard if isinstance(one, Crashed)]
    assert "Page.prices needs Prices" in str(crash)
    assert "gateway(..., services=[Prices])" in str(crash)
    assert answer.json()["data"] == {"title": "A tent"}
