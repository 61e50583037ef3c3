"""Edge cases: limits to the unit, orders, and values that must not be confused."""

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from fastapi.security import APIKeyCookie

from bff_core import ANYONE, Views, access, compose, gateway
from bff_core.admin.cache import cache_actions
from bff_core.admin.endpoints import MAX_BODY_BYTES as MAX_ADMIN_BODY_BYTES
from bff_core.admin.endpoints import AdminEndpoints
from bff_core.admin.operator_token import OperatorToken
from bff_core.answer_cacheability import AnswerCacheability
from bff_core.cache.response_cache import ResponseCache
from bff_core.edge.health import About, Readiness
from bff_core.edge.options import EdgeOptions
from bff_core.edge.shedding.controller import SheddingController
from bff_core.edge.shedding.criticality import MAX_VIEWERS, RequestCriticality
from bff_core.edge.shedding.loop_lag import INTERVAL_SECONDS, LoopLag
from bff_core.edge.trusted_proxies import MAX_CACHED_NAMES, TrustedProxies
from bff_core.errors import ConfigurationError
from bff_core.events import Events
from bff_core.gateway.pipeline import EdgeParts, edge
from bff_core.http_exchange.request_context import SCOPE
from bff_core.policy.edge.rate_limits import Limit
from bff_core.policy.edge.shedding import LoadShedder
from bff_core.routing.access import refuse_bare_cookies
from bff_core.view_cache.cache import MAX_VARY_HEADERS
from bff_core.view_cache.headers import MAX_BODY_BYTES, MAX_TAGS, exceeded_limit
from bff_core.view_cache.key import canonical
from tests.edge.conftest import Edged
from tests.shop_with_view_cache import Bearer, Page, bearer, client_of, in_production, open_shop

HOST = (b"host", b"testserver")
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
TOKEN = "the-operator-s-own-token"


# Criticality


def known_viewers(count):
    """Return criticalities with so many viewers, and the headers of each."""
    ranks = RequestCriticality()
    fields = [{b"cookie": b"%d" % number} for number in range(count)]
    for one in fields:
        ranks.remember("critical_plus", one)
    return ranks, fields


def test_the_oldest_viewer_is_forgotten_first():
    """One viewer too many replaces the oldest one, and no other."""
    ranks, fields = known_viewers(MAX_VIEWERS + 1)

    assert ranks.of_path("GET", "/", fields[0]) == "critical"
    assert {ranks.of_path("GET", "/", one) for one in fields[1:]} == {"critical_plus"}


def test_a_viewer_who_comes_again_is_forgotten_later():
    """A viewer who is remembered again becomes the newest."""
    ranks, fields = known_viewers(MAX_VIEWERS)
    ranks.remember("critical_plus", fields[0])
    ranks.remember("critical_plus", {b"cookie": b"new"})

    assert ranks.of_path("GET", "/", fields[0]) == "critical_plus"
    assert ranks.of_path("GET", "/", fields[1]) == "critical"
    assert {ranks.of_path("GET", "/", one) for one in fields[2:]} == {"critical_plus"}


@pytest.mark.virtual_time
async def test_a_stopped_measurement_does_not_continue():
    """Also if it is stopped during a measurement."""
    loop, looks = asyncio.get_running_loop(), []

    def clock():
        if not looks:
            loop.call_soon(watch.stop)  # between the beginning of a look and its end
        looks.append(loop.time())
        return loop.time()

    pressure = LoadShedder(ceiling=10, floor=1, max_lag=0.002, brownout=False)
    pressure.in_flight = 1
    watch = LoopLag(pressure, events=Events(), clock=clock)
    watch.start()

    await asyncio.sleep(10 * INTERVAL_SECONDS)

    assert len(looks) == 1
    assert not watch.is_on


# Limits


async def test_guests_do_not_share_one_quota(edged, answering):
    """An anonymous caller goes by address, also under a limit by viewer."""
    gateway = edged(answering(), limits=[Limit(quota=1, per=60)])

    for address in ("198.51.100.1", "198.51.100.2", "198.51.100.1"):
        await gateway.speak(client=(address, 1))

    starts = [one["status"] for one in gateway.sent if one["type"] == "http.response.start"]
    assert starts == [200, 200, 429]


# The operator


async def unreported(_) -> None:
    """Report a purge to no other process."""


def operated(purged):
    """Return an edge whose operator may purge."""

    class Cache(ResponseCache):
        """A cache that records purges."""

        def __init__(self):
            """Hold nothing."""

        async def purge(self, *tags, by="code"):
            purged.append(tags)
            return 0

    async def app(scope, receive, send):
        raise AssertionError("a request of the operator's reached the application")

    return Edged(
        edge(
            app,
            EdgeOptions(),
            EdgeParts(
                about=About("shop"),
                readiness=Readiness(),
                events=Events(),
                admin=AdminEndpoints(
                    token=OperatorToken(TOKEN, Events()), actions=cache_actions(Cache, unreported)
                ),
                clock=lambda: 0.0,
            ),
        )
    )


@pytest.mark.parametrize(
    "given",
    ["", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Bearer x {TOKEN}", f"Bearer,{TOKEN}",
     f"Bearer {TOKEN.upper()}", f"Basic {TOKEN}", "Bearer ", "Bearer"],
)  # fmt: skip
async def test_only_the_operators_token_is_the_operators_token(given):
    """A token with the same beginning, or a part of it, is refused."""
    purged = []
    headers = {"authorization": given} if given else {}

    answer = await operated(purged).ask(
        "POST", "/operator/purge", headers=headers, content=b'{"tags":["a"]}'
    )

    assert (answer.status_code, purged) == (401, [])


@pytest.mark.parametrize(
    ("size", "status"), [(MAX_ADMIN_BODY_BYTES, 200), (MAX_ADMIN_BODY_BYTES + 1, 413)]
)
async def test_an_operator_may_send_so_many_bytes(size, status):
    """A body of the limit is read, one byte more is refused."""
    body = b'{"tags":["a"]}'.ljust(size)
    headers = {"authorization": f"Bearer {TOKEN}"}

    answer = await operated([]).ask("POST", "/operator/purge", headers=headers, content=body)

    assert answer.status_code == status


# Access


async def test_a_socket_does_not_decide_about_requests_of_its_path():
    """A public page may have the same path as a web socket with an access rule."""
    app = gateway("shop", settings=in_production([]), authenticator=Bearer(), events=Events())

    @app.websocket("/talk")
    async def talk(socket: WebSocket) -> None:
        raise AssertionError("a socket of a guest reached the application")

    @app.get("/talk")
    @access(ANYONE)
    async def page() -> str:
        return "hello"

    async with client_of(app) as client:
        got = await client.get("/talk")
        head = await spoken(app, "HEAD", "/talk")
        handshake = Edged(app)
        await handshake.speak([HOST], type="websocket", path="/talk")

    assert (got.status_code, got.json()) == (200, "hello")
    assert head[0]["status"] != 401
    assert [one["type"] for one in handshake.sent] == ["websocket.close"]


cookie = APIKeyCookie(name="proof")


def proven(proof: Annotated[str, Depends(cookie)]) -> str:
    """Depend on a cookie."""
    return proof


def deeper(proof: Annotated[str, Depends(proven)]) -> str:
    """Depend on a dependency that depends on a cookie."""
    return proof


@pytest.mark.parametrize("dependency", [cookie, proven, deeper], ids=["own", "nested", "deeper"])
def test_a_cookie_as_a_proof_is_refused_however_deep_it_stands(dependency):
    """Other sites can forge requests with it; the error at start-up names the route."""
    router = APIRouter()

    @router.get("/secret")
    def secret(proof: Annotated[str, Depends(dependency)]) -> str:
        return proof

    app = FastAPI()
    app.include_router(router, prefix="/v1")

    with pytest.raises(ConfigurationError, match="/v1/secret takes a cookie"):
        refuse_bare_cookies(app.routes)


# Idempotency


async def keyed(name):
    """Return the key under which a gateway of a name runs a keyed request."""
    keys = []

    async def face(scope, receive, send):
        keys.append(scope[SCOPE].idempotency_key)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    gateway = edge(
        face,
        EdgeOptions(),
        EdgeParts(about=About(name), readiness=Readiness(), events=Events(), clock=lambda: 0.0),
    )
    await Edged(gateway).ask("POST", "/orders", headers={"idempotency-key": KEY})
    return keys[0]


async def test_gateways_that_share_a_store_do_not_share_keys():
    """Web and mobile may get the same key for two different requests."""
    web, mobile, web_again = [await keyed(name) for name in ("web", "mobile", "web")]

    assert web == web_again
    assert web != mobile


async def test_an_answer_is_stored_before_it_is_sent(edged, answering):
    """A request that comes while the answer is being sent already gets the stored one."""
    runs, replays = [], []
    gateway = edged(answering(201, body=b'{"order": 1}', scopes=runs))
    headers = {"idempotency-key": KEY}

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        if message["type"] == "http.response.start":
            replays.append(await gateway.ask("POST", "/orders", headers=headers))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/orders",
        "query_string": b"",
        "headers": [HOST, (b"idempotency-key", KEY.encode())],
    }
    async with asyncio.timeout(5):
        await gateway.app(scope, receive, send)

    assert len(runs) == 1
    (replayed,) = replays
    assert (replayed.status_code, replayed.json()) == (201, {"order": 1})
    assert replayed.headers["idempotency-replayed"] == "true"


# Compression


async def test_nothing_follows_a_304(edged):
    """Later chunks of an answer are not sent after its 304."""

    async def app(_scope, _receive, send):
        headers = [(b"etag", b'"a"')]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in (b"one", b"two", b""):
            await send({"type": "http.response.body", "body": piece, "more_body": bool(piece)})

    gateway = edged(app)
    await gateway.speak([HOST, (b"if-none-match", b'"a"')])

    assert [one["type"] for one in gateway.sent] == ["http.response.start", "http.response.body"]
    assert gateway.status == 304
    assert gateway.sent[1] == {"type": "http.response.body", "body": b"", "more_body": False}


# HEAD


@dataclass
class Title:
    """The answer of a view."""

    title: str


def views_of(products) -> Views:
    """Return a view of a product."""
    views = Views(prefix="/v1", access=ANYONE)

    @views.get("/products/{product_id}", public=True)
    async def get_product(page: Annotated[Page, Depends(compose(Page))]) -> Title:
        products.append(page.product_id)
        return Title(await page.product())

    @views.get("/me")
    async def get_me(page: Annotated[Page, Depends(compose(Page))]) -> Title:
        return Title(await page.name())

    return views


async def spoken(app, method, path):
    """Return what is sent to a server, message by message."""
    gateway = Edged(app)
    await gateway.speak([HOST], method=method, path=path)
    return gateway.sent


@pytest.mark.virtual_time
async def test_head_of_a_view_has_the_length_and_no_byte():
    """The application sends no byte that the server would have to remove."""
    async with open_shop([views_of([])]) as shop:
        got = await spoken(shop.app, "GET", "/v1/products/7")
        head = await spoken(shop.app, "HEAD", "/v1/products/7")

    body = b"".join(one.get("body", b"") for one in got)
    assert body
    assert b"".join(one.get("body", b"") for one in head) == b""
    assert dict(head[0]["headers"])[b"content-length"] == b"%d" % len(body)


@pytest.mark.virtual_time
async def test_a_refusal_under_load_has_no_body_for_head(edged):
    """It has the length that the refusal of a GET has."""
    gate = asyncio.Event()

    async def app(_scope, _receive, send):
        await gate.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    gateway = edged(app, max_concurrent=1)
    held = asyncio.create_task(gateway.get("/"))
    await asyncio.sleep(0.01)
    got = await spoken(gateway.app, "GET", "/")
    head = await spoken(gateway.app, "HEAD", "/")
    gate.set()
    await held

    assert (got[0]["status"], head[0]["status"]) == (503, 503)
    assert len(got[1]["body"]) == int(dict(got[0]["headers"])[b"content-length"]) > 0
    assert head[1]["body"] == b""


# Stored views


class Size(Enum):
    """A parameter."""

    small = 1


class Color(Enum):
    """Another one, with a member of the same name."""

    small = 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Size.small, Color.small),
        (Size.small, "Size.small"),
        (Size.small, 1),
        ((1, "ab8:xxxxxxxx"), (11, "ab", "xxxxxxxx")),
        ((1, 23), (12, 3)),
        (("1", "23"), ("12", "3")),
    ],
)
def test_similar_parameters_have_different_keys(one, other):
    """Different parameters never give the same cache key."""
    assert canonical(one) != canonical(other)


@pytest.mark.virtual_time
async def test_what_was_purged_is_stored_again():
    """A purge drops entries of before, and does not prevent new ones."""
    runs = []
    async with open_shop([views_of(runs)]) as shop:
        await shop.get("/v1/products/7")
        await shop.app.cache.purge("product:7")
        await shop.get("/v1/products/7")
        hit = await shop.get("/v1/products/7")

    assert len(runs) == 2
    assert "hit" in hit.headers["cache-status"]


@pytest.mark.virtual_time
@pytest.mark.parametrize("credential", ["Authorization", "Cookie"])
async def test_a_private_answer_varies_by_this_credential(credential):
    """Two people with one browser do not share its cache; public answers are shared."""
    async with open_shop([views_of([])]) as shop:
        private = await shop.get("/v1/me", bearer("ann"))
        public = await shop.get("/v1/products/7", bearer("ann"))

    assert credential in private.headers["vary"].split(", ")
    assert credential not in public.headers.get("vary", "")


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("count", "status"),
    [
        (MAX_VARY_HEADERS, "shop; hit; ttl=60"),
        (MAX_VARY_HEADERS + 1, "shop; fwd=miss; detail=vary"),
    ],
)
async def test_answers_of_a_view_vary_by_so_many_headers_and_no_more(count, status):
    """With one header more, the answer is composed for each request."""

    @dataclass(frozen=True)
    class Headers:
        values: tuple[str | None, ...]

        @classmethod
        def from_scope(cls, scope):
            return cls(tuple(scope.header(f"x-{number}") for number in range(count)))

    class Varied(Page):
        headers: Headers

    views = Views(access=ANYONE)

    @views.get("/varied")
    async def get_varied(page: Annotated[Varied, Depends(compose(Varied))]) -> Title:
        return Title(await page.product())

    async with open_shop([views]) as shop:
        first, second = [await shop.get("/varied") for _ in range(2)]

    assert second.content == first.content
    assert second.headers["cache-status"] == status


@pytest.mark.parametrize(
    ("tags", "size", "reason"),
    [
        (MAX_TAGS, 1, ""),
        (MAX_TAGS + 1, 1, "tags"),
        (1, MAX_BODY_BYTES, ""),
        (1, MAX_BODY_BYTES + 1, "size"),
    ],
)
def test_a_stored_answer_has_so_many_tags_and_bytes(tags, size, reason):
    """A value of exactly the limit is accepted."""
    dependencies = AnswerCacheability(tags={f"tag-{number}": None for number in range(tags)})

    assert exceeded_limit(dependencies, b"x" * size) == reason


# Hops


async def passed(headers, client):
    """Return the ASGI scope behind the hops."""
    hops = TrustedProxies(trusted=("10.0.0.0/8",), reads="x-forwarded", client_traces=False)
    scope = {"type": "http", "client": client, "scheme": "http", "headers": [HOST, *headers]}
    hops.apply(scope)
    return scope, hops


@pytest.mark.parametrize("peer", ["10.0.0.7", "::ffff:10.0.0.7", "::FFFF:a00:7"])
@pytest.mark.parametrize("client", ["198.51.100.4", "::ffff:198.51.100.4", "[::ffff:c633:6404]:80"])
async def test_an_address_has_one_spelling(peer, client):
    """An IPv4-mapped IPv6 address is the IPv4 address, of a hop and of a client."""
    found, _ = await passed([(b"x-forwarded-for", client.encode())], (peer, 1))

    assert found["client"] == ("198.51.100.4", 0)


async def test_header_names_of_strangers_do_not_fill_the_memory():
    """All names are checked; only a bounded number is cached."""
    names = [(b"x-%d" % number, b"1") for number in range(MAX_CACHED_NAMES + 1000)]
    found, hops = await passed([*names, (b"x-user-id", b"1")], ("203.0.113.9", 1))

    assert found["headers"] == [HOST, *names]
    assert len(hops._from_anyone) <= MAX_CACHED_NAMES


# Pressure


@pytest.mark.virtual_time
async def test_an_open_socket_is_no_request_in_flight():
    """A web socket mostly waits, so requests are not refused because of it."""
    gate = asyncio.Event()

    async def app(scope, _receive, send):
        await gate.wait()
        await send({"type": "websocket.close", "code": 1000})

    options = EdgeOptions()
    shedding = SheddingController(options, events=Events(), clock=asyncio.get_running_loop().time)
    gateway = Edged(
        edge(
            app,
            options,
            EdgeParts(
                about=About("shop"), readiness=Readiness(), events=Events(), shedding=shedding
            ),
        )
    )
    sockets = [asyncio.create_task(gateway.speak([HOST], type="websocket")) for _ in range(5)]
    await asyncio.sleep(0.01)
    while_open = (shedding.pressure.in_flight, shedding.pressure.streams)
    gate.set()
    await asyncio.gather(*sockets)

    assert while_open == (0, 5)
    assert (shedding.pressure.in_flight, shedding.pressure.streams) == (0, 0)


@pytest.mark.virtual_time
async def test_lag_before_a_pause_does_not_count_after_it():
    """One long turn of the loop after a pause is no overload."""
    pressure = LoadShedder(ceiling=100, floor=1, max_lag=0.002, brownout=False)
    pressure.observe(0.0, 0.5)
    pressure.observe(0.5, 0.5)
    watch = LoopLag(pressure, events=Events(), clock=asyncio.get_running_loop().time)
    watch.start()
    watch.stop()

    pressure.observe(3600.0, 0.5)

    assert pressure.limit == 100
