"""OpenAPI: what the document promises of operations is what clients get."""

import json
from collections.abc import AsyncIterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import pytest
from annotated_types import Ge, Interval, Len
from fastapi import APIRouter, Body, Depends, FastAPI, Header, Query, UploadFile
from fastapi.security import APIKeyHeader
from jsonschema import Draft202012Validator
from msgspec import Meta, Struct
from openapi_spec_validator import validate
from pydantic import BaseModel, ConfigDict, Field
from shop import Page, Product, ProductPage, open_shop

from bff_core import (
    ANYONE,
    Gateway,
    Limit,
    Require,
    Settings,
    Views,
    access,
    early,
    gateway,
    gather,
)
from bff_core.auth import (
    ApiKeyAuthenticator,
    BearerAuthenticator,
    CertificateAuthenticator,
    FirstOf,
    Issuer,
)
from bff_core.auth.access import StepUpRequired
from bff_core.edge.options import CorsOptions, EdgeOptions
from bff_core.events import Events
from bff_core.rest.openapi import SCHEMAS
from bff_core.testing.scripted import fail, reply

LINES = {"accept": "application/x-ndjson"}
PROBLEM = {"$ref": "#/components/schemas/Problem"}
KIB = 1024


@dataclass(frozen=True)
class Card:
    """A product as this client shows it."""

    title: str
    reviews: Sequence[str]

    @classmethod
    def early(cls, product: Product, _: ProductPage) -> Self:
        return cls(product.title, ())


class Heading(Struct, rename="camel"):
    """What the client gets first."""

    first_title: str


def heading(product: Product, _: ProductPage) -> Heading:
    return Heading(product.title)


def many(reviews: Sequence[str], _: ProductPage) -> int:
    return len(reviews)


def untyped(product, page):
    return product.title


def pages() -> Views:
    """Return views of all kinds."""
    views = Views(prefix="/v1", access=ANYONE)
    shown = [early(ProductPage.product, heading), early(ProductPage.reviews, many)]

    @views.get("/products/{product_id}", progressive=shown)
    async def get_product(page: Page) -> Card:
        product, reviews = await gather(page.product(), page.reviews())
        return Card(product.title, reviews)

    @views.get("/products/{product_id}/words", meta=True)
    async def get_words(page: Page) -> list[str]:
        return (await page.product()).title.split()

    @views.get("/about")
    async def get_about(lang: str = "en") -> dict[str, str]:
        return {"lang": lang}

    @views.get("/untagged", status_code=203)
    async def get_untagged() -> dict[str, str]:
        return {}

    @views.put("/products/{product_id}", access=Require("products:write"))
    async def put_product(page: Page, title: Annotated[str, Body(embed=True)]) -> Card:
        return Card((await page.catalog.rename(page.product_id, title)).title, ())

    @views.stream("/products/{product_id}/letters")
    async def stream_letters(page: Page) -> AsyncIterator[Product]:
        yield await page.product()

    return views


def made(*views: Views, **options: Any) -> Gateway:
    """Return a gateway without services."""
    settings = Settings(env="development", log="off", gc_freeze=False)
    return gateway("shop", faces=views, settings=settings, events=Events(), **options)


def checked(app: FastAPI) -> dict[str, Any]:
    """Return the document of an app, which refers to no schema by its internal name."""
    document = app.openapi()
    assert "bff." not in json.dumps(document)
    return document


def operation_ids(document: dict[str, Any]) -> list[str]:
    return [one["operationId"] for item in document["paths"].values() for one in item.values()]


def fits(document: dict[str, Any], schema: dict[str, Any], value: object) -> bool:
    """Whether a value fits a schema of a document."""
    whole = {"components": document["components"], **schema}
    return Draft202012Validator(whole).is_valid(value)


def responses(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][path][method]["responses"]
    return found


async def test_every_error_is_the_one_problem():
    """Views, streams, writes and plain routes refer to one schema, which generators can name."""
    async with open_shop(pages()) as shop:
        router = APIRouter()
        router.get("/below")(lambda: 1)
        shop.app.include_router(router, prefix="/more")
        shop.app.get("/plain", responses={404: {"description": "Gone"}})(lambda: 1)
        document = checked(shop.app)

    validate(document)
    errors = [
        (path, status, response["content"])
        for path, item in document["paths"].items()
        for one in item.values()
        for status, response in one["responses"].items()
        if status[0] in "45d"
    ]
    assert {path for path, _, _ in errors} == document["paths"].keys()
    assert all(one == {"application/problem+json": {"schema": PROBLEM}} for *_, one in errors)
    assert responses(document, "get", "/plain")["404"]["description"] == "Gone"
    assert "default" in responses(document, "get", "/more/below")


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/v1/products/7?first=x", {}, 422),
        ("GET", "/v1/products/7", {"headers": {"authorization": "Basic x"}}, 401),
        ("PUT", "/v1/products/7", {"json": {"title": ""}}, 401),
        ("PUT", "/v1/products/7", {"json": {}, "headers": {"authorization": "Bearer demo-1"}}, 403),
        ("GET", "/v1/nothing", {}, 404),
        ("GET", "/step", {}, 401),
        ("GET", "/v1/about?lang=" + "x" * 33_000, {}, 414),
    ],
)
async def test_problems_fit_their_schema(method, path, options, status):
    """Also those with members of their own."""
    async with open_shop(pages()) as shop:

        @shop.app.get("/step")
        def step_up() -> None:
            raise StepUpRequired(Require(acr="mfa"), login="", scheme="Bearer")

        document = checked(shop.app)
        answer = await shop.client.request(method, path, **options)

    assert answer.status_code == status
    assert fits(document, PROBLEM, answer.json())
    assert not fits(document, PROBLEM, answer.json() | {"errors": [{"pointer": 1}]})
    assert not fits(document, PROBLEM, {"title": "No"})


async def test_a_model_of_the_users_has_its_own_name():
    """The schema of the framework gets another one."""

    class Problem(BaseModel):
        exercise: str

    views = Views()

    @views.get("/problems")
    async def get_problem() -> Problem:
        return Problem(exercise="2 + 2")

    document = checked(made(views))

    found = responses(document, "get", "/problems")
    schemas = document["components"]["schemas"]
    assert schemas["Problem"]["properties"].keys() == {"exercise"}
    assert "code" in schemas["BffProblem"]["properties"]
    for status, reference in (("200", "Problem"), ("500", "BffProblem")):
        content, *_ = found[status]["content"].values()
        assert content["schema"] == {"$ref": f"#/components/schemas/{reference}"}


def test_making_a_document_changes_no_other():
    """Two gateways in one process do not share schemas."""
    before, views = deepcopy(SCHEMAS), pages()
    app, other = made(), made()
    for one in (app, other):
        one.include_router(views.router)

    assert app.openapi() == other.openapi()
    assert app.openapi() is not other.openapi()
    assert app.openapi() is app.openapi()
    assert before == SCHEMAS


def test_a_route_that_is_added_later_is_documented():
    """As the others; and a document that the user has replaced stays."""
    app = made()
    app.post("/a")(named("first"))
    before = app.openapi()
    app.post("/b")(named("second"))

    assert operation_ids(before) == ["first"]
    assert operation_ids(checked(app)) == ["first", "second"]
    assert "409" in responses(app.openapi(), "post", "/a")

    app.openapi_schema = {"openapi": "3.1.0", "paths": {}}
    assert app.openapi() == {"openapi": "3.1.0", "paths": {}}


def named(name: str, module: str = __name__) -> Any:
    """Return a function of a name and a module."""

    async def function(note: Annotated[str, Body(embed=True)]) -> str:
        return note

    function.__name__ = function.__qualname__ = name
    function.__module__ = module
    return function


def test_operations_are_called_by_their_functions():
    """Those of views, of routers, and of the app."""
    views, router, app = Views(prefix="/v1"), APIRouter(), made()
    views.post("/orders")(named("order_it"))
    router.post("/carts")(named("fill_cart"))
    app.post("/plain")(named("plain"))
    app.include_router(views.router)
    app.include_router(router, prefix="/v2")

    document = checked(app)

    assert sorted(operation_ids(document)) == ["fill_cart", "order_it", "plain"]
    bodies = {name for name in document["components"]["schemas"] if name.startswith("Body")}
    assert bodies == {"Body_fill_cart", "Body_order_it", "Body_plain"}
    assert document["components"]["schemas"]["Body_plain"]["title"] == "Body_plain"


def test_functions_of_one_name_get_their_tag_or_module():
    """Where that is not unique either, the path; in any order of the routes."""
    app = made()
    app.post("/a", tags=["users"])(named("put", "shop.a"))
    app.post("/b")(named("put", "shop.b"))
    app.post("/c", tags=["x"])(named("get", "shop.c"))
    app.post("/d", tags=["x"])(named("get", "shop.d"))
    app.api_route("/e", methods=["POST", "PUT"])(named("both"))
    app.post("/f")(named("alone"))
    app.post("/g", operation_id="users_put")(named("given"))

    assert sorted(operation_ids(checked(app))) == [
        *("alone", "b_put", "both_e_post", "both_e_put", "get_c_post", "get_d_post"),
        *("put_a_post", "users_put"),
    ]


def test_an_id_that_is_given_twice_is_warned_of():
    """Generators make one function of both operations."""
    app = made()
    app.post("/a", operation_id="same")(named("a"))
    app.post("/b", operation_id="same")(named("b"))

    with pytest.warns(UserWarning, match="2 operations have the operation id 'same'"):
        app.openapi()


def test_a_document_that_could_not_be_completed_is_not_served():
    """The next request fails as well: clients would take a part of it for all."""
    app = made()
    app.post("/a", operation_id="same")(named("a"))
    app.post("/b", operation_id="same")(named("b"))

    for _ in range(2):
        with pytest.raises(UserWarning, match="the operation id 'same'"):
            app.openapi()


def test_ids_of_the_user_stay():
    """Those of an option of the route, the router or the app."""
    by_route = Views()
    by_route.post("/a", operation_id="mine")(named("a"))
    by_route.post("/b", generate_unique_id_function=lambda one: f"own_{one.name}")(named("b"))
    router = APIRouter(generate_unique_id_function=lambda one: f"of_{one.name}")
    router.post("/c")(named("c"))
    views = Views()
    views.post("/d")(named("d"))

    app, whole = made(by_route), made(views, generate_unique_id_function=lambda one: one.name * 2)
    app.include_router(router)

    assert operation_ids(checked(app)) == ["mine", "own_b", "of_c"]
    assert operation_ids(checked(whole)) == ["dd"]


@pytest.mark.parametrize("query", ["", "?_meta=parts"])
async def test_an_answer_may_have_meta(query):
    """The schema has it, and the answers with and without it fit."""
    async with open_shop(pages()) as shop:
        document = checked(shop.app)
        answer = await shop.client.get(f"/v1/products/7{query}")

    schema = responses(document, "get", "/v1/products/{product_id}")["200"]["content"]
    meta = schema["application/json"]["schema"]["allOf"][1]["properties"]["_meta"]
    assert ("_meta" in answer.json()) is bool(query)
    assert meta == {"$ref": "#/components/schemas/Meta"}
    assert fits(document, schema["application/json"]["schema"], answer.json())
    assert not fits(document, schema["application/json"]["schema"], {"_meta": {"parts": {}}})
    assert not fits(document, schema["application/json"]["schema"], answer.json() | {"_meta": 1})


async def test_meta_is_where_it_can_be():
    """Not in lists, and not in views without a composition."""
    async with open_shop(pages()) as shop:
        document = checked(shop.app)

    words = document["paths"]["/v1/products/{product_id}/words"]["get"]
    about = document["paths"]["/v1/about"]["get"]
    text = "'_meta'"
    assert words["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array"
    assert [one["name"] for one in words["parameters"]] == ["product_id", "first", "_meta"]
    assert [one["name"] for one in about["parameters"]] == ["lang"]
    assert text not in str(about)
    assert "Part-Status" not in str(about)


async def test_meta_fits_models_that_forbid_other_members_and_unions():
    """An answer that the gateway sends never breaks its own schema."""

    class Closed(BaseModel):
        model_config = ConfigDict(extra="forbid")

        title: str

    views = Views(access=ANYONE)

    @views.get("/closed/{product_id}")
    async def get_closed(page: Page) -> Closed:
        return Closed(title=(await page.product()).title)

    @views.get("/either/{product_id}")
    async def get_either(page: Page) -> Closed | list[str]:
        return [(await page.product()).title]

    @views.get("/one/{product_id}")
    async def get_one(page: Page) -> Closed | Card:
        return Closed(title=(await page.product()).title)

    @views.get("/two/{product_id}")
    async def get_two(page: Page) -> Product | Card:
        return await page.product()

    @views.get("/texts/{product_id}")
    async def get_texts(page: Page) -> dict[str, str]:
        return {"title": (await page.product()).title}

    async with open_shop(views) as shop:
        document = checked(shop.app)
        answers = {
            path: (await shop.client.get(f"{path}?_meta=parts")).json()
            for path in ("/closed/7", "/either/7", "/one/7", "/two/7", "/texts/7")
        }

    for path, answer in answers.items():
        template = path.replace("7", "{product_id}")
        content = responses(document, "get", template)["200"]["content"]
        schema = content["application/json"]["schema"]
        assert fits(document, schema, answer)
        lines = content["application/x-ndjson"]["schema"]
        assert ("_meta" in answer) is (path != "/either/7")
        assert not fits(document, schema, {"title": 1, "other": 1})
        assert fits(document, lines, {"answer": answer, "parts": {}})
        assert not fits(document, lines, {"answer": {"title": 1}, "parts": {}})


async def test_lines_fit_their_schema():
    """Early parts with the types that their functions return, the answer, a problem."""
    async with open_shop(pages()) as shop:
        document = checked(shop.app)
        whole = await shop.client.get("/v1/products/7?_meta=parts", headers=LINES)
        shop.scripts["reviews"].then(fail())
        late = await shop.client.get("/v1/products/8", headers=LINES)

    validate(document)
    content = responses(document, "get", "/v1/products/{product_id}")["200"]["content"]
    schema = content["application/x-ndjson"]["schema"]
    lines = [json.loads(line) for line in (whole.text + late.text).splitlines()]
    assert all(fits(document, schema, line) for line in lines)
    first = next(line for line in lines if line.get("part") == "product")
    assert first["value"] == {"firstTitle": "A green tent"}
    product, reviews = schema["anyOf"][:2]
    assert fits(document, product, first)
    assert not fits(document, product, first | {"value": {"firstTitle": 1}})
    assert reviews["properties"]["value"] == {"type": "integer"}
    assert not fits(document, schema, {"answer": {"title": 1}, "parts": {}})
    assert fits(document, schema, {"problem": _problem(), "parts": {"product": {"status": "ok"}}})


def _problem() -> dict[str, object]:
    return {"type": "/problems/x", "title": "X", "status": 502, "code": "x"}


def test_an_early_part_without_a_type_may_have_any_value():
    """A method that returns its class is known; a lambda is not."""
    views = Views()

    @views.get(
        "/{product_id}",
        progressive=[early(ProductPage.product, Card.early), early(ProductPage.reviews, untyped)],
    )
    async def get_product(page: Page) -> Card:
        return Card((await page.product()).title, ())

    app = made()
    app.include_router(views.router)
    content = responses(checked(app), "get", "/{product_id}")["200"]["content"]

    card, other = content["application/x-ndjson"]["schema"]["anyOf"][:2]
    assert card["properties"]["value"]["properties"].keys() == {"title", "reviews"}
    assert other["properties"]["value"] == {}


def test_an_early_value_does_not_change_a_model_of_the_same_name():
    """Its type is left out instead."""

    def other() -> Any:
        @dataclass
        class Card:
            number: int

        @dataclass
        class Cards:
            cards: list[Card]

        return Cards

    def show(product, page):
        return product

    show.__annotations__ = {"return": other()}
    views = Views()

    @views.get("/{product_id}", progressive=[early(ProductPage.product, show)])
    async def get_product(page: Page) -> Card:
        return Card((await page.product()).title, ())

    app = made()
    app.include_router(views.router)
    document = checked(app)

    content = responses(document, "get", "/{product_id}")["200"]["content"]
    assert document["components"]["schemas"]["Card"]["properties"].keys() == {"title", "reviews"}
    assert content["application/x-ndjson"]["schema"]["anyOf"][0]["properties"]["value"] == {}


async def test_a_line_of_a_stream_has_its_type():
    """Tools read `schema`; `itemSchema`, which FastAPI writes, is of a later version of OpenAPI."""
    async with open_shop(pages()) as shop:

        @shop.app.get("/plain")
        async def stream_plain() -> AsyncIterator[Product]:
            yield Product("7", "x")

        document = checked(shop.app)
        sent = await shop.client.get("/v1/products/7/letters")

    product = {"$ref": "#/components/schemas/Product"}
    views = responses(document, "get", "/v1/products/{product_id}/letters")["200"]["content"]
    plain = responses(document, "get", "/plain")["200"]["content"]
    assert views == {"application/x-ndjson": {"schema": product}}
    assert plain == {"application/jsonl": {"schema": product}}
    assert fits(document, product, json.loads(sent.text))


def every_kind() -> FirstOf:
    """Return an authenticator of each kind; two of them are of one class."""
    issuers = [Issuer(issuer=f"https://{n}.example", audience=("a",), keys="/jwks") for n in "ab"]
    return FirstOf(
        ApiKeyAuthenticator(),
        CertificateAuthenticator(allowed=["spiffe://shop/*"]),
        *map(BearerAuthenticator, issuers),
    )


def test_each_operation_says_how_to_authenticate(tmp_path: Path):
    """Any one of the authenticators, with the scopes; those that anyone may call need none."""
    settings = Settings(
        env="development",
        log="off",
        gc_freeze=False,
        api_keys_url=f"sqlite:///{tmp_path / 'keys'}",
        trusted_proxies="127.0.0.1",
        upstreams={"identity": ("http://127.0.0.1:1",)},
    )
    views = Views()

    @views.get("/mine", access=Require("orders:read", "cart:read"))
    async def get_mine() -> str:
        return ""

    @views.get("/signed-in")
    async def get_signed_in() -> str:
        return ""

    @views.get("/open", access=ANYONE)
    async def get_open() -> str:
        return ""

    document = checked(
        gateway("shop", faces=[views], settings=settings, authenticator=every_kind())
    )

    validate(document)
    schemes = document["components"]["securitySchemes"]
    security = {path: item["get"]["security"] for path, item in document["paths"].items()}
    names = ["ApiKey", "Certificate", "Bearer", "Bearer2"]
    scopes = ["orders:read", "cart:read"]
    assert list(schemes) == names
    assert [one["type"] for one in schemes.values()] == ["apiKey", "mutualTLS", "http", "http"]
    assert security == {
        "/mine": [{name: scopes} for name in names],
        "/signed-in": [{name: []} for name in names],
        "/open": [],
    }
    wrong = responses(document, "get", "/open")
    assert ("401" in wrong, "403" in wrong) == (True, False)


def test_a_requirement_of_the_routes_own_is_added():
    """A key of a partner beside the sign-in; and alone, where anyone may call the gateway."""
    app = gateway("shop", settings=Settings(env="development", auth="demo", log="off"))
    partner = Depends(APIKeyHeader(name="x-partner"))
    app.get("/both", dependencies=[partner])(lambda: 1)
    app.get("/alone", dependencies=[partner])(access(ANYONE)(lambda: 1))

    document = checked(app)

    security = {path: item["get"]["security"] for path, item in document["paths"].items()}
    assert security == {
        "/both": [{"Demo": [], "APIKeyHeader": []}],
        "/alone": [{"APIKeyHeader": []}],
    }
    assert document["components"]["securitySchemes"].keys() == {"Demo", "APIKeyHeader"}


def test_a_gateway_without_an_authenticator_requires_none():
    """No scheme, no requirement, no 401."""
    views = Views()
    views.post("/notes")(named("post_note"))

    document = checked(made(views))

    assert "securitySchemes" not in document["components"]
    assert "security" not in document["paths"]["/notes"]["post"]
    assert not {"401", "403", "429"} & responses(document, "post", "/notes").keys()


GUARDED = Limit(quota=2, paths=("/v1/products",), exempt=("/v1/products/8",))


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/products/7", "/v1/products/{product_id}"),
        ("/v1/about", "/v1/about"),
        ("/v1/products/7/letters", "/v1/products/{product_id}/letters"),
    ],
)
async def test_documented_headers_are_those_that_are_sent(path, template):
    """Of an answer, of a 304, of a refusal; nothing is documented that is never sent."""
    options = EdgeOptions(max_lag=0, cors=CorsOptions(origins=("https://a.example",)))
    async with open_shop(pages(), limits=[GUARDED], options=options) as shop:
        document = checked(shop.app)
        origin = {"origin": "https://a.example"}
        first = await shop.client.get(path, headers=origin)
        tag = first.headers.get("etag", '"none"')
        known = await shop.client.get(path, headers={"if-none-match": tag, **origin})
        third = await shop.client.get(path, headers=origin)
        wrong = await shop.client.get(path, headers={"authorization": "Basic x", **origin})

    found = responses(document, "get", template)
    for answer in (first, known, third, wrong):
        shown = {name.lower() for name in found[str(answer.status_code)]["headers"]}
        assert shown <= answer.headers.keys()
    for name in ("etag", "part-status", "ratelimit", "ratelimit-policy", "retry-after"):
        sent = {str(one.status_code) for one in (first, known, third) if name in one.headers}
        have = {
            status
            for status, one in found.items()
            if name in {header.lower() for header in one["headers"]}
        }
        assert sent <= have
    assert ("304" in found) is ("etag" in first.headers)
    assert ("429" in found) is (third.status_code == 429)
    assert document["components"]["headers"].keys() >= {"RateLimit", "Cache-Control"}


def test_a_rate_limit_is_documented_where_it_applies():
    """By path and method; where only some requests of a route are limited as well."""
    below = Limit(quota=5, paths=("/a", "/b/7"), exempt=("/a/free", "/a/8"), methods=("POST",))
    app = made(limits=[below])
    paths = ("/a", "/a/free", "/a/{name}", "/b/{name}", "/b/8", "/c")
    for path in paths:
        app.post(path)(named("write"))
        app.get(path)(lambda: 1)

    document = checked(app)

    limited = {path for path in paths if "429" in responses(document, "post", path)}
    assert limited == {"/a", "/a/{name}", "/b/{name}"}
    assert not any("429" in responses(document, "get", path) for path in paths)
    for path in paths:
        has_header = "RateLimit" in responses(document, "post", path)["200"]["headers"]
        assert has_header is (path in limited)


def test_a_refusal_that_may_be_repeated_says_when():
    """Too many requests, overload, and a request with the same key that has not ended."""
    app = made(limits=[Limit(quota=5)])
    app.post("/a")(named("write"))
    app.get("/a", responses={409: {"description": "Never"}})(lambda: 1)

    document = checked(app)

    for method, expected in (("post", {"409", "429", "503"}), ("get", {"429", "503"})):
        found = responses(document, method, "/a")
        assert {status for status in found if "Retry-After" in found[status]["headers"]} == expected


async def test_errors_are_those_that_can_happen():
    """By what the route takes, requires and calls."""
    async with open_shop(pages()) as shop:
        document = checked(shop.app)

    always = {"400", "401", "500", "503", "504", "default"}
    screen = always | {"404", "422", "502"}
    assert {
        (method, path): set(one["responses"])
        for path, item in document["paths"].items()
        for method, one in item.items()
    } == {
        ("get", "/v1/products/{product_id}"): screen | {"200", "304"},
        ("get", "/v1/products/{product_id}/words"): screen | {"200", "304"},
        ("get", "/v1/products/{product_id}/letters"): screen | {"200"},
        ("get", "/v1/about"): always | {"200", "304", "422"},
        ("get", "/v1/untagged"): always | {"203"},
        ("put", "/v1/products/{product_id}"): screen | {"200", "403", "409", "413", "415"},
    }


def test_a_plain_write_may_have_a_key():
    """As any route that changes something; not if the gateway has no such concern."""
    app, without = made(), made(options=EdgeOptions(idempotency=None))
    for one in (app, without):
        one.post("/notes")(named("post_note"))

    parameters = checked(app)["paths"]["/notes"]["post"]["parameters"]
    assert [one["name"] for one in parameters] == ["Idempotency-Key"]
    assert "parameters" not in checked(without)["paths"]["/notes"]["post"]
    assert "409" not in responses(without.openapi(), "post", "/notes")


def test_parameters_that_a_route_declares_are_not_repeated():
    """Names of headers have no case."""
    app = made()

    @app.post("/notes")
    async def post_note(key: Annotated[str, Header(alias="IDEMPOTENCY-KEY")]) -> str:
        return key

    (parameter,) = checked(app)["paths"]["/notes"]["post"]["parameters"]
    assert parameter["required"] is True


@dataclass
class Line:
    """A part of a body."""

    text: str
    short: Annotated[str, Field(max_length=3)]
    pages: list[str]
    count: Annotated[int, Field(ge=1, le=9)]
    large: Annotated[int, Field(gt=0, lt=2**40)]
    any_number: int
    default: str
    maybe: str | None = None


@dataclass
class Both:
    """A type of bodies and of answers."""

    text: str


def test_inputs_have_the_bounds_that_the_edge_enforces():
    """Where the author declares none; answers and types that they share have no other."""
    views = Views(access=ANYONE)

    @views.post("/lines/{name}", max_values=50)
    async def post_line(
        name: str, line: Line, tags: Annotated[list[str], Query(max_length=5)]
    ) -> list[str]:
        return [name, line.text, *tags]

    @views.post("/more", max_values=70)
    async def post_more(line: Line) -> str:
        return line.text

    @views.post("/both")
    async def post_both(both: Both, default: Annotated[str, Header()] = "") -> Both:
        return both

    app = made(views, options=EdgeOptions(max_body=2 * KIB, max_field_bytes=KIB))

    @app.post("/files")
    async def post_file(file: UploadFile) -> str:
        return file.filename or ""

    document = checked(app)

    validate(document)
    schemas = document["components"]["schemas"]
    line = schemas["Line"]["properties"]
    name, tags, _ = document["paths"]["/lines/{name}"]["post"]["parameters"]
    answer = responses(document, "post", "/lines/{name}")["200"]["content"]["application/json"]
    default = document["paths"]["/both"]["post"]["parameters"][0]["schema"]
    assert (name["schema"]["maxLength"], default["maxLength"]) == (KIB, KIB)
    assert (tags["schema"]["maxItems"], tags["schema"]["items"]["maxLength"]) == (5, KIB)
    assert (line["text"]["maxLength"], line["short"]["maxLength"]) == (2 * KIB, 3)
    assert line["maybe"]["anyOf"][0] == {"type": "string", "maxLength": 2 * KIB}
    assert (line["pages"]["maxItems"], line["pages"]["items"]["maxLength"]) == (70, 2 * KIB)
    assert line["default"]["maxLength"] == 2 * KIB
    assert (line["count"]["format"], line["large"]["format"]) == ("int32", "int64")
    assert "format" not in line["any_number"]
    assert "maxLength" not in schemas["Both"]["properties"]["text"]
    assert "maxLength" not in schemas["Body_post_file"]["properties"]["file"]
    assert "maxItems" not in answer["schema"]


class Grade(Enum):
    """Some values."""

    GOOD = "good"


class Bounded(Struct):
    """A Struct that declares bounds."""

    text: Annotated[str, Meta(max_length=5, pattern="^a")]
    count: Annotated[int, Meta(ge=0, le=10)]
    large: Annotated[int, Meta(gt=0, lt=2**40)]
    items: Annotated[list[Annotated[int, Meta(ge=1)]], Meta(max_length=3)]
    kind: Literal["x", "y"]
    grade: Grade
    id: UUID
    made: datetime
    free: str


@dataclass
class BoundedClass:
    """A dataclass with the same bounds."""

    text: Annotated[str, Field(max_length=5, pattern="^a")]
    count: Annotated[int, Interval(ge=0, le=10)]
    large: Annotated[int, Field(gt=0, lt=2**40)]
    items: Annotated[list[Annotated[int, Ge(1)]], Len(0, 3)]
    kind: Literal["x", "y"]
    grade: Grade
    id: UUID
    made: datetime
    free: str


@dataclass
class BoundedHolder:
    """A dataclass that holds a Struct, whose bounds are those of msgspec."""

    inside: Bounded
    text: Annotated[str, Meta(max_length=5, pattern="^a")]


class BoundedModel(BaseModel):
    """A model with the same bounds."""

    text: str = Field(max_length=5, pattern="^a")
    count: int = Field(ge=0, le=10)
    large: int = Field(gt=0, lt=2**40)
    items: list[Annotated[int, Field(ge=1)]] = Field(max_length=3)
    kind: Literal["x", "y"]
    grade: Grade
    id: UUID
    made: datetime
    free: str


BOUNDS = {
    "text": {"type": "string", "maxLength": 5, "pattern": "^a"},
    "count": {"type": "integer", "minimum": 0, "maximum": 10, "format": "int32"},
    "large": {
        "type": "integer",
        "exclusiveMinimum": 0,
        "exclusiveMaximum": 2**40,
        "format": "int64",
    },
    "items": {"type": "array", "maxItems": 3, "items": {"type": "integer", "minimum": 1}},
    "kind": {"type": "string", "enum": ["x", "y"]},
    "grade": {"$ref": "#/components/schemas/Grade"},
    "id": {"type": "string", "format": "uuid"},
    "made": {"type": "string", "format": "date-time"},
    "free": {"type": "string"},
    "inside": {"$ref": "#/components/schemas/Bounded"},
}


@pytest.mark.parametrize("case", [None, "camel"])
@pytest.mark.parametrize("declared", [Bounded, BoundedClass, BoundedHolder, BoundedModel])
def test_answers_have_the_bounds_that_they_declare(declared, case):
    """In the document as in the type, and no others."""
    views = Views(access=ANYONE, case=case)

    async def get_it() -> Any:
        """Return nothing."""

    get_it.__annotations__["return"] = declared
    views.get("/it")(get_it)
    document = checked(made(views))

    found = document["components"]["schemas"][declared.__name__]["properties"]
    shown = {name: {key: one[key] for key in one if key != "title"} for name, one in found.items()}
    assert shown == {name: BOUNDS[name] for name in shown}
    assert len(shown) in {2, 9}


def test_ids_in_problems_have_the_bounds_of_the_gateway():
    """A request id of a client is used up to its limit."""
    views = Views(access=ANYONE)

    @views.get("/it")
    async def get_it() -> str:
        return "it"

    document = checked(made(views))

    problem = document["components"]["schemas"]["Problem"]["properties"]
    header = document["components"]["headers"]["X-Request-ID"]["schema"]
    assert problem["request_id"]["maxLength"] == header["maxLength"] == 128
    assert problem["trace_id"]["pattern"] == "^[0-9a-f]{32}$"


async def test_bounds_are_enforced():
    """Longer inputs are refused, so that the document promises nothing."""
    options = EdgeOptions(max_body=2 * KIB, max_field_bytes=KIB)
    async with open_shop(pages(), options=options) as shop:
        signed_in = {"authorization": "Bearer demo-1?scope=products:write"}
        path = await shop.client.get("/v1/products/" + "x" * (KIB + 1))
        query = await shop.client.get("/v1/about?lang=" + "x" * (KIB + 1))
        body = {"title": "x" * (2 * KIB + 1)}
        written = await shop.client.put("/v1/products/7", json=body, headers=signed_in)
        shop.scripts["catalog"].then(reply(200, {"id": "7", "title": "x"}))
        fitting = await shop.client.put("/v1/products/7", json={"title": "x"}, headers=signed_in)

    assert [path.status_code, query.status_code, written.status_code] == [414, 414, 413]
    assert fitting.status_code == 200
