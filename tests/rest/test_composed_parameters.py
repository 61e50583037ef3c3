"""Compositions as parameters of views, and their inputs: path, query, header, cookie and body."""

from __future__ import annotations  # as many projects have it: annotations are text here

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Body, Cookie, Depends, Form, Header, Path, Query
from msgspec import Meta, Struct
from openapi_spec_validator import validate
from pydantic import BaseModel, Field
from shop import Catalog, Product, ProductPage

from bff_core import (
    ANYONE,
    Composition,
    ConfigurationError,
    ResponseCache,
    Saga,
    Settings,
    Viewer,
    Views,
    access,
    compose,
    gateway,
    step,
)
from tests.rest.conformance.three_ways import Ask, gateway_of, is_compiled


class Search(Composition):
    """A screen with an input of every place that fits into an address."""

    shop: str
    number: Annotated[int, Path(ge=1)]
    words: Annotated[list[str], Query(max_length=2)] = field(default_factory=list)
    page_size: int = 10
    language: Annotated[str, Header(alias="X-Language", max_length=5)] = "en"
    theme: Annotated[str, Cookie()] = "light"

    def found(self) -> dict[str, Any]:
        return {
            "shop": self.shop,
            "number": self.number,
            "words": self.words,
            "page_size": self.page_size,
            "language": self.language,
            "theme": self.theme,
        }


class Plain(Composition):
    """A screen whose inputs the fast path reads."""

    number: Annotated[int, Path(ge=1)]
    page_size: Annotated[int, Query(le=50)] = 10
    language: Annotated[str, Header(alias="X-Language", max_length=5)] = "en"

    def found(self) -> dict[str, Any]:
        return {"number": self.number, "page_size": self.page_size, "language": self.language}


@dataclass
class Line:
    """A dataclass as a client sends it."""

    sku: str
    quantity: Annotated[int, Field(ge=1, le=9)]


class StructLine(Struct, rename={"quantity": "count"}, forbid_unknown_fields=True):
    """A Struct as a client sends it."""

    sku: str
    quantity: Annotated[int, Meta(ge=1, le=9)]
    gifts: list[Gift] = []


class Gift(Struct, tag="gift"):
    """A Struct within another."""

    name: str


class ModelLine(BaseModel):
    """A model as a client sends it."""

    sku: str
    quantity: int = Field(alias="count", ge=1, le=9)


class Desk(Composition):
    """A screen that takes a dataclass as the body."""

    line: Line

    def found(self) -> list[Any]:
        return [type(self.line).__name__, self.line.sku, self.line.quantity]


class StructDesk(Composition):
    """A screen that takes a Struct as the body."""

    line: StructLine

    def found(self) -> list[Any]:
        gifts = [(type(one).__name__, one.name) for one in self.line.gifts]
        return [type(self.line).__name__, self.line.sku, self.line.quantity, gifts]


class ModelDesk(Composition):
    """A screen that takes a model, and a second value, in one body."""

    line: ModelLine
    note: Annotated[str, Body(alias="the-note", max_length=5)] = ""

    def found(self) -> list[Any]:
        return [type(self.line).__name__, self.line.sku, self.line.quantity, self.note]


class EmbeddedDesk(Composition):
    """A screen that takes one value of an object."""

    method_id: Annotated[str, Body(embed=True, min_length=2)]

    def found(self) -> list[Any]:
        return [self.method_id]


class FormDesk(Composition):
    """A screen that takes a form."""

    sku: Annotated[str, Form()]
    quantity: Annotated[int, Form(le=9)] = 1

    def found(self) -> list[Any]:
        return [self.sku, self.quantity]


WAYS = ("the fast path", "the slow path", "a plain route")


@asynccontextmanager
async def served(way: str, screen: Any, method: str, path: str) -> AsyncIterator[Any]:
    """Serve a screen by a view on one of its ways, or by a plain route of FastAPI."""
    views = Views(access=ANYONE)
    if way != "a plain route":
        getattr(views, method.lower())(path)(view_of(screen))
    app = gateway_of(views, [])
    if way == "a plain route":
        app.add_api_route(path, plain_route(screen), methods=[method])
    if way == "the slow path":
        app.add_middleware(lambda app: app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield app, client


def view_of(screen: Any) -> Callable[..., Any]:
    async def show(page) -> Any:
        return page.found()

    show.__annotations__["page"] = screen
    return show


def plain_route(screen: Any) -> Callable[..., Any]:
    async def show(page) -> Any:
        return page.found()

    show.__annotations__["page"] = Annotated[screen, Depends(compose(screen))]
    return access(ANYONE)(show)


REQUESTS = {
    "every place": (
        Search,
        Ask(
            "/north/7?words=red&words=tent&page_size=3",
            options={"headers": {"X-Language": "de", "Cookie": "theme=dark"}},
        ),
        "/{shop}/{number}",
        {
            "shop": "north",
            "number": 7,
            "words": ["red", "tent"],
            "page_size": 3,
            "language": "de",
            "theme": "dark",
        },
    ),
    "defaults": (
        Search,
        Ask("/north/7"),
        "/{shop}/{number}",
        {
            "shop": "north",
            "number": 7,
            "words": [],
            "page_size": 10,
            "language": "en",
            "theme": "light",
        },
    ),
    "what the fast path reads": (
        Plain,
        Ask("/7?page_size=3", is_compiled=True, options={"headers": {"X-Language": "de"}}),
        "/{number}",
        {"number": 7, "page_size": 3, "language": "de"},
    ),
    "a dataclass": (
        Desk,
        Ask("/lines", "POST", options={"json": {"sku": "tent", "quantity": 2}}),
        "/lines",
        ["Line", "tent", 2],
    ),
    "a Struct": (
        StructDesk,
        Ask(
            "/lines",
            "POST",
            options={
                "json": {"sku": "tent", "count": 2, "gifts": [{"type": "gift", "name": "rope"}]}
            },
        ),
        "/lines",
        ["StructLine", "tent", 2, [["Gift", "rope"]]],
    ),
    "a model and a value": (
        ModelDesk,
        Ask(
            "/lines",
            "PUT",
            options={"json": {"line": {"sku": "tent", "count": 2}, "the-note": "now"}},
        ),
        "/lines",
        ["ModelLine", "tent", 2, "now"],
    ),
    "an embedded value": (
        EmbeddedDesk,
        Ask("/lines", "PATCH", options={"json": {"method_id": "card"}}),
        "/lines",
        ["card"],
    ),
    "a form": (
        FormDesk,
        Ask("/lines", "POST", options={"data": {"sku": "tent", "quantity": "3"}}),
        "/lines",
        ["tent", 3],
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", REQUESTS)
async def test_inputs_of_a_screen_are_read_from_the_request(way, name):
    """Wherever an input is in the request, a view and a plain route read it alike."""
    screen, ask, path, expected = REQUESTS[name]

    async with served(way, screen, ask.method, path) as (app, client):
        if way == "the fast path":
            assert is_compiled(app, ask) == ask.is_compiled
        answer = await client.request(ask.method, ask.path, **ask.options)

    assert (answer.status_code, answer.json()) == (200, expected)


WRONG = {
    "path": (Plain, Ask("/0"), "/{number}", ("path", "/number")),
    "query": (Plain, Ask("/7?page_size=51"), "/{number}", ("query", "/page_size")),
    "header": (
        Plain,
        Ask("/7", options={"headers": {"X-Language": "german"}}),
        "/{number}",
        ("header", "/X-Language"),
    ),
    "cookie": (
        Search,
        Ask("/n/7?words=a&words=b&words=c"),
        "/{shop}/{number}",
        ("query", "/words"),
    ),
    "dataclass": (
        Desk,
        Ask("/lines", "POST", options={"json": {"sku": "tent", "quantity": 10}}),
        "/lines",
        ("body", "/quantity"),
    ),
    "Struct": (
        StructDesk,
        Ask("/lines", "POST", options={"json": {"sku": "tent", "count": 10}}),
        "/lines",
        ("body", "/count"),
    ),
    "nested Struct": (
        StructDesk,
        Ask(
            "/lines", "POST", options={"json": {"sku": "tent", "count": 1, "gifts": [{"name": 1}]}}
        ),
        "/lines",
        ("body", "/gifts/0/type"),
    ),
    "unknown field of a Struct": (
        StructDesk,
        Ask("/lines", "POST", options={"json": {"sku": "tent", "count": 1, "price": 0}}),
        "/lines",
        ("body", "/price"),
    ),
    "model": (
        ModelDesk,
        Ask("/lines", "POST", options={"json": {"line": {"sku": "tent"}}}),
        "/lines",
        ("body", "/line/count"),
    ),
    "alias": (
        ModelDesk,
        Ask(
            "/lines",
            "POST",
            options={"json": {"line": {"sku": "tent", "count": 1}, "the-note": "too long"}},
        ),
        "/lines",
        ("body", "/the-note"),
    ),
    "embedded": (
        EmbeddedDesk,
        Ask("/lines", "POST", options={"json": {"method_id": "c"}}),
        "/lines",
        ("body", "/method_id"),
    ),
    "boolean": (
        Desk,
        Ask("/lines", "POST", options={"json": {"sku": "tent", "quantity": True}}),
        "/lines",
        ("body", "/quantity"),
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", WRONG)
async def test_wrong_inputs_of_a_screen_are_refused_with_their_place(way, name):
    """A client learns which input is wrong, by the name that it sent."""
    screen, ask, path, expected = WRONG[name]

    async with served(way, screen, ask.method, path) as (_, client):
        answer = await client.request(ask.method, ask.path, **ask.options)

    assert answer.status_code == 422
    first = answer.json()["errors"][0]
    assert (first["in"], first["pointer"]) == expected


@pytest.mark.parametrize("way", WAYS)
async def test_inputs_of_a_screen_are_documented(way):
    """OpenAPI has the same parameters and bodies for a view and a plain route."""
    documents = []
    for screen, method, path in ((Search, "GET", "/{shop}/{number}"), (StructDesk, "PUT", "/x")):
        async with served(way, screen, method, path) as (app, _):
            documents.append(app.openapi())
    search, desk = documents
    for one in documents:
        validate(one)
    operation = search["paths"]["/{shop}/{number}"]["get"]
    places = {(one["in"], one["name"]): one["schema"] for one in operation["parameters"]}
    places.pop(("query", "_meta"), None)
    assert set(places) == {
        ("path", "shop"),
        ("path", "number"),
        ("query", "words"),
        ("query", "page_size"),
        ("header", "X-Language"),
        ("cookie", "theme"),
    }
    assert places["path", "number"]["minimum"] == 1
    line = desk["components"]["schemas"]["StructLine"]
    assert list(line["properties"]) == ["sku", "count", "gifts"]
    assert line["required"] == ["sku", "count"]
    assert line["additionalProperties"] is False
    assert line["properties"]["count"]["maximum"] == 9
    body = desk["paths"]["/x"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/StructLine"}


@pytest.mark.parametrize("way", WAYS[:2])
async def test_view_takes_a_struct_as_its_own_body(way):
    """Structs work as bodies of views, like dataclasses and models."""
    views = Views(access=ANYONE)

    @views.put("/lines")
    async def put_line(line: StructLine) -> StructLine:
        return line

    app = gateway_of(views, [])
    if way == "the slow path":
        app.dependency_overrides[object] = object
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        answer = await client.put("/lines", json={"sku": "tent", "count": 2})

    assert answer.json() == {"sku": "tent", "count": 2, "gifts": []}


async def get_title(page: ProductPage) -> str:
    """Show a title."""
    return (await page.product()).title


class Titles:
    """A callable object that takes a screen."""

    async def __call__(self, page: ProductPage, word: str = "") -> str:
        return word + (await page.product()).title


async def get_words(page: Annotated[ProductPage, "a product"], word: str) -> str:
    """Show a word before a title."""
    return word + (await page.product()).title


async def composed(page: Annotated[ProductPage, Depends(compose(ProductPage))]) -> str:
    """Show a title, in the long way."""
    return (await page.product()).title


@pytest.mark.parametrize("way", WAYS[:2])
@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (get_title, "A green tent"),
        (composed, "A green tent"),
        (Titles(), "A green tent"),
        (partial(Titles(), word="> "), "> A green tent"),
        (partial(get_words, word="> "), "> A green tent"),
    ],
)
async def test_parameter_whose_type_is_a_composition_is_composed(shop, way, endpoint, expected):
    """It takes no Depends, stays on the fast path, and reports its parts."""
    views = Views(access=ANYONE)
    views.get("/products/{product_id}")(endpoint)
    async with shop(views) as open_shop:
        assert is_compiled(open_shop.app, Ask("/products/7"))
        if way == "the slow path":
            open_shop.app.dependency_overrides[object] = object

        answer = await open_shop.client.get("/products/7")

    assert answer.json() == expected
    assert answer.headers["part-status"] == "product=ok"


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
async def test_screens_of_writes_are_composed(shop, verb):
    """A view that changes something takes its screen in the same way."""
    views = Views(access=ANYONE)

    @getattr(views, verb)("/products/{product_id}")
    async def change(page: ProductPage) -> Product:
        return await page.catalog.rename(page.product_id, "A red tent")

    async with shop(views) as open_shop:
        answer = await open_shop.client.request(verb.upper(), "/products/7")

    assert answer.json() == {"id": "7", "title": "A green tent"}


@pytest.mark.parametrize("way", WAYS[:2])
async def test_screen_of_a_stream_is_composed(shop, way):
    """A streaming view takes its screen in the same way."""
    views = Views(access=ANYONE)

    @views.stream("/products/{product_id}/words")
    async def stream_words(page: ProductPage) -> AsyncIterator[str]:
        for word in (await page.product()).title.split():
            yield word

    async with shop(views) as open_shop:
        if way == "the slow path":
            open_shop.app.dependency_overrides[object] = object
        answer = await open_shop.client.get("/products/7/words")

    assert answer.text == '"A"\n"green"\n"tent"\n'


async def test_dependency_override_replaces_a_composed_screen(shop):
    """`compose(ProductPage)` is the key, also where the view does not name it."""
    views = Views(access=ANYONE)

    @views.get("/products/{product_id}")
    async def show(page: ProductPage) -> str:
        return page.product_id

    async with shop(views) as open_shop:
        fake = ProductPage(catalog=None, reviews_service=None, viewer=None, product_id="fake")
        open_shop.app.dependency_overrides[compose(ProductPage)] = lambda: fake
        answer = await open_shop.client.get("/products/7")

    assert answer.json() == "fake"


async def maybe(page: ProductPage | None) -> str:
    """Take a screen, or none."""


async def several(pages: list[ProductPage]) -> str:
    """Take several screens."""


async def by_default(page: ProductPage = None) -> str:
    """Take a screen with a default."""


async def from_query(page: Annotated[ProductPage, Query()]) -> str:
    """Take a screen from the query."""


async def by_position(page: ProductPage, /) -> str:
    """Take a screen by its position."""


async def any_number(*pages: ProductPage) -> str:
    """Take any number of screens."""


async def undecorated(**values: object) -> str:
    """Call another function, as a decorator without `wraps` does."""


async def take_cache(cache: ResponseCache) -> str:
    """Take the cache of the gateway."""


class Nested(Composition):
    """A screen with another as a field."""

    page: ProductPage


async def nested(page: Nested) -> str:
    """Take a screen that has another as a field."""


async def maybe_viewer(viewer: Viewer | None) -> str:
    """Take a viewer, or none."""


async def several_viewers(viewers: dict[str, Viewer]) -> str:
    """Take viewers that a client would send."""


async def any_screen(page: Composition) -> str:
    """Take no screen in particular."""


async def any_saga(buy: Saga) -> str:
    """Take no saga in particular."""


async def take_catalog(catalog: Catalog) -> str:
    """Take a service."""


@pytest.mark.parametrize("verb", ["get", "stream"])
@pytest.mark.parametrize(
    ("endpoint", "mend"),
    [
        (maybe, "page is ProductPage | None: the gateway makes a ProductPage for each request"),
        (several, "pages is list[ProductPage]: the gateway makes a ProductPage for each request"),
        (by_default, "page is made for each request and takes no default: write page: ProductPage"),
        (from_query, "page is made by the gateway, not read from requests"),
        (maybe_viewer, "viewer is Viewer | None: the gateway fills Viewer from each request"),
        (
            several_viewers,
            "viewers is dict[str, Viewer]: the gateway fills Viewer from each request",
        ),
        (by_position, "page: views are called by name: remove the / after it"),
        (any_number, "pages takes any number of arguments: name each one"),
        (undecorated, "values takes any number of arguments: name each one. If a decorator of you"),
        (take_cache, "cache is the service ResponseCache: services are fields of a Composition"),
        (nested, "Nested.page is the composition ProductPage: extend it, as in class Nested(Prod"),
        (any_screen, "page: name a class of yours that extends Composition"),
        (any_saga, "buy: name a class of yours that extends Saga"),
        (take_catalog, "catalog is the service Catalog: services are fields of a Composition"),
    ],
)
def test_parameter_that_can_not_be_composed_is_refused(verb, endpoint, mend):
    """The error names the view and the parameter, and says what to write."""
    with pytest.raises(ConfigurationError) as caught:
        getattr(Views(), verb)("/products/{product_id}")(endpoint)

    assert endpoint.__qualname__ in str(caught.value)
    assert mend in str(caught.value)


async def page_of(page: ProductPage) -> str:
    """Take a screen without Depends."""
    return page.product_id


async def by_dependency(name: Annotated[str, Depends(page_of)]) -> str:
    """Take a dependency that takes a screen."""
    return name


async def answers_with_a_screen(page: ProductPage) -> ProductPage:
    """Return the screen itself."""
    return page


@pytest.mark.parametrize(
    "declare",
    [
        lambda: APIRouter().get("/products/{product_id}")(page_of),
        lambda: Views().get("/products/{product_id}")(by_dependency),
        lambda: Views().get("/products/{product_id}")(answers_with_a_screen),
    ],
    ids=["plain route", "dependency", "return type"],
)
def test_composition_where_fastapi_reads_it_is_explained(declare):
    """Plain FastAPI can't compose: the error says how to write it there."""
    with pytest.raises(ConfigurationError) as caught:
        declare()

    assert "Annotated[ProductPage, Depends(compose(ProductPage))]" in str(caught.value)


class Odd(Composition):
    """A screen whose fields have metadata, and an input with a name of FastAPI's."""

    viewer: Annotated[Viewer, "who it is"]
    request: str


@pytest.mark.parametrize("way", WAYS)
async def test_fields_with_metadata_are_filled_and_names_are_free(way):
    """A client can't send the viewer, and an input may be called request."""

    class Shown(Odd):
        def found(self) -> list[Any]:
            return [self.viewer.subject, self.request]

    async with served(way, Shown, "POST", "/x") as (_, client):
        answer = await client.post("/x?request=a", json={"subject": "eve"})

    assert answer.json() == ["", "a"]


@pytest.mark.parametrize(
    ("kind", "mend"),
    [
        (Viewer | None, r"Screen\.field: the gateway fills Viewer from each.*write field: Viewer"),
        (list[Catalog], r"Screen\.field: the gateway fills Catalog"),
        (Annotated[Catalog | None, "maybe"], r"Screen\.field: the gateway fills Catalog"),
    ],
)
def test_field_that_a_client_could_send_as_a_viewer_is_refused(kind, mend):
    """The type of such a field would make it an input, read from the body."""

    class Screen(Composition):
        field: kind

    Screen.__annotations__["field"] = kind
    with pytest.raises(ConfigurationError, match=mend):
        compose(Screen)


class Buy(Saga):
    """A saga with an input from the body."""

    method_id: Annotated[str, Body(embed=True, max_length=9)]

    @step
    async def pay(self) -> str:
        return f"paid by {self.method_id}"


async def test_saga_is_composed_and_reads_its_body():
    """A parameter whose type is a saga is composed like a screen."""
    views = Views(access=ANYONE)

    @views.post("/buy")
    async def buy(buy: Buy) -> str:
        await buy.run()
        return await buy.pay()

    settings = Settings(
        env="development", auth="demo", gc_freeze=False, journal_url="sqlite://", log="off"
    )
    app = gateway("shop", faces=[views], sagas=[Buy], settings=settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        answer = await client.post("/buy", json={"method_id": "card"})
        refused = await client.post("/buy", json={"method_id": "too long a name"})

    assert answer.json() == "paid by card"
    assert refused.json()["errors"][0]["pointer"] == "/method_id"
