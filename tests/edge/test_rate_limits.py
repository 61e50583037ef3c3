"""A caller beyond a limit gets a 429, and every answer reports what is left."""

import httpx
import pytest

from bff_core import ANYONE, Views
from bff_core import gateway as make_gateway
from bff_core.auth.demo import DemoAuthenticator
from bff_core.edge.options import CorsOptions
from bff_core.errors import ConfigurationError
from bff_core.policy.edge.rate_limits import Limit
from bff_core.settings.model import Settings

pytestmark = pytest.mark.virtual_time

TWO = Limit(quota=2, per=60)


def signed_in(name):
    """Return the headers of a demo user."""
    return {"Authorization": f"Bearer demo-{name}"}


async def statuses(gateway, count, **options):
    """Return the statuses of so many requests."""
    return [(await gateway.get("/", **options)).status_code for _ in range(count)]


async def test_a_viewer_beyond_the_limit_is_refused_and_others_are_not(edged, answering):
    """Each viewer has a quota of their own."""
    gateway = edged(answering(), limits=[TWO], authenticator=DemoAuthenticator(env="development"))

    assert await statuses(gateway, 3, headers=signed_in("ann")) == [200, 200, 429]
    assert await statuses(gateway, 3, headers=signed_in("bob")) == [200, 200, 429]


async def test_a_refusal_says_when_to_come_back(edged, answering):
    """It has problem details and Retry-After, after which the client is admitted."""
    gateway = edged(answering(), limits=[TWO])
    await statuses(gateway, 2)

    refused = await gateway.get("/")
    wait = int(refused.headers["retry-after"])

    assert refused.json()["code"] == "too_many_requests"
    assert refused.headers["ratelimit"] == '"viewer-requests";r=0;t=60'
    assert wait == 30


async def test_every_answer_reports_what_is_left(edged, answering):
    """The fields of the IETF's draft, one member for each limit."""
    hourly = Limit(quota=100, per=3600, strategy="window", name="hourly")
    near = Limit(quota=50, by="address", exempt=("/free",))
    gateway = edged(answering(), limits=[TWO, hourly, near])

    answer = await gateway.get("/")
    free = await gateway.get("/free/1")

    policies = '"address-requests";q=50;w=60, "viewer-requests";q=2;w=60, "hourly";q=100;w=3600'
    assert answer.headers["ratelimit-policy"] == policies
    left = [part.split(";")[:2] for part in answer.headers["ratelimit"].split(", ")]
    assert left == [
        ['"address-requests"', "r=49"],
        ['"viewer-requests"', "r=1"],
        ['"hourly"', "r=99"],
    ]
    assert "address-requests" not in free.headers["ratelimit"]


async def test_addresses_of_one_ipv6_customer_count_as_one(edged, answering):
    """A customer chooses the last 64 bits of an IPv6 address."""
    gateway = edged(answering(), limits=[Limit(quota=2, by="address")])

    for host in ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"):
        await gateway.speak(client=(host, 1))

    starts = [one["status"] for one in gateway.sent if one["type"] == "http.response.start"]
    assert starts == [200, 200, 429, 200]


async def test_a_key_counts_wherever_it_comes_from(edged, answering):
    """An API key has one quota; callers without a key count by address."""
    gateway = edged(answering(), limits=[Limit(quota=1, by="key")])

    assert await statuses(gateway, 2, headers={"X-API-Key": "k-1"}) == [200, 429]
    assert await statuses(gateway, 2, headers={"X-API-Key": "k-2"}) == [200, 429]
    assert await statuses(gateway, 2) == [200, 429]


async def test_guessing_credentials_is_limited_by_address(edged, answering):
    """The limit by address holds before credentials are looked at."""
    gateway = edged(
        answering(),
        limits=[Limit(quota=2, by="address")],
        authenticator=DemoAuthenticator(env="development"),
    )

    wrong = {"Authorization": "Bearer nonsense"}
    assert await statuses(gateway, 3, headers=wrong) == [401, 401, 429]


async def test_an_answer_is_charged_with_the_calls_it_took(edged):
    """With cost="calls" a route with many calls uses up the quota faster."""
    left = []

    async def app(scope, receive, send):
        scope["bff.scope"].calls = 3
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    gateway = edged(app, limits=[Limit(quota=7, cost="calls")])
    for _ in range(4):
        answer = await gateway.get("/")
        left.append((answer.status_code, answer.headers["ratelimit"].split(";")[1]))

    assert left == [(200, "r=7"), (200, "r=4"), (200, "r=1"), (429, "r=0")]


async def test_each_limit_is_charged_in_its_own_unit(edged):
    """Calls, the cost of a query, and requests; without a query a request costs 1."""
    costs = [(3, 40), (2, 0), (0, 0)]

    async def app(scope, receive, send):
        scope["bff.scope"].calls, scope["bff.scope"].query_cost = costs.pop(0)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    units = ("calls", "query", "request")
    gateway = edged(app, limits=[Limit(quota=100, per=3600, cost=unit) for unit in units])
    answers = [await gateway.get("/") for _ in range(3)]

    assert answers[0].headers["ratelimit-policy"] == (
        '"viewer-calls";q=100;w=3600;qu="calls", '
        '"viewer-query-cost";q=100;w=3600;qu="query-cost", "viewer-requests";q=100;w=3600'
    )
    left = [
        [one.split(";")[1] for one in answer.headers["ratelimit"].split(", ")] for answer in answers
    ]
    assert left == [["r=100", "r=100", "r=99"], ["r=97", "r=60", "r=98"], ["r=95", "r=59", "r=97"]]


async def test_a_refusal_names_the_limits_that_refused(edged, answering):
    """A client with several quotas learns which one it has exceeded."""
    wide = Limit(quota=100, per=60, name="wide")
    gateway = edged(answering(), limits=[TWO, wide])
    await statuses(gateway, 2)

    assert (await gateway.get("/")).json()["violated-policies"] == ["viewer-requests"]


@pytest.mark.parametrize("path", ["/v1/reports", "/v1/reports/", "/v1/reports%0A", "/v1/re%70orts"])
async def test_a_limit_holds_for_each_spelling_that_a_route_serves(edged, answering, path):
    """A line end behind the path, which the patterns of routes ignore, does not get around it."""
    gateway = edged(answering(), limits=[Limit(quota=1, paths=("/v1/reports",))])

    assert (await gateway.get("/v1/reports")).status_code == 200
    assert (await gateway.get(path)).status_code == 429


async def test_a_limit_holds_for_whole_segments_of_a_path(edged, answering):
    """A path that only begins with the same letters is another route."""
    reports = Limit(quota=1, paths=("/v1/reports/",), exempt=("/v1/reports/free",))
    gateway = edged(answering(), limits=[reports])

    async def statuses(path):
        return [(await gateway.get(path)).status_code for _ in range(2)]

    assert await statuses("/v1/reportsuite") == [200, 200]
    assert await statuses("/v1/reports/free") == [200, 200]
    assert await statuses("/v1/reports") == [200, 429]
    assert await statuses("/v1/reports/freedom") == [429, 429]


async def test_a_limit_holds_below_a_root_path(edged, answering):
    """Limits name paths without the root path, as routes do."""
    gateway = edged(answering(), limits=[Limit(quota=1, paths=("/v1/reports",))])

    for _ in range(2):
        await gateway.speak(path="/shop/v1/reports", root_path="/shop")

    statuses = [sent["status"] for sent in gateway.sent if "status" in sent]
    assert statuses == [200, 429]


async def test_a_limit_may_hold_for_some_methods(edged, answering):
    """Writes can be bounded more tightly than reads; a HEAD counts as the GET that it is."""
    writes = Limit(quota=1, methods=("POST",), name="writes")
    reads = Limit(quota=2, methods=("GET",), name="reads")
    gateway = edged(answering(), limits=[writes, reads])

    statuses = [
        (await gateway.ask(m, "/")).status_code for m in ("POST", "POST", "GET", "HEAD", "GET")
    ]

    assert statuses == [200, 429, 200, 200, 429]


async def test_refusals_can_be_read_by_pages_of_other_origins(edged, answering):
    """A page can read the rate limit headers, also of a 429."""
    gateway = edged(answering(), limits=[TWO], cors=CorsOptions(origins=("https://a.example",)))
    await statuses(gateway, 2)

    refused = await gateway.get("/", headers={"Origin": "https://a.example"})

    assert refused.status_code == 429
    assert refused.headers["access-control-allow-origin"] == "https://a.example"
    assert "RateLimit," in refused.headers["access-control-expose-headers"]


async def test_a_web_socket_counts_as_a_request(edged, answering):
    """Its handshake counts, and is refused, like any request."""
    gateway = edged(answering(), limits=[Limit(quota=1)])
    await gateway.get("/")

    extensions = {"websocket.http.response": {}}
    await gateway.speak(type="websocket", client=("127.0.0.1", 1), extensions=extensions)

    assert gateway.status == 429
    assert (b"ratelimit", b'"viewer-requests";r=0;t=60') in gateway.sent[0]["headers"]


async def test_two_limits_of_one_name_are_refused(edged, answering):
    """They would count as one; the error says what to do."""
    with pytest.raises(ConfigurationError, match="give them names"):
        edged(answering(), limits=[TWO, TWO])


def reports():
    """Make views: one of a literal path, one with a parameter."""
    views = Views(prefix="/v1", access=ANYONE)

    @views.get("/reports")
    async def listed() -> int:
        return 1

    @views.post("/reports")
    async def added() -> int:
        return 1

    @views.get("/reports/{name}")
    async def one(name: str) -> str:
        return name

    return views


async def counted(limit, requests):
    """Return the statuses of requests, each a method and a path, to a gateway with one limit."""
    settings = Settings(env="development", log="off")
    app = make_gateway("shop", faces=[reports()], limits=[limit], settings=settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        return [(await client.request(method, path)).status_code for method, path in requests]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_limit_counts_every_path_that_its_route_serves(method):
    """A line break at the end of a path leads to the same route, and does not evade the limit."""
    limit = Limit(quota=1, paths=("/v1/reports",))

    assert await counted(limit, [(method, "/v1/reports"), (method, "/v1/reports%0A")]) == [200, 429]


async def test_a_limit_may_hold_for_a_value_of_a_parameter():
    """Other values of the same route are not counted."""
    limit = Limit(quota=1, paths=("/v1/reports/large",))
    paths = ["/v1/reports/small", "/v1/reports/large", "/v1/reports", "/v1/reports/large"]

    statuses = await counted(limit, [("GET", path) for path in paths])

    assert statuses == [200, 200, 200, 429]


async def test_a_limit_for_some_methods_does_not_count_others_of_the_path():
    """A path has a route for each method, and a limit may hold for one of them."""
    limit = Limit(quota=1, paths=("/v1/reports",), methods=("POST",))
    methods = ["GET", "POST", "GET", "HEAD", "POST"]

    statuses = await counted(limit, [(method, "/v1/reports") for method in methods])

    assert statuses == [200, 200, 200, 200, 429]


async def test_a_limit_counts_requests_without_a_route():
    """A scan for paths that do not exist uses up the quota as well."""
    limit = Limit(quota=1, paths=("/v1",))

    assert await counted(limit, [("GET", "/v1/nowhere"), ("GET", "/v1/reports")]) == [404, 429]
