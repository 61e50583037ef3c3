"""The options of FastAPI's route decorators have an effect, or are refused."""

import inspect
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
)
from openapi_spec_validator import validate
from pydantic import BaseModel, Field

from bff_core import ConfigurationError, Views
from tests.rest.conformance.three_ways import Ask, assert_alike, feature, features, serving


class Out(BaseModel):
    """A model whose fields have defaults."""

    first: int = Field(default=1, serialization_alias="First")
    second: int | None = None
    third: list[int] = [3]


@dataclass
class Data:
    """A dataclass whose fields have defaults."""

    first: int = 1
    second: int | None = None


DUMPS: dict[str, dict[str, Any]] = {
    "exclude_none": {"response_model_exclude_none": True},
    "exclude_unset": {"response_model_exclude_unset": True},
    "exclude_defaults": {"response_model_exclude_defaults": True},
    "include": {"response_model_include": {"first"}},
    "exclude": {"response_model_exclude": {"first"}},
    "by name": {"response_model_by_alias": False},
    "all at once": {
        "response_model_by_alias": False,
        "response_model_exclude_none": True,
        "response_model_exclude": {"third"},
    },
}
VALUES = {
    "model": (Out, Out(first=2)),
    "list of models": (list[Out], [Out(second=2), Out()]),
    "dataclass": (Data, Data(2)),
    "dict for a model": (Out, {"first": 2}),
}


@pytest.mark.mostly_slow
@pytest.mark.parametrize("options", DUMPS.values(), ids=DUMPS)
@pytest.mark.parametrize(("declared", "returned"), VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("kind", ["view", "stream"])
async def test_response_model_options_have_an_effect(options, declared, returned, kind):
    """`response_model_*` leave fields out, or name them, as in FastAPI."""

    def declare(routes):
        async def x():
            return returned

        async def lines():
            yield returned

        x.__annotations__ = {"return": declared}
        lines.__annotations__ = {"return": AsyncIterator[declared]}
        if kind == "view":
            routes.get("/x", **options)(x)
        else:
            routes.stream("/x", **options)(lines)
        return Ask(is_compiled=kind == "view")

    await assert_alike(declare)


@feature
def response_model_filters(routes):
    @routes.get("/x", response_model=Data)
    async def x() -> dict[str, int]:
        return {"first": 5, "password": 1}

    return Ask(is_compiled=True)


@feature
def response_model_none_filters_nothing(routes):
    @routes.get("/x", response_model=None)
    async def x() -> dict[str, Any] | Response:
        return {"first": 5, "out": Out()}

    return Ask(is_compiled=True)


@feature
def status_of_a_view_that_reads(routes):
    @routes.get("/x", status_code=202)
    async def x() -> Data:
        return Data()

    return Ask(is_compiled=True, compared=("etag",))


@feature
def status_of_a_view_that_writes(routes):
    @routes.post("/x", status_code=201)
    async def x() -> Data:
        return Data()

    return Ask(method="POST", is_compiled=True)


@feature
def status_of_a_stream(routes):
    @routes.stream("/x", status_code=203)
    async def x() -> AsyncIterator[Data]:
        yield Data()

    return Ask()


@feature
def html(routes):
    @routes.get("/x", response_class=HTMLResponse)
    async def x() -> str:
        return "<p>1</p>"

    return Ask(is_compiled=True)


@feature
def text_with_a_status(routes):
    @routes.post("/x", response_class=PlainTextResponse, status_code=201)
    async def x() -> str:
        return "made"

    return Ask(method="POST", is_compiled=True)


@feature
def redirect(routes):
    @routes.get("/x", response_class=RedirectResponse)
    async def x() -> str:
        return "/elsewhere"

    return Ask(is_compiled=True)


@feature
def redirect_with_a_status_and_a_cookie(routes):
    @routes.get("/x", response_class=RedirectResponse, status_code=303)
    async def x(response: Response) -> str:
        response.set_cookie("visited", "1")
        return "/elsewhere"

    return Ask()


@feature
def file(routes):
    @routes.get("/x", response_class=FileResponse)
    async def x() -> str:
        return __file__

    return Ask(is_compiled=True, options={"headers": {"accept-encoding": "identity"}})


class Spaced(JSONResponse):
    """JSON in another format."""

    media_type = "application/vnd.shop+json"

    def render(self, content: Any) -> bytes:
        return f"{{ {content!r} }}".encode()


@feature
def class_of_the_author(routes):
    @routes.get("/x", response_class=Spaced)
    async def x() -> Out:
        return Out()

    return Ask(is_compiled=True)


@pytest.mark.parametrize("declare", features(globals()), ids=lambda one: one.__name__)
async def test_option_acts_as_in_fastapi(declare):
    """It changes the answer on the fast path and on the slow path."""
    await assert_alike(declare)


def left_out() -> None:
    raise AssertionError


callbacks = APIRouter()


@callbacks.post("{$callback_url}/done")
async def done() -> None:
    """Say that it is done."""


DOCUMENTED: dict[str, Any] = {
    "tags": ["a", "b"],
    "deprecated": True,
    "summary": "A summary",
    "description": "A description",
    "response_description": "What comes",
    "responses": {404: {"description": "None"}, 200: {"description": "Some"}},
    "operation_id": "an_id",
    "callbacks": callbacks.routes,
    "include_in_schema": False,
    "openapi_extra": {"x-a": 1, "parameters": [{"name": "q", "in": "query", "schema": {}}]},
    "name": "a_name",
    "generate_unique_id_function": lambda route: f"unique_{route.name}",
    "response_model": list[Out],
    "status_code": 203,
    "response_class": PlainTextResponse,
}


@pytest.mark.slow
@pytest.mark.parametrize("option", DOCUMENTED)
@pytest.mark.parametrize("verb", ["get", "post"])
async def test_option_is_documented_as_in_fastapi(option, verb):
    """OpenAPI has the options of a decorator; a view adds its parts and problems."""

    def declare(routes):
        @getattr(routes, verb)("/x", **{option: DOCUMENTED[option]})
        async def x() -> str:
            """Do something."""
            return "a"

        return Ask()

    documents = []
    for way in ("plain FastAPI", "the fast path"):
        async with serving(way, declare) as (served, _):
            documents.append((await served.client.get("/openapi.json")).json())

    plain, ours = documents
    validate(ours)
    assert _without_ours(plain, verb) == _without_ours(ours, verb)


def _without_ours(document, verb):
    """Return the only operation of the OpenAPI document."""
    operation = document["paths"].get("/x", {}).get(verb, {})
    responses = {
        status: {name: one for name, one in entry.items() if name != "headers"}
        for status, entry in operation.pop("responses", {}).items()
        if status in {"200", "203"} or entry["description"] in {"None", "Some"}
    }
    for entry in responses.values():
        entry.get("content", {}).pop("application/x-ndjson", None)
        if entry.get("content", {}).pop("application/problem+json", None):
            del entry["content"]
        if entry["description"] in {"The view", "Successful Response"}:
            entry.pop("description")
    named = [one["name"] for one in operation.pop("parameters", ())]
    operation.pop("security", None)
    if "operationId" in operation:  # FastAPI adds path and method to the name
        operation["operationId"] = operation["operationId"].removesuffix(f"_x_{verb}")
    return operation, responses, [one for one in named if one not in {"_meta", "Idempotency-Key"}]


REFUSED = {
    "methods": {"methods": ["GET"]},
    "endpoint": {"endpoint": left_out},
    "route class": {"route_class_override": object},
    "informational status": {"status_code": 103},
    "no status": {"status_code": 1000},
    "two statuses": {"status": 201, "status_code": 202},
    "content of a 204": {"status_code": 204},
    "content of a 205": {"status": 205},
    "no JSON form": {"response_model": object.__subclasses__},
}


@pytest.mark.parametrize("options", REFUSED.values(), ids=REFUSED)
def test_option_without_effect_is_refused(options):
    """The declaration raises, and the message names the view."""
    with pytest.raises(ConfigurationError, match=r"view .*x"):

        @Views().post("/x", **options)
        async def x() -> Data:
            return Data()


@pytest.mark.parametrize("name", ["response_class", "methods"])
def test_option_without_effect_on_a_stream_is_refused(name):
    """A stream is lines of JSON, and a GET."""
    with pytest.raises(ConfigurationError, match=name):

        @Views().stream("/x", **{name: HTMLResponse})
        async def x() -> AsyncIterator[Data]:
            yield Data()


def test_unknown_option_is_refused():
    """A misspelt option is refused, as with FastAPI, and the error names the right one."""
    with pytest.raises(ConfigurationError, match=r"has no sumary=: is summary meant\?"):

        @Views().get("/x", sumary="A view")
        async def x() -> Data:
            return Data()


async def test_default_class_of_the_app_is_refused():
    """Views would ignore it, so the gateway refuses it."""

    def declare(routes):
        @routes.get("/x")
        async def x() -> Data:
            return Data()

        return Ask()

    with pytest.raises(ConfigurationError, match="default_response_class"):
        async with serving("the fast path", declare, default_response_class=HTMLResponse):
            pass


KNOWN = {
    *DOCUMENTED,
    *(f"response_model_{one}" for one in ("include", "exclude", "by_alias", "exclude_unset")),
    *(f"response_model_{one}" for one in ("exclude_defaults", "exclude_none")),
    "dependencies",
    "max_body_size",
    "form_limits",
    "strict_content_type",
    *("path", "self", "endpoint", "methods", "route_class_override"),
}


def test_every_option_of_fastapi_is_known():
    """A new option of FastAPI needs a decision here: support it, or refuse it."""
    taken = {
        *inspect.signature(APIRouter.add_api_route).parameters,
        *inspect.signature(APIRouter.get).parameters,
        *inspect.signature(FastAPI.post).parameters,
    }

    assert taken <= KNOWN


@pytest.mark.parametrize("size", [10, 200])
async def test_dependencies_and_limits_of_a_route_have_an_effect(size):
    """A dependency runs, and a body may be no larger than the route says."""

    def header(response: Response) -> None:
        response.headers["x-ran"] = "1"

    def declare(routes):
        @routes.post("/x", max_body_size=100, dependencies=[Depends(header)])
        async def x(data: list[int]) -> list[int]:
            return data

        return Ask(method="POST", options={"json": [1] * (size // 3)})

    plain = await assert_alike(declare)

    assert plain.status_code == (200 if size < 100 else 413)
