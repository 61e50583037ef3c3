"""Request bodies: which media types and which JSON values all kinds of routes accept."""

import gzip
import json
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Body, Cookie, Depends, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Json

from bff_core import ANYONE, Composition, InvalidInput, Settings, Views, compose, gateway
from bff_core.events import Events

JSON = {"content-type": "application/json"}
ROUTES = ["/view", "/model", "/app", "/router", "/nested/router"]
"""A view with a dict, one with a model, a route of the app, and routers, one within another."""


class Order(BaseModel):
    """A body with a number, a text and any value."""

    price: float = 0.0
    note: str = ""
    more: Any = None


class Measures(BaseModel):
    """A model whose author allows NaN and infinity."""

    model_config = ConfigDict(allow_inf_nan=True)

    depth: float


class Near(Composition):
    """A composition with an input, which the fast path reads."""

    radius: Annotated[float, Query(gt=-1)] = 1.0


def views_with_bodies():
    """Make views that take JSON."""
    views = Views(access=ANYONE)

    @views.post("/view")
    async def post_view(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @views.post("/model")
    async def post_model(body: Order) -> dict[str, Any]:
        return body.model_dump()

    @views.post("/measures")
    async def post_measures(body: Measures) -> str:
        return str(body.depth)

    @views.post("/optional")
    async def post_optional(body: dict[str, Any] | None = None) -> dict[str, Any]:
        return body or {}

    return views


def views_with_parameters():
    """Make views that take numbers in all other parts of a request."""
    views = Views(access=ANYONE)

    @views.get("/near")
    async def get_near(page: Annotated[Near, Depends(compose(Near))]) -> float:
        return page.radius

    @views.get("/point/{x}")
    async def get_point(x: float, y: float = 0.0, z: Annotated[float, Header()] = 0.0) -> float:
        return x + y + z

    @views.get("/many")
    async def get_many(
        one: Annotated[list[float], Query()],
        other: Annotated[float, Cookie()] = 0.0,
        exact: Decimal = Decimal(0),
        text: Json[Any] = None,
        free: Annotated[float, Query(allow_inf_nan=True)] = 0.0,
    ) -> str:
        return f"{one} {other} {exact} {text} {free}"

    return views


def built():
    """Make a gateway with each kind of route."""
    router, inner = APIRouter(), APIRouter()

    @router.post("/router")
    @inner.post("/router")
    async def post_router(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @router.post("/text")
    async def post_text(body: Annotated[str, Body(media_type="text/plain")]) -> str:
        return body

    @router.post("/raw")
    async def post_raw(request: Request) -> int:
        return len(await request.body())

    app = gateway(
        "shop",
        faces=[views_with_bodies(), views_with_parameters()],
        settings=Settings(env="production", gc_freeze=False, allowed_hosts=["testserver"]),
        events=Events(),
    )
    router.include_router(inner, prefix="/nested")
    app.include_router(router)
    app.post("/app")(post_router)
    return app


@asynccontextmanager
async def opened(app=None):
    """Run a gateway."""
    app = built() if app is None else app
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield client


async def posted(body, headers):
    """Return the answers of all routes to one body."""
    async with opened() as client:
        return [await client.post(one, content=body, headers=headers) for one in ROUTES]


@pytest.mark.parametrize(
    ("body", "pointer", "kind"),
    [
        (b'{"price": NaN}', "/price", "finite_number"),
        (b'{"more": [1, {"a/b": -Infinity}]}', "/more/1/a~1b", "finite_number"),
        (b'{"price": 1e999}', "/price", "finite_number"),
        (b'{"note": "a\\ud83d"}', "/note", "string_unicode"),
        (b'{"more": {"\\ud83d": 1}}', "/more", "string_unicode"),
        (b'{"more": ' + b"1" * 5000 + b"}", "/more", "int_parsing_size"),
    ],
)
async def test_values_without_a_json_form_are_422(body, pointer, kind):
    """A service would get null, or the call would crash; the error names the value."""
    answers = await posted(body, JSON)

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(422, "invalid_input")}
    errors = [error for one in answers for error in one.json()["errors"]]
    assert [(one["in"], one["pointer"], one["type"]) for one in errors] == [
        ("body", pointer, kind)
    ] * len(ROUTES)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"price": 1,\n "note": x}', (2, 10)),
        (b"[" * 10_000, (1, 101)),
        (b'{"note": "\xff"}', (1, 11)),
        ('{"note": "a"}'.encode("utf-16"), (1, 1)),
    ],
    ids=["malformed", "deep", "latin-1", "utf-16"],
)
async def test_malformed_and_deep_json_are_one_code_with_the_place(body, place):
    """It is a 422 with the line and the column of the wrong character."""
    answers = await posted(body, JSON)

    problems = [one.json() for one in answers]
    assert {(one["status"], one["type"]) for one in problems} == {(422, "/problems/invalid_input")}
    assert {one["code"] for one in problems} == {"invalid_input"}
    errors = [error for one in problems for error in one["errors"]]
    assert [(one["type"], one["pointer"]) for one in errors] == [("json_invalid", "")] * len(ROUTES)
    assert {(one["line"], one["column"]) for one in errors} == {place}


@pytest.mark.parametrize("text", ['"NaN"', '"inf"', '"-Infinity"', '"1e999"'])
async def test_the_text_infinity_is_no_float(text):
    """Pydantic would accept it for a number; a text field accepts any text."""
    async with opened() as client:
        number = await client.post("/model", content=f'{{"price": {text}}}', headers=JSON)
        note = await client.post("/model", content=f'{{"note": {text}}}', headers=JSON)

    assert number.status_code == 422
    assert number.json()["errors"][0]["type"] == "finite_number"
    assert (note.status_code, note.json()["note"]) == (200, json.loads(text))


@pytest.mark.parametrize(
    ("path", "headers", "place"),
    [
        ("/point/NaN", {}, ("path", "/x")),
        ("/point/1?y=inf", {}, ("query", "/y")),
        ("/point/1?y=1e999", {}, ("query", "/y")),
        ("/point/1", {"z": "nan"}, ("header", "/z")),
        ("/near?radius=Infinity", {}, ("query", "/radius")),
        ("/many?one=1&one=nan", {}, ("query", "/one/1")),
        ("/many?one=1", {"cookie": "other=-inf"}, ("cookie", "/other")),
        ("/many?one=1&exact=NaN", {}, ("query", "/exact")),
        ("/many?one=1&text=[NaN]", {}, ("query", "/text")),
    ],
)
async def test_parameters_are_finite_numbers(path, headers, place):
    """On the fast and the slow path, in all parts of a request."""
    async with opened() as client:
        answer = await client.get(path, headers=headers)

    (error,) = answer.json()["errors"]
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert ((error["in"], error["pointer"]), error["type"]) == (place, "finite_number")


async def test_an_author_may_allow_numbers_that_are_not_finite():
    """With pydantic's `allow_inf_nan=True`, of a field or of a model."""
    async with opened() as client:
        field = await client.get("/many?one=1&free=inf")
        model = await client.post("/measures", json={"depth": "NaN"})

    assert (field.status_code, field.json()) == (200, "[1.0] 0.0 0 None inf")
    assert (model.status_code, model.json()) == (200, "nan")


UNSUPPORTED = (415, "unsupported_media_type")
CODINGS = ["gzip", "br", "deflate", "zstd", "garbage", "identity, gzip", "GZIP"]


@pytest.mark.parametrize("coding", CODINGS)
async def test_a_compressed_body_is_415_and_the_answer_says_what_is_accepted(coding):
    """It is refused before it is parsed, and not as malformed JSON."""
    answers = await posted(gzip.compress(b"{}"), JSON | {"content-encoding": coding})

    assert {(one.status_code, one.json()["code"]) for one in answers} == {UNSUPPORTED}
    assert {one.headers["accept-encoding"] for one in answers} == {"identity"}


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-16",
        "application/json; charset=unknown",
        "application/json; charset=utf-8; charset=utf-7",
        "application/json; charset*=utf-8''utf-16",
        "text/plain",
        "text/json",
        "application/xml",
        "application/jsonp",
        "multipart/form-data; boundary=x",
        "json",
        None,
    ],
)
async def test_another_media_type_or_charset_is_415(content_type):
    """Declared Latin-1 is not read as malformed UTF-8, and text is not guessed to be JSON."""
    headers = {} if content_type is None else {"content-type": content_type}
    answers = await posted(b'{"note": "\xe9"}', headers)

    assert {(one.status_code, one.json()["code"]) for one in answers} == {UNSUPPORTED}


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json; charset=utf8"},
        {"content-type": 'application/json; charset="UTF-8"'},
        {"content-type": "application/json;charset=UTF_8"},
        {"content-type": "application/json; charset=utf8mb4"},
        {"content-type": "application/json; charset=unicode-1-1-utf-8"},
        {"content-type": "application/json; charset=us-ascii"},
        {"content-type": "Application/Vnd.API+JSON; profile=x"},
        JSON | {"content-encoding": "identity"},
        JSON | {"content-encoding": ""},
    ],
)
async def test_any_name_of_utf8_is_accepted(headers):
    """Libraries write the name in several ways; a byte order mark is accepted as well."""
    body = '\ufeff{"note": "é"}'.encode()
    answers = await posted(body, headers)

    assert {(one.status_code, one.json()["note"]) for one in answers} == {(200, "é")}


@pytest.mark.parametrize("headers", [{}, JSON])
async def test_a_required_body_must_be_there_and_an_optional_one_need_not(headers):
    """A request without a body is refused only if the body is required."""
    async with opened() as client:
        missing = await client.post("/model", headers=headers)
        optional = await client.post("/optional", headers=headers)

    assert (missing.status_code, missing.json()["errors"][0]["type"]) == (422, "missing")
    assert (optional.status_code, optional.json()) == (200, {})


async def test_routes_that_take_other_media_types_are_not_checked():
    """A route that takes text, or reads the request, decides what it accepts."""
    async with opened() as client:
        text = await client.post("/text", content=b"NaN", headers={"content-type": "text/plain"})
        raw = await client.post("/raw", content=b"\x1f\x8b", headers={"content-encoding": "gzip"})

    assert (text.status_code, text.json()) == (200, "NaN")
    assert (raw.status_code, raw.json()) == (200, 2)


@pytest.mark.parametrize(
    "header", [(b"content-encoding", b"gzip"), (b"content-type", b"text/plain")]
)
@pytest.mark.parametrize("route", ["/view", "/app"])
async def test_a_refused_body_is_not_read(route, header):
    """A megabyte of another type costs no memory."""
    app, statuses = built(), []
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": route,
        "query_string": b"",
        "headers": [(b"host", b"testserver"), (b"content-length", b"9"), header],
    }

    async def receive():
        raise AssertionError("the body was read")

    async def send(message):
        statuses.append(message.get("status"))

    async with app.router.lifespan_context(app):
        await app(scope, receive, send)

    assert statuses[0] == 415


async def test_a_handler_of_the_app_gets_the_errors_of_fastapi():
    """A handler that formats validation errors formats these as well."""
    app, raised = built(), []

    @app.exception_handler(RequestValidationError)
    async def handle(request, error):
        raised.extend(error.errors())
        return JSONResponse({}, 499)

    async with opened(app) as client:
        malformed = await client.post("/app", content=b'{"a"', headers=JSON)
        infinite = await client.post("/view", content=b'{"a": NaN}', headers=JSON)

    assert (malformed.status_code, infinite.status_code) == (499, 499)
    assert [(one["type"], one["loc"]) for one in raised] == [
        ("json_invalid", ("body", 4)),
        ("finite_number", ("body", "a")),
    ]


async def test_a_route_may_take_smaller_bodies():
    """FastAPI's `max_body_size` is checked before the body is parsed."""
    app = built()

    @app.post("/small", max_body_size=20)
    async def small(body: dict[str, Any]) -> dict[str, Any]:
        return body

    async with opened(app) as client:
        fits = await client.post("/small", content=b'{"a": 1}', headers=JSON)
        large = await client.post("/small", content=b"[" * 21, headers=JSON)

    assert (fits.status_code, large.status_code) == (200, 413)
    assert large.json()["code"] == "content_too_large"


def test_openapi_has_problem_details_on_all_kinds_of_routes():
    """FastAPI's `HTTPValidationError`, which no answer of a gateway has, is not there."""
    document = built().openapi()

    answers = [
        one["post"]["responses"] for path, one in document["paths"].items() if path in ROUTES
    ]
    problems = [one["default"]["content"]["application/problem+json"]["schema"] for one in answers]
    assert len(problems) == len(ROUTES)
    assert {one["$ref"] for one in problems} == {"#/components/schemas/Problem"}
    assert document["components"]["schemas"]["ProblemError"]["properties"].keys() == {
        *("in", "pointer", "detail", "type", "line", "column"),
    }
    assert "HTTPValidationError" not in json.dumps(document)


@pytest.mark.parametrize("value", ["AAA", "", "Parts"])
async def test_openapi_forbids_no_accepted_value(value):
    """`_meta` accepts any text, and only `parts` has an effect."""
    async with opened() as client:
        answer = await client.get(f"/near?_meta={value}")
        document = (await client.get("/openapi.json")).json()

    parameters = {one["name"]: one for one in document["paths"]["/near"]["get"]["parameters"]}
    assert (answer.status_code, answer.json()) == (200, 1.0)
    assert parameters["_meta"]["schema"] == {"type": "string"}


async def test_errors_that_an_author_raises_have_the_same_members():
    """`InvalidInput` has the place of the error, as FastAPI's errors have."""
    app = built()

    @app.get("/choose")
    async def choose(colour: str) -> None:
        raise InvalidInput("There is no such colour.", where="query", pointer="/colour")

    async with opened(app) as client:
        answer = await client.get("/choose?colour=x")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert answer.json()["errors"] == [
        {
            "in": "query",
            "pointer": "/colour",
            "detail": "There is no such colour.",
            "type": "invalid",
        }
    ]
