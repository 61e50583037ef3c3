"""Views: JSON, status of parts and problem details, alike on the fast and the slow path."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import pytest
from fastapi import Depends, HTTPException, Query, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from httpx import ASGITransport, AsyncClient
from openapi_spec_validator import validate
from shop import Catalog, Product, ProductPage

from bff_core import ANYONE, ConfigurationError, Settings, Views, compose, gateway
from bff_core.events import Crashed
from bff_core.testing.scripted import fail, hang, reply

POLICY = "content-security-policy"

BOTH_LANES = pytest.mark.parametrize("lane", ["fast", "FastAPI's"])


def use(lane, shop):
    """Turn the fast path off for tests of FastAPI's routing."""
    if lane != "fast":
        shop.app.dependency_overrides[object] = object


@BOTH_LANES
async def test_view_answers_with_its_model(shop, lane):
    """A client gets the fields of the view, and the states of its parts."""
    async with shop() as open_shop:
        use(lane, open_shop)

        answer = await open_shop.client.get("/v1/products/7")

    assert answer.status_code == 200
    assert answer.json() == {"title": "A green tent", "reviews": ["good", "dry"]}
    assert answer.headers["part-status"] == "product=ok, reviews=ok"
    assert answer.headers["cache-control"] == "private, no-cache"


@BOTH_LANES
async def test_part_that_no_code_awaits_causes_no_call(shop, lane):
    """A view calls only the services that it uses."""
    async with shop() as open_shop:
        use(lane, open_shop)

        answer = await open_shop.client.get("/v1/products/7/title")

    assert answer.json() == "A green tent"
    assert len(open_shop.scripts["catalog"].calls) == 1
    assert open_shop.scripts["reviews"].calls == []


@BOTH_LANES
async def test_failing_optional_part_is_reported(shop, lane):
    """The answer is a 200 that reports what is missing and why, and is `no-store`."""
    async with shop() as open_shop:
        use(lane, open_shop)
        open_shop.scripts["reviews"].then(reply(500))

        answer = await open_shop.client.get("/v1/products/7?_meta=parts")

    assert answer.status_code == 200
    assert answer.headers["part-status"] == "product=ok, reviews=fallback;reason=bad_status"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "title": "A green tent",
        "reviews": [],
        "_meta": {
            "parts": {
                "product": {"status": "ok"},
                "reviews": {"status": "fallback", "reason": "bad_status"},
            }
        },
    }


@pytest.mark.virtual_time
async def test_slow_optional_part_delays_the_answer_by_its_timeout(shop):
    """An answer waits for a part until the part's timeout."""
    loop = asyncio.get_running_loop()
    async with shop(clock=loop.time) as open_shop:
        open_shop.scripts["reviews"].then(hang())
        began = loop.time()

        answer = await open_shop.client.get("/v1/products/7")

        assert loop.time() - began == pytest.approx(0.4, abs=0.05)
    assert answer.headers["part-status"] == "product=ok, reviews=fallback;reason=timeout"
    assert open_shop.scripts["reviews"].cancelled == 1


@BOTH_LANES
async def test_failing_critical_part_is_a_problem(shop, lane):
    """Without its critical part there is no answer; the status depends on the cause."""
    async with shop() as open_shop:
        use(lane, open_shop)
        open_shop.scripts["catalog"].then(fail())

        answer = await open_shop.client.get("/v1/products/7")

    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["part"]) == ("unavailable", "product")
    assert "127.0.0.1" not in answer.text


@BOTH_LANES
async def test_missing_thing_is_404(shop, lane):
    """A 404 of the service is a 404 of the gateway."""
    async with shop() as open_shop:
        use(lane, open_shop)
        problem = {"detail": "no product 8", "title": "Not found", "status": 404}
        headers = {"content-type": "application/problem+json"}
        missing = reply(404, b'{"detail": "no product 8"}', headers=headers)
        open_shop.scripts["catalog"].then(missing)

        answer = await open_shop.client.get("/v1/products/8")

    assert answer.status_code == 404
    assert answer.json()["detail"] == problem["detail"]


@BOTH_LANES
@pytest.mark.parametrize("first", ["0", "many", "51"])
async def test_invalid_input_is_422(shop, lane, first):
    """Both paths validate the inputs of compositions."""
    async with shop() as open_shop:
        use(lane, open_shop)

        answer = await open_shop.client.get("/v1/products/7", params={"first": first})

    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["in"], error["pointer"]) == ("query", "/first")
    assert open_shop.scripts["catalog"].calls == []


@BOTH_LANES
async def test_missing_input_is_422(shop, lane):
    """An input without a default that is not in the path is a required query parameter."""
    async with shop() as open_shop:
        use(lane, open_shop)

        answer = await open_shop.client.get("/v1/greeting")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["type"] == "missing"


@BOTH_LANES
async def test_viewer_is_wired_by_type(shop, lane):
    """A composition with a viewer field gets the viewer of the request."""
    async with shop() as open_shop:
        use(lane, open_shop)
        path = "/v1/greeting?product_id=7"

        known = await open_shop.client.get(path, headers={"authorization": "Bearer demo-1"})
        unknown = await open_shop.client.get(path)

    assert known.json() == {"greeting": "Hello, 1"}
    assert unknown.json() == {"greeting": None}
    assert unknown.headers["part-status"] == "greeting=missing;reason=not_authenticated"


@BOTH_LANES
async def test_query_reaches_the_composition(shop, lane):
    """A query parameter of the composition is sent to the service."""
    async with shop() as open_shop:
        use(lane, open_shop)

        await open_shop.client.get("/v1/products/7?first=9")

    assert open_shop.scripts["reviews"].calls[0].target == "/reviews?product=7&first=9"


async def test_body_is_validated_and_passed_on(shop):
    """A view that writes takes a typed body."""
    async with shop() as open_shop:
        good = await open_shop.client.put("/v1/products/7", json={"title": "B"})
        bad = await open_shop.client.put("/v1/products/7", json={})

    assert good.status_code == 200
    assert open_shop.scripts["catalog"].calls[0].body == b'{"title":"B"}'
    assert (bad.status_code, bad.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/xml"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
    ids=["text", "xml", "utf-16", "gzip"],
)
async def test_body_that_is_no_json_is_415(shop, headers):
    """The answer says what to send instead; nothing reaches a service."""
    async with shop() as open_shop:
        answer = await open_shop.client.put(
            "/v1/products/7", content=b'{"title": "B"}', headers=headers
        )

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert open_shop.scripts["catalog"].calls == []


@pytest.mark.virtual_time
async def test_head_is_a_get_without_content(shop):
    """It has the headers of the GET, and no content."""
    async with shop(clock=asyncio.get_running_loop().time) as open_shop:
        full = await open_shop.client.get("/v1/products/7")
        head = await open_shop.client.head("/v1/products/7")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == full.headers["content-length"]
    assert head.headers["part-status"] == full.headers["part-status"]


@pytest.mark.parametrize("query", ["x_meta=parts", "_meta=partsfoo", "_meta=all"])
async def test_meta_is_added_only_on_request(shop, query):
    """A similar query parameter has no effect."""
    async with shop() as open_shop:
        answer = await open_shop.client.get(f"/v1/products/7?{query}")

    assert "_meta" not in answer.json()


async def test_stream_is_lines_of_json(shop):
    """Each value is sent as a line at once."""
    async with shop() as open_shop:
        answer = await open_shop.client.get("/v1/products/7/words")

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.text == '"A"\n"green"\n"tent"\n'


async def test_stream_that_fails_before_its_first_value_is_a_problem(shop):
    """Nothing has been sent, so the failure can still be a problem document."""
    async with shop() as open_shop:
        open_shop.scripts["catalog"].then(reply(503))

        answer = await open_shop.client.get("/v1/products/7/words")

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nothing", 404), ("DELETE", "/v1/products/7", 405), ("POST", "/v1/greeting", 405)],
)
async def test_unknown_routes_are_problems(shop, method, path, status):
    """Errors of the framework have the form of all others."""
    async with shop() as open_shop:
        answer = await open_shop.client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_views_are_in_openapi(shop):
    """The document has the inputs, the model, the parts and the problems, and is valid."""
    async with shop() as open_shop:
        document = (await open_shop.client.get("/openapi.json")).json()

    validate(document)
    view = document["paths"]["/v1/products/{product_id}"]["get"]
    assert {one["name"] for one in view["parameters"]} == {"product_id", "first", "_meta"}
    schema, _ = view["responses"]["200"]["content"]["application/json"]["schema"]["allOf"]
    assert schema["$ref"].endswith("/ProductView")
    assert "Part-Status" in view["responses"]["200"]["headers"]
    assert "application/problem+json" in view["responses"]["default"]["content"]


async def test_composition_can_be_overridden(shop):
    """`dependency_overrides` replaces a composition, as it does any dependency."""

    class Stub:
        async def product(self):
            return Product("7", "Overridden")

    async with shop() as open_shop:
        open_shop.app.dependency_overrides[compose(ProductPage)] = Stub
        answer = await open_shop.client.get("/v1/products/7/title")

    assert answer.json() == "Overridden"


async def test_middleware_of_the_app_sees_every_view(shop):
    """A gateway is a FastAPI app: middleware is not bypassed."""
    paths: list[str] = []

    class Watch:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            paths.append(scope["path"])
            await self.app(scope, receive, send)

    async with shop() as open_shop:
        open_shop.app.add_middleware(Watch)
        await open_shop.client.get("/v1/products/7")

    assert paths == ["/v1/products/7"]


async def test_dependency_of_a_route_guards_its_view(shop):
    """The fast path does not skip dependencies of a route."""

    def refuse():
        raise HTTPException(403)

    views = Views(access=ANYONE)

    @views.get("/guarded", dependencies=[Depends(refuse)])
    async def guarded() -> str:
        return "secret"

    async with shop() as open_shop:
        views.install(open_shop.app, open_shop.app.fast_path, is_development=True)
        answer = await open_shop.client.get("/guarded")

    assert answer.status_code == 403


async def test_dependency_of_the_app_guards_every_view(shop):
    """Dependencies of the app run for compiled views as well."""

    def refuse():
        raise HTTPException(403)

    async with shop(dependencies=[Depends(refuse)]) as open_shop:
        answer = await open_shop.client.get("/v1/products/7")

    assert answer.status_code == 403


async def test_view_may_take_the_request(shop):
    """A view or a stream gets FastAPI's `Request`, whatever the name of the parameter."""
    views = Views(access=ANYONE)

    @views.get("/agent")
    async def get_agent(request: Request) -> str:
        return request.headers["user-agent"]

    @views.stream("/agents")
    async def stream_agents(request: Request) -> AsyncIterator[str]:
        yield request.headers["user-agent"]

    async with shop() as open_shop:
        views.install(open_shop.app, open_shop.app.fast_path, is_development=True)
        answered = await open_shop.client.get("/agent", headers={"user-agent": "phone"})
        streamed = await open_shop.client.get("/agents", headers={"user-agent": "desktop"})

    assert (answered.json(), streamed.json()) == ("phone", "desktop")


@BOTH_LANES
async def test_response_of_a_view_is_sent_as_it_is(shop, lane):
    """A response that a view returns is not changed, also if it streams."""
    views = Views(access=ANYONE)

    @views.get("/own")
    async def own() -> StreamingResponse:
        return StreamingResponse(iter(["a", "b"]), status_code=203)

    async with shop() as open_shop:
        use(lane, open_shop)
        views.install(open_shop.app, open_shop.app.fast_path, is_development=True)
        answer = await open_shop.client.get("/own")

    assert (answer.status_code, answer.text) == (203, "ab")


@BOTH_LANES
@pytest.mark.parametrize("path", ["/things/new", "/things/old", "/things/lines", "/things/7"])
async def test_first_route_that_matches_serves(shop, lane, path):
    """Compiled views have the same order among the routes as others."""
    views = Views(access=ANYONE)

    @views.stream("/things/lines")
    async def lines():
        yield "lines"

    @views.get("/things/new")
    async def new() -> str:
        return "new"

    @views.get("/things/{name}")
    async def any_other(name: str) -> str:
        return "other"

    @views.get("/things/old")
    async def never() -> str:
        return "never"

    expected = {"/things/new": "new", "/things/lines": "lines"}
    async with shop() as open_shop:
        use(lane, open_shop)
        views.install(open_shop.app, open_shop.app.fast_path, is_development=True)
        answer = await open_shop.client.get(path)

    assert answer.json() == expected.get(path, "other")


@BOTH_LANES
async def test_handler_of_a_particular_error_is_used(shop, lane):
    """An exception handler of the app, async or not, answers for its error or status."""

    class Odd(Exception):
        pass

    views = Views(access=ANYONE)

    @views.get("/odd")
    async def odd() -> str:
        raise Odd

    @views.get("/teapot")
    async def teapot() -> str:
        raise HTTPException(418)

    def tell(_request, error):
        return PlainTextResponse(type(error).__name__, 299)

    async with shop() as open_shop:
        use(lane, open_shop)
        views.install(open_shop.app, open_shop.app.fast_path, is_development=True)
        open_shop.app.add_exception_handler(Odd, tell)
        open_shop.app.add_exception_handler(418, tell)
        answers = [await open_shop.client.get(path) for path in ("/odd", "/teapot")]

    assert [(one.status_code, one.text) for one in answers] == [
        (299, "Odd"),
        (299, "HTTPException"),
    ]


@BOTH_LANES
async def test_bug_in_a_view_is_a_500_without_internals(shop, lane):
    """The client gets no details of the bug; event sinks get all of them."""
    views = Views(access=ANYONE)

    @views.get("/bug")
    async def bug() -> str:
        raise ZeroDivisionError("secret")

    async with shop() as open_shop:
        use(lane, open_shop)
        views.install(open_shop.app, open_shop.app.fast_path, is_development=True)
        answer = await open_shop.client.get("/bug")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    [crash] = [event for event in open_shop.heard if isinstance(event, Crashed)]
    assert isinstance(crash.error, ZeroDivisionError)


async def test_server_timing_is_sent_in_development(shop):
    """A developer can see the duration of each part."""
    async with shop() as open_shop:
        answer = await open_shop.client.get("/v1/products/7")

    assert answer.headers["server-timing"].startswith("product;dur=")


async def test_open_circuit_of_a_critical_service_is_not_ready(shop):
    """A gateway is not ready while the circuit of a critical service is open."""
    async with shop() as open_shop:
        ready = await open_shop.client.get("/readyz")
        open_shop.scripts["catalog"].then(reply(500))
        for product_id in range(30):
            await open_shop.client.get(f"/v1/products/{product_id}")
        unready = await open_shop.client.get("/readyz")

    assert (ready.status_code, unready.status_code) == (200, 503)
    assert unready.json()["reasons"] == {"upstreams": "circuit open: catalog"}


async def test_upstream_shows_its_stack(shop):
    """`repr` of a client has its layers, one per line, the outermost first."""
    async with shop() as open_shop:
        lines = repr(open_shop.app.services[Catalog]).splitlines()

    assert [line.split()[0] for line in lines[:8]] == [
        "Catalog",
        "deadline",
        "coalesce",
        "retry",
        "breaker",
        "bulkhead",
        "attempt",
        "balance",
    ]


def test_service_without_an_address_is_refused():
    """The error names the variable to set."""
    with pytest.raises(ConfigurationError, match="BFF_UPSTREAM_CATALOG is not set"):
        gateway("broken", services=[Catalog], settings=Settings(env="development"))


def test_view_that_is_no_coroutine_is_refused():
    """A plain function is refused when it is declared, not when it is called."""
    with pytest.raises(ConfigurationError, match="async def"):

        @Views().get("/plain")
        def plain() -> str:
            return ""


@BOTH_LANES
async def test_parameter_is_known_by_its_validation_alias(shop, lane):
    """FastAPI reads parameters with a validation alias."""
    views = Views(access=ANYONE)

    @views.get("/named")
    async def named(first: Annotated[int, Query(validation_alias="top")] = 3) -> int:
        return first

    async with shop() as open_shop:
        use(lane, open_shop)
        views.install(open_shop.app, open_shop.app.fast_path, is_development=True)
        answer = await open_shop.client.get("/named?top=6")

    assert answer.json() == 6


async def test_documentation_page_may_load_its_script(shop):
    """FastAPI's page, where it is wanted: the policy of other answers would leave it blank."""
    async with shop(docs_url="/docs") as open_shop:
        page = await open_shop.client.get("/docs")
        data = await open_shop.client.get("/openapi.json")

    assert "script-src 'unsafe-inline' https://cdn.jsdelivr.net" in page.headers[POLICY]
    assert page.headers.get_list(POLICY) == [page.headers[POLICY]]
    assert data.headers[POLICY].startswith("default-src 'none'; frame-ancestors")


async def test_gateway_that_is_started_again_is_ready(shop):
    """The drain of one run of the app does not affect the next run."""
    async with shop() as open_shop:
        app = open_shop.app
    client = AsyncClient(transport=ASGITransport(app), base_url="http://testserver")
    async with client:
        async with app.router.lifespan_context(app):
            pass
        ended = await client.get("/readyz")
        async with app.router.lifespan_context(app):
            begun = await client.get("/readyz")

    assert (ended.status_code, ended.json()["reasons"]) == (503, {"gateway": "draining"})
    assert begun.status_code == 200
