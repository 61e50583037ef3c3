"""The features of FastAPI's tutorial that concern an answer, in the order of its chapters."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import (
    APIRouter,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Path,
    Query,
    Request,
    Response,
    Security,
    status,
)
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)
from fastapi.security import APIKeyHeader, HTTPBasic, OAuth2PasswordBearer, SecurityScopes
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from tests.rest.conformance.three_ways import Ask, assert_alike, feature, features

RAN: list[str] = []


class Item(BaseModel):
    """A thing."""

    name: str
    price: float = 1.5
    tags: list[str] = []


@dataclass
class Author:
    """Who wrote it."""

    name: str
    items: list[Item] = field(default_factory=list)


class Name(str, Enum):  # noqa: UP042 - as the tutorial has it
    """A model of the tutorial."""

    alexnet = "alexnet"


@feature
def path_parameters(routes):
    @routes.get("/files/{file_path:path}/{item_id}/{name}/{at}")
    async def x(file_path: str, item_id: int, name: Name, at: date) -> dict[str, Any]:
        return {"path": file_path, "id": item_id, "name": name, "at": at}

    return Ask("/files/home/a%20b/c.txt/7/alexnet/2024-05-01", is_compiled=True)


@feature
def converted_path(routes):
    @routes.get("/x/{n:int}/{f:float}/{u:uuid}")
    async def x(n: int, f: float, u: UUID) -> list[Any]:
        return [n, f, u]

    return Ask(f"/x/7/1.5/{UUID(int=1)}", is_compiled=True)


@feature
def body_beside_a_path_of_many_segments(routes):
    @routes.put("/x/{path:path}")
    async def x(path: str, name: Annotated[str, Body()]) -> list[str]:
        return [path, name]

    return Ask("/x/a/b", method="PUT", options={"json": "n"})


@feature
def first_route_wins(routes):
    @routes.get("/users/me")
    async def me() -> str:
        return "me"

    @routes.get("/users/{user_id}")
    async def user(user_id: str) -> str:
        return user_id

    return Ask("/users/me", is_compiled=True)


@feature
def query_parameters_are_converted(routes):
    @routes.get("/x")
    async def x(
        *,
        a: int,
        short: bool = False,
        b: str | None = None,
        kind: Literal["a", "b"] = "a",
        price: Decimal = Decimal(1),
        wait: timedelta = timedelta(0),
        at: datetime | None = None,
        of: UUID | None = None,
    ) -> dict[str, Any]:
        return {"a": a, "s": short, "b": b, "k": kind, "p": price, "w": str(wait), "t": at, "o": of}

    query = "a=1&short=yes&b=%C3%A4+b&kind=b&price=1.50&wait=PT1H&at=2024-05-01T00:00Z"
    return Ask(f"/x?{query}&of={UUID(int=1)}", is_compiled=True)


@feature
def query_validation(routes):
    @routes.get("/x")
    async def x(
        q: Annotated[str, Query(alias="item-query", min_length=3, pattern="^f", deprecated=True)],
        hidden: Annotated[str | None, Query(include_in_schema=False)] = None,
    ) -> list[str | None]:
        return [q, hidden]

    return Ask("/x?item-query=fixed&hidden=h", is_compiled=True)


@feature
def last_of_several_values(routes):
    @routes.get("/x")
    async def x(q: str) -> str:
        return q

    return Ask("/x?q=a&q=b&q=", is_compiled=True)


@feature
def query_list(routes):
    @routes.get("/x")
    async def x(q: Annotated[list[str], Query()] = ["a"]) -> list[str]:  # noqa: B006
        return q

    return Ask("/x?q=foo&q=bar")


@feature
def validators_of_the_author(routes):
    @routes.get("/x")
    async def x(
        q: Annotated[str, AfterValidator(str.upper)],
        n: Annotated[int, BeforeValidator(len)],
        made: Annotated[str, Query(default_factory=lambda: "made")],
    ) -> list[Any]:
        return [q, n, made]

    return Ask("/x?q=a&n=abc", is_compiled=True)


@feature
def numeric_path_validation(routes):
    @routes.get("/x/{item_id}")
    async def x(item_id: Annotated[int, Path(title="The id", ge=1, le=9)]) -> int:
        return item_id

    return Ask("/x/10", is_compiled=True)


class Filter(BaseModel):
    """A model of query parameters."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, gt=0)
    order: Literal["a", "b"] = "a"
    tags: list[str] = []


@feature
def query_model(routes):
    @routes.get("/x")
    async def x(query: Annotated[Filter, Query()]) -> Filter:
        return query

    return Ask("/x?limit=5&tags=a&tags=b")


@feature
def query_model_forbids(routes):
    @routes.get("/x")
    async def x(query: Annotated[Filter, Query()]) -> Filter:
        return query

    return Ask("/x?other=1")


@feature
def several_bodies(routes):
    @routes.put("/x/{item_id}")
    async def x(
        item_id: int, item: Item, author: Author, importance: Annotated[int, Body(gt=0)]
    ) -> dict[str, Any]:
        return {"id": item_id, "item": item, "author": author, "importance": importance}

    body = {"item": {"name": "a"}, "author": {"name": "b"}, "importance": 5}
    return Ask("/x/3", method="PUT", options={"json": body})


@feature
def embedded_body(routes):
    @routes.post("/x")
    async def x(item: Annotated[Item, Body(embed=True)]) -> Item:
        return item

    return Ask(method="POST", options={"json": {"item": {"name": "a"}}})


@feature
def cookie_parameter(routes):
    @routes.get("/x")
    async def x(ads_id: Annotated[str | None, Cookie()] = None) -> str | None:
        return ads_id

    return Ask(options={"headers": {"cookie": "ads_id=a"}})


@feature
def header_parameters(routes):
    @routes.get("/x")
    async def x(
        user_agent: Annotated[str, Header()],
        strange_header: Annotated[str | None, Header(convert_underscores=False)] = None,
        x_token: Annotated[int, Header(alias="X-Token")] = 0,
    ) -> list[Any]:
        return [user_agent, strange_header, x_token]

    headers = {"user-agent": "me", "strange_header": "s", "x-token": "7"}
    return Ask(is_compiled=True, options={"headers": headers})


class CommonHeaders(BaseModel):
    """A model of headers."""

    host: str
    save_data: bool
    x_tag: list[str] = []


@feature
def header_model(routes):
    @routes.get("/x")
    async def x(headers: Annotated[CommonHeaders, Header()]) -> CommonHeaders:
        return headers

    given = [("save-data", "true"), ("x-tag", "a"), ("x-tag", "b")]
    return Ask(options={"headers": given})


class Cookies(BaseModel):
    """A model of cookies."""

    session_id: str
    tracker: str | None = None


@feature
def cookie_model(routes):
    @routes.get("/x")
    async def x(cookies: Annotated[Cookies, Cookie()]) -> Cookies:
        return cookies

    return Ask(options={"headers": {"cookie": "session_id=a"}})


@feature
def separate_schemas_of_input_and_output(routes):
    @routes.post("/x")
    async def x(item: Item) -> list[Item]:
        return [item, Item(name="b")]

    return Ask(method="POST", options={"json": {"name": "a"}})


@feature
def status_by_name(routes):
    @routes.post("/x", status_code=status.HTTP_201_CREATED)
    async def x(name: str) -> dict[str, str]:
        return {"name": name}

    return Ask("/x?name=a", method="POST", is_compiled=True)


@feature
def error_with_headers(routes):
    @routes.get("/x/{item_id}")
    async def x(item_id: str) -> str:
        raise HTTPException(404, detail={"id": item_id}, headers={"X-Error": "There goes my error"})

    return Ask("/x/a", is_compiled=True)


@feature
def wrong_input(routes):
    @routes.get("/x")
    async def x(a: int, b: Annotated[int, Query(ge=1)]) -> int:
        return a + b

    return Ask("/x?a=x&b=0", is_compiled=True)


@feature
def jsonable(routes):
    @routes.get("/x")
    async def x() -> Response:
        return JSONResponse(jsonable_encoder(Author("a", [Item(name="b")])))

    return Ask(is_compiled=True)


@feature
def class_as_dependency(routes):
    class Common:
        def __init__(self, q: str | None = None, skip: int = 0) -> None:
            self.q, self.skip = q, skip

    @routes.get("/x")
    async def x(common: Annotated[Common, Depends()]) -> dict[str, Any]:
        return {"q": common.q, "skip": common.skip}

    return Ask("/x?q=a&skip=2")


@feature
def dependencies_are_called_once(routes):
    calls = []

    def counted() -> int:
        calls.append(1)
        return len(calls)

    def other(count: Annotated[int, Depends(counted)]) -> int:
        return count

    @routes.get("/x")
    async def x(
        a: Annotated[int, Depends(counted)],
        b: Annotated[int, Depends(other)],
        c: Annotated[int, Depends(counted, use_cache=False)],
    ) -> list[int]:
        return [a, b, c]

    return Ask()


@feature
def dependency_with_yield_ends_after_the_answer(routes):
    async def resource() -> AsyncIterator[list[str]]:
        RAN.clear()
        try:
            yield RAN
        finally:
            RAN.append("closed")

    @routes.get("/x")
    async def x(resource: Annotated[list[str], Depends(resource)]) -> list[str]:
        return [*resource, "open"]

    return Ask()


@feature
def dependency_with_yield_turns_an_error_into_another(routes):
    def owner() -> Iterator[str]:
        try:
            yield "Rick"
        except LookupError as error:
            raise HTTPException(409, headers={"x-owner": "Rick"}) from error

    @routes.get("/x")
    async def x(name: Annotated[str, Depends(owner)]) -> str:
        raise LookupError(name)

    return Ask()


@feature
def dependency_refuses(routes):
    async def verify(x_token: Annotated[str, Header()]) -> None:
        if x_token != "secret":
            raise HTTPException(400, headers={"x-why": "token"})

    @routes.get("/x", dependencies=[Depends(verify)])
    async def x() -> str:
        return "never"

    return Ask(options={"headers": {"x-token": "wrong"}})


@feature
def security_with_scopes(routes):
    bearer = OAuth2PasswordBearer("token", scopes={"me": "Read"})

    def user(scopes: SecurityScopes, token: Annotated[str, Depends(bearer)]) -> dict[str, Any]:
        return {"scopes": scopes.scopes, "token": token}

    @routes.get("/x")
    async def x(user: Annotated[dict[str, Any], Security(user, scopes=["me"])]) -> dict[str, Any]:
        return user

    return Ask(options={"headers": {"authorization": "Bearer demo-1"}})


@feature
def missing_key(routes):
    @routes.get("/x")
    async def x(key: Annotated[str, Depends(APIKeyHeader(name="x-key"))]) -> str:
        return key

    return Ask(compared=("www-authenticate",))


@feature
def basic_credentials_missing(routes):
    @routes.get("/x", dependencies=[Depends(HTTPBasic(realm="shop"))])
    async def x() -> str:
        return "never"

    return Ask()


@feature
def request_of_its_own(routes):
    @routes.post("/x/{item_id}")
    async def x(request: Request) -> dict[str, Any]:
        return {
            "body": (await request.body()).decode(),
            "path": request.path_params,
            "url": str(request.url),
            "method": request.method,
            "state": getattr(request.state, "nothing", None),
        }

    return Ask("/x/7?a=b", method="POST", options={"content": b"text"})


@feature
def response_returned_directly(routes):
    @routes.get("/x", status_code=202)
    async def x() -> Response:
        response = PlainTextResponse("text", 418, headers={"x-a": "1"})
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    return Ask(is_compiled=True)


@feature
def response_instead_of_the_declared_type(routes):
    @routes.get("/x/{found}", response_model=Item)
    async def x(found: bool) -> Any:
        return Item(name="a") if found else JSONResponse({"message": "None"}, 404)

    return Ask("/x/false", is_compiled=True)


@feature
def html_with_a_return_type(routes):
    @routes.get("/x")
    async def x() -> HTMLResponse:
        return HTMLResponse("<p>")

    return Ask(is_compiled=True)


@feature
def redirect_returned(routes):
    @routes.get("/x")
    async def x() -> RedirectResponse:
        return RedirectResponse("/elsewhere?a=ä", 303)

    return Ask(is_compiled=True)


@feature
def stream_returned(routes):
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0)
            yield b"some bytes"

    @routes.get("/x")
    async def x() -> StreamingResponse:
        return StreamingResponse(pieces(), media_type="video/mp4")

    return Ask(is_compiled=True)


@feature
def additional_statuses(routes):
    @routes.put("/x/{item_id}", responses={201: {"model": Item}})
    async def x(item_id: str, name: Annotated[str, Body()]) -> Item:
        return JSONResponse({"name": name}, 201)  # type: ignore[return-value]

    return Ask("/x/a", method="PUT", options={"json": "n"})


@feature
def nothing_returned(routes):
    @routes.post("/x")
    async def x() -> None:
        return None

    return Ask(method="POST", is_compiled=True)


@feature
def path_with_a_slash_at_its_end(routes):
    @routes.get("/x/")
    async def x() -> str:
        return "a"

    return Ask("/x/", is_compiled=True)


@feature
def unicode_is_written_as_it_is(routes):
    @routes.get("/x")
    async def x() -> dict[str, str]:
        return {"ä": "€ \u2028 </script> 😀"}

    return Ask(is_compiled=True, compared=("content-length",))


@feature
def files_of_the_author(routes):
    @routes.get("/x")
    async def x() -> dict[str, FilePath]:
        return {"path": FilePath("/a")}

    return Ask(is_compiled=True)


@pytest.mark.parametrize("declare", features(globals()), ids=lambda one: one.__name__)
async def test_feature_of_the_tutorial_answers_alike(declare):
    """Code from FastAPI's tutorial gets the same answers."""
    await assert_alike(declare)


class Unicorn(Exception):
    """An error of the author."""


def with_handlers(app: FastAPI) -> None:
    @app.exception_handler(Unicorn)
    async def unicorn(request: Request, error: Unicorn) -> Response:
        return JSONResponse({"path": request.url.path}, 418, headers={"x-unicorn": "1"})

    @app.exception_handler(404)
    def missing(request: Request, error: Exception) -> Response:
        return PlainTextResponse("nothing here", 404, headers={"x-missing": "1"})

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        errors = [(one["type"], one["loc"], one["input"]) for one in error.errors()]
        return PlainTextResponse(repr((errors, error.body)), 400, headers={"x-errors": "1"})

    @app.exception_handler(ResponseValidationError)
    async def wrong(request: Request, error: ResponseValidationError) -> Response:
        errors = [(one["type"], one["loc"]) for one in error.errors()]
        return PlainTextResponse("", 503, headers={"x-errors": repr(errors)})


FAILING = {
    "author's error": ("/unicorn", {}),
    "status": ("/missing", {}),
    "unknown path": ("/nowhere", {}),
    "wrong query": ("/invalid?a=x", {}),
    "missing query": ("/invalid", {}),
    "wrong result": ("/wrong", {}),
    "wrong result in a list": ("/wrongs", {}),
    "error of a dependency": ("/dependency", {}),
}


@pytest.mark.parametrize(("path", "options"), FAILING.values(), ids=FAILING)
async def test_exception_handlers_are_called_alike(path, options):
    """A handler of the app gets the same error of every view, and its answer is sent."""

    def declare(routes):
        @routes.get("/unicorn")
        async def unicorn() -> str:
            raise Unicorn

        @routes.get("/missing")
        async def missing() -> str:
            raise HTTPException(404)

        @routes.get("/invalid")
        async def invalid(a: int, b: Annotated[str, Header(alias="x-b")]) -> int:
            return a

        @routes.get("/wrong")
        async def wrong() -> Item:
            return {"price": "x"}  # type: ignore[return-value]

        @routes.get("/wrongs")
        async def wrongs() -> list[int]:
            return ["x"]  # type: ignore[list-item]

        def failing() -> None:
            raise Unicorn

        @routes.get("/dependency", dependencies=[Depends(failing)])
        async def dependency() -> str:
            return "never"

        return Ask(path, is_compiled=path not in {"/nowhere", "/dependency"})

    await assert_alike(declare, prepare=with_handlers)


async def test_middleware_and_mounted_apps_are_passed_alike():
    """Middleware of the app changes every answer; a mounted app serves its own paths."""

    def prepare(app: FastAPI) -> None:
        @app.middleware("http")
        async def add(request: Request, call_next: Any) -> Response:
            response: Response = await call_next(request)
            response.headers["x-process-time"] = "1"
            return response

    def declare(routes):
        @routes.get("/x")
        async def x(response: Response) -> Item:
            response.set_cookie("a", "1")
            return Item(name="a")

        return Ask()

    plain = await assert_alike(declare, prepare=prepare)

    assert plain.headers["x-process-time"] == "1"


async def test_router_of_the_app_is_served_alike():
    """FastAPI serves a plain router beside views."""

    def prepare(app: FastAPI) -> None:
        router = APIRouter(prefix="/more")

        @router.get("/y")
        async def y(response: Response) -> Item:
            response.status_code = 202
            return Item(name="a")

        app.include_router(router)

    def declare(routes):
        @routes.get("/x")
        async def x() -> str:
            return "a"

        return Ask("/more/y", options={"headers": {"authorization": "Bearer demo-1"}})

    plain = await assert_alike(declare, prepare=prepare)

    assert plain.status_code == 202
