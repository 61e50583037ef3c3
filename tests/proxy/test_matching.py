"""Which route serves a request, among proxied routes and routes in Python."""

import pytest
from fastapi import FastAPI

from bff_core import Cache, Views
from bff_core.auth import ANYONE, access
from bff_core.errors import ConfigurationError
from bff_core.proxy import Condition, Headers, Match, Proxy, Route, Transform
from bff_core.testing import client
from tests.proxy.proxied import DEVELOPMENT, Others, ids_of, proxied, route, served

pytestmark = pytest.mark.virtual_time

BOTH_PATHS = pytest.mark.parametrize("is_slow", [False, True], ids=["fast", "slow"])

ROUTES = (
    route("rest", "/{rest:path}"),
    route("all-of-a", "/a/{rest:path}"),
    route("value", "/a/{name}"),
    route("number", "/a/{n:int}"),
    route("literal", "/a/b"),
    route("beta", "/a/b", match={"headers": {"X-Beta": "1"}}),
    route("only-posts", "/a/b", match={"methods": ("POST",)}),
    route("on-host", "/a/{rest:path}", match={"hosts": ("admin.test",)}),
    route("wildcard", "/a/{rest:path}", match={"hosts": ("*.eu.test",)}),
    route("first", "/z", match={"order": 5}),
    route("best", "/{z}", match={"order": -5, "query": {"best": "1"}}),
)


REQUESTS = [
    ("GET", "/", {}, "rest"),
    ("GET", "/b/c", {}, "rest"),
    ("GET", "/a/x/y", {}, "all-of-a"),
    ("GET", "/a/", {}, "all-of-a"),
    ("GET", "/a", {}, "rest"),
    ("GET", "/a/x", {}, "value"),
    ("GET", "/a/7", {}, "number"),
    ("GET", "/a/b", {}, "literal"),
    ("GET", "/A/b", {}, "rest"),
    ("GET", "/a/b", {"X-Beta": "1"}, "beta"),
    ("GET", "/a/b", {"X-Beta": "2"}, "literal"),
    ("POST", "/a/b", {}, "only-posts"),
    ("POST", "/a/b", {"X-Beta": "1"}, "only-posts"),
    ("GET", "/a/b", {"Host": "admin.test"}, "on-host"),
    ("GET", "/a/b", {"Host": "ADMIN.test:80"}, "on-host"),
    ("GET", "/a/b", {"Host": "x.eu.test"}, "wildcard"),
    ("GET", "/a/b", {"Host": "eu.test"}, "literal"),
    ("GET", "/z", {}, "rest"),
    ("GET", "/z?best=1", {}, "best"),
    ("GET", "/a%2Fb", {}, "400"),
    ("GET", "/a/x%2Fy", {}, "value"),
    ("GET", "/a/%62", {}, "literal"),
    ("GET", "/%61/b", {}, "literal"),
    ("OPTIONS", "/a/x", {}, "value"),
    ("M-SEARCH", "/a/x", {}, "value"),
]


@BOTH_PATHS
@pytest.mark.parametrize("routes", [ROUTES, ROUTES[::-1]], ids=["in order", "reversed"])
async def test_the_most_specific_route_wins(is_slow, routes):
    """Whatever the order of the routes is, and on both ways through the gateway."""
    served_by = []
    environ = {"BFF_ALLOWED_HOSTS": "*"}
    async with served(*routes, is_slow=is_slow, environ=environ) as opened:
        for method, url, headers, _ in REQUESTS:
            opened.calls.clear()
            answer = await opened.request(method, url, headers=headers)
            served_by.append(ids_of(opened) or [str(answer.status_code)])

    assert served_by == [[expected] for *_, expected in REQUESTS]


CONDITIONS = [
    ({"headers": {"X-A": "1"}}, {"headers": {"X-A": "1"}}, {"headers": {"X-A": "12"}}),
    (
        {"headers": {"X-A": Condition(prefix="v")}},
        {"headers": [("X-A", "w"), ("X-A", "v2")]},
        {"headers": {"X-A": "w"}},
    ),
    ({"headers": {"X-A": Condition(exists=True)}}, {"headers": {"X-A": ""}}, {}),
    ({"headers": {"X-A": Condition(absent=True)}}, {}, {"headers": {"X-A": ""}}),
    (
        {"headers": {"X-A": Condition(regex="v[0-9]+")}},
        {"headers": {"X-A": "v12"}},
        {"headers": {"X-A": "v12x"}},
    ),
    (
        {"headers": {"X-A": Condition(regex="v*")}},
        {"headers": {"X-A": "v" * 1024}},
        {"headers": {"X-A": "v" * 1025}},
    ),
    ({"query": {"q": "a b"}}, {"params": "q=a+b"}, {"params": "Q=a+b"}),
    ({"query": {"q": Condition(exists=True)}}, {"params": "p=1&q"}, {"params": "qq=1"}),
    ({"query": {"q": "2"}}, {"params": "q=1&q=2"}, {"params": "q=1&q=22"}),
    (
        {"cookies": {"beta": "1"}},
        {"headers": {"Cookie": "a=2; beta=1"}},
        {"headers": {"Cookie": "beta=2"}},
    ),
    (
        {"cookies": {"beta": Condition(absent=True)}},
        {"headers": {"Cookie": "alpha=1"}},
        {"headers": {"Cookie": "beta="}},
    ),
    (
        {"client": "ios"},
        {"headers": {"User-Agent": "Shop/3 CFNetwork/1"}},
        {"headers": {"User-Agent": "curl/8"}},
    ),
    (
        {"app_version": ">=4.2,<5"},
        {"headers": {"X-App-Version": "4.10"}},
        {"headers": {"X-App-Version": "5.0"}},
    ),
    ({"app_version": ">=4.2,<5"}, {"headers": {"X-App-Version": "4.2.0"}}, {}),
    ({"methods": ("PUT",)}, {"method": "PUT"}, {"method": "GET"}),
]  # fmt: skip


@pytest.mark.parametrize(("match", "met", "unmet"), CONDITIONS)
async def test_a_route_whose_conditions_fail_gives_way(match, met, unmet):
    """The next best route serves the request."""
    routes = route("special", "/a/{x}", match=match), route("other", "/{rest:path}", to=Others)
    async with served(*routes) as opened:
        for request in (met, unmet):
            await opened.request(**{"method": "GET", "url": "/a/x", **request})

    expected = ["special"] if match.get("methods") else ["special", "other"]
    assert ids_of(opened) == expected


@BOTH_PATHS
async def test_proxied_routes_compete_with_routes_in_python(is_slow):
    """By their ranks, though routes in Python come first among themselves by their order."""
    views = Views(access=ANYONE)

    @views.get("/orders/{number}")
    async def order(number: int) -> int:
        return number

    @views.get("/orders/latest/status")
    async def status() -> str:
        return "here"

    routes = (
        route("rest", "/{rest:path}"),
        route("below", "/orders/{rest:path}"),
        route("literal", "/orders/8"),
        route("before", "/orders/{x}/status", match={"order": -1}),
        route("beta", "/orders/{x}", match={"order": -1, "headers": {"X-Beta": "1"}}),
    )
    async with served(*routes, faces=[views], is_slow=is_slow) as opened:
        answers = [await opened.get(f"/orders/{one}") for one in ("7", "8", "7/x", "latest/status")]
        answers.append(await opened.get("/orders/7", headers={"X-Beta": "1"}))

    assert [one.text for one in answers] == ["7", "reply", "reply", "reply", "reply"]
    assert ids_of(opened) == ["literal", "below", "before", "beta"]


@BOTH_PATHS
@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("POST", "/items/7", 405, "GET, HEAD, PUT"),
        ("PUT", "/items/7", 200, None),
        ("DELETE", "/python", 405, "GET, HEAD"),
        ("GET", "/nowhere", 404, None),
        ("GET", "/items/7/", 404, None),
    ],
)
async def test_a_method_that_no_route_takes_is_405(is_slow, method, path, status, allow):
    """With the methods of all routes of the path; a path of none is a 404, also with a slash."""
    views = Views(access=ANYONE)

    @views.get("/python")
    async def python() -> int:
        return 1

    routes = (
        route("get", "/items/{x}", match={"methods": ("GET",)}),
        route("put", "/items/{x}", match={"methods": ("PUT",)}),
        route("hidden", "/items/{x}", match={"methods": ("PATCH",), "headers": {"X-A": "1"}}),
    )
    async with served(*routes, faces=[views], is_slow=is_slow) as opened:
        answer = await opened.request(method, path)

    assert (answer.status_code, answer.headers.get("allow")) == (status, allow)


@BOTH_PATHS
async def test_a_fallback_takes_what_no_other_path_matches(is_slow):
    """A known path of another method stays a 405."""
    views = Views(access=ANYONE)

    @views.get("/python")
    async def python() -> int:
        return 1

    routes = (
        route("get", "/items", match={"methods": ("GET",)}),
        route("fallback", "/{rest:path}", match={"order": 1000}),
    )
    async with served(*routes, faces=[views], is_slow=is_slow) as opened:
        statuses = [
            (await opened.post(path)).status_code
            for path in ("/items", "/python", "/other", "/a/b")
        ]

    assert (statuses, ids_of(opened)) == ([405, 405, 200, 200], ["fallback", "fallback"])


async def test_head_goes_to_the_service_as_head():
    """A service may answer it otherwise than a GET."""
    async with served(route("get", "/a", match={"methods": ("GET",)})) as opened:
        await opened.head("/a")

    assert [one.method for one in opened.calls] == ["HEAD"]


@pytest.mark.parametrize(
    ("routes", "message"),
    [
        ([route("a", "/x/{y}"), route("b", "/x/{z}")], "'a' and the route 'b' take the same"),
        ([route("a", "/python", match={"methods": ("GET",)})], "GET /python .* take the same"),
        ([route("a", "/mounted/{rest:path}")], "/mounted .* take the same"),
    ],
)
async def test_routes_of_equal_rank_are_refused_at_start(routes, message):
    """Also one in Python; both are named."""
    views = Views(access=ANYONE)

    @views.get("/python")
    async def python() -> int:
        return 1

    def make():
        app = proxied(*routes, faces=[views])()
        app.mount("/mounted", access(ANYONE)(FastAPI()))
        return app

    with pytest.raises(ConfigurationError, match=message):
        async with client(make):
            pass


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Proxy(routes=[route("a", "/x"), route("a", "/y")]), "two routes have the id 'a'"),
        (lambda: Proxy(routes=[Match("/x")]), "give Route"),
        (lambda: Proxy(route=[]), "routes"),
        (proxied(route("a", "/x", to="suplier")), "'suplier' is no upstream: .* has none"),
        (
            proxied(route("a", "/x", cache=Cache())),
            r"Route\('a'\).cache needs .* give Suppliers a Policy\(cache=Cache\(\)\)",
        ),
        (
            proxied(
                route("a", "/x", transform=Transform(trailers=Headers(remove=("X-A",)))),
                settings=DEVELOPMENT,
            ),
            "trailers do not pass",
        ),
        (
            proxied(route("a", "/x"), route("b", "/y", to="supplier")),
            r"Route\('b'\).to = 'supplier' is no upstream: did you mean 'suppliers'\?",
        ),
    ],
)
def test_a_wrong_route_is_refused_with_a_hint(made, message):
    """Before the gateway starts."""
    with pytest.raises(ConfigurationError, match=message):
        made()


async def test_an_upstream_may_be_named():
    """By the name that its settings have, if another route or the gateway has its class."""
    async with served(route("a", "/x"), route("b", "/y", to="suppliers")) as opened:
        await opened.get("/y")

    assert ids_of(opened) == ["b"]


async def test_a_route_without_rule_requires_a_viewer():
    """As every route of a gateway with an authenticator does."""
    closed = Route("closed", Match("/x"), to=Others)
    async with served(route("open", "/y"), closed, viewer="ada") as opened:
        anonymous = {"authorization": ""}
        statuses = [
            (await opened.get("/x", headers=anonymous)).status_code,
            (await opened.get("/y", headers=anonymous)).status_code,
            (await opened.get("/x")).status_code,
        ]

    assert statuses == [401, 200, 200]
