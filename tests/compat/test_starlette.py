"""What `bff_core/compat/starlette.py` needs of Starlette; each test is one promise."""

from http import HTTPStatus

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount, Route, Router

from bff_core.compat import starlette as compat


async def answer(request: Request) -> Response:
    """Answer with the path's parameters."""
    return PlainTextResponse(repr(request.path_params))


def test_get_route_path_strips_the_root_path():
    """Routes match the path behind `root_path`, and all of it where it does not begin with that."""
    assert compat.get_route_path({"path": "/api/items", "root_path": "/api"}) == "/items"
    assert compat.get_route_path({"path": "/apiitems", "root_path": "/api"}) == "/apiitems"
    assert compat.get_route_path({"path": "/items", "root_path": ""}) == "/items"


def test_is_async_callable_knows_functions_and_objects():
    """Exception handlers are awaited if they are coroutine functions, or called like one."""

    class Handler:
        async def __call__(self) -> None: ...

    assert compat.is_async_callable(answer)
    assert compat.is_async_callable(Handler())
    assert not compat.is_async_callable(repr)


def test_compile_path_returns_pattern_template_and_convertors():
    """`compile_path` gives a pattern, a template (`{name}` for `{name:path}`) and convertors."""
    pattern, template, convertors = compat.compile_path("/files/{name:path}/{part:int}")

    match = pattern.match("/files/a/b/7")

    assert template == "/files/{name}/{part}"
    assert {key: convertors[key].convert(one) for key, one in match.groupdict().items()} == {
        "name": "a/b",
        "part": 7,
    }
    assert pattern.match("/files/a/b") is None


def test_a_parameter_of_a_path_has_a_slash_only_as_a_path():
    """Starlette's convertors match one segment, except `path`."""
    _, _, convertors = compat.compile_path("/{a}/{b:int}/{c:float}/{d:uuid}/{e:path}")

    found = {name: compat.is_in_one_segment(one) for name, one in convertors.items()}

    assert found == {"a": True, "b": True, "c": True, "d": True, "e": False}


def test_a_route_and_a_mount_have_a_path_pattern():
    """`path_regex` matches what a route serves, and what is below a mount."""
    assert compat.path_pattern_of(Route("/a/{b}", answer)).match("/a/1")
    assert compat.path_pattern_of(Mount("/m", routes=[])).match("/m/below")


@pytest.mark.parametrize(("host", "is_served"), [("a.example", True), ("b.example", False)])
def test_a_route_says_whether_it_serves_a_request(host, is_served):
    """`BaseRoute.matches` returns `Match.FULL` first; a `Host` has no pattern of paths."""
    route = Host("a.example", app=PlainTextResponse("a"))
    scope = {"type": "http", "path": "/", "headers": [(b"host", host.encode())]}

    assert compat.path_pattern_of(route) is None
    assert compat.serves(route, scope) is is_served


async def test_what_wraps_a_router_is_called_first():
    """`Router.middleware_stack` is what the router calls, inside the middleware of its app."""
    app, calls = Starlette(routes=[Route("/", answer)]), []

    def wrapped(router):
        async def wrapper(scope, receive, send):
            calls.append(scope["path"])
            await router(scope, receive, send)

        return wrapper

    compat.wrap_router(app.router, wrapped)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        reply = await client.get("/")

    assert (reply.status_code, calls) == (200, ["/"])


async def test_the_app_of_a_route_can_be_replaced():
    """`Route.app` is what a matched request is handed to."""
    route = Route("/", answer)
    inner, calls = route.app, []

    async def noted(scope, receive, send):
        calls.append(scope["path"])
        await inner(scope, receive, send)

    route.app = noted
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(Router([route])), base_url="http://t"
    ) as client:
        await client.get("/")

    assert calls == ["/"]


async def test_the_raw_headers_of_a_response_are_sent():
    """`Response.raw_headers` is a list of pairs, sent as it is, and may be replaced."""
    response, sent = Response(b"x"), []
    response.raw_headers = [(b"x-one", b"1"), (b"x-one", b"2")]

    async def send(message):
        sent.append(message)

    await response({"type": "http", "method": "GET"}, None, send)

    assert sent[0]["headers"] == [(b"x-one", b"1"), (b"x-one", b"2")]
    assert isinstance(PlainTextResponse("").raw_headers, list)


async def test_an_error_amid_an_answer_is_wrapped():
    """An error that has a handler becomes a `RuntimeError` with the error as its cause."""

    async def breaks(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise HTTPException(404)

    app = Starlette(routes=[Mount("/", app=breaks)])

    with pytest.raises(RuntimeError) as caught:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://t"
        ) as client:
            await client.get("/")

    assert type(caught.value) is RuntimeError
    assert isinstance(caught.value.__cause__, HTTPException)
    assert compat.is_late_failure(caught.value)
    assert not compat.is_late_failure(RuntimeError("another"))


def test_an_exception_without_a_detail_has_the_phrase_of_its_status():
    """A default detail is Python's phrase, so that problem details can leave it out."""
    assert HTTPException(404).detail == HTTPStatus(404).phrase


async def test_a_mount_names_the_root_path_of_its_app():
    """`app_root_path` is the root path before a mount added to it."""
    calls = []

    async def inner(scope, receive, send):
        calls.append((scope["app_root_path"], scope["root_path"]))
        await Response()(scope, receive, send)

    app = Starlette(routes=[Mount("/m", app=inner)])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, root_path="/base"), base_url="http://t"
    ) as client:
        await client.get("/base/m/x")

    assert calls == [("/base", "/base/m")]
