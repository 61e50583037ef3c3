"""Redirects: followed within the origin where the policy says so, never beyond it."""

from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from msgspec import structs

from bff_core import ApiKey, Policy, Retry
from bff_core.call import Attempt, Call, Reply
from bff_core.errors import BadStatus, TransportFailed
from bff_core.oauth.tokens import token_sources
from bff_core.policy.upstream.redirect import redirected
from bff_core.saga.indeterminate import effect_of
from bff_core.streamed_body import StreamedBody
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import reply
from bff_core.upstream.credentials.factory import CredentialFactory
from bff_core.upstream.layers.redirect import RedirectLayer
from bff_core.upstream.stack import open_stack, wire
from bff_core.upstream.transport.httpx_transport import HttpxTransport
from tests.upstream.cached_upstream import MINUTE, CachedUpstream
from tests.upstream.service import serving

ORIGIN = ["http://orders:9005/v1"]
CALL = Call("orders", "GET", "/orders/7?x=1", "GET /orders/{id}", 9.0)
KEYED = (
    (b"accept", b"application/json"),
    (b"content-type", b"application/json"),
    (b"idempotency-key", b"k-1"),
    (b"if-match", b'"1"'),
)


def led(location, call=CALL, status=307, origins=ORIGIN):
    """Return the call that a redirect leads to."""
    return redirected(call, Reply(status, ((b"location", location.encode("latin-1")),)), origins)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/v1/orders/8", "/orders/8"),
        ("/v1/orders/8?y=2#part", "/orders/8?y=2"),
        ("8", "/orders/8"),
        ("./8", "/orders/8"),
        ("../carts/8", "/carts/8"),
        ("?y=2", "/orders/7?y=2"),
        ("http://orders:9005/v1/orders/8", "/orders/8"),
        ("HTTP://ORDERS:9005/v1/orders/8", "/orders/8"),
        ("//orders:9005/v1/orders/8", "/orders/8"),
        ("/v1/orders/M\xc3\xbcller", "/orders/M%C3%BCller"),
        ("/v1/orders/a b", "/orders/a%20b"),
        ("/v1/orders/a%20b", "/orders/a%20b"),
        ("", "/orders/7?x=1"),
    ],
)
def test_reference_is_resolved_within_the_origin(location, target):
    """Relative and absolute forms, with query and without fragment (RFC 3986, section 5)."""
    assert led(location).target == target


@pytest.mark.parametrize(
    "location",
    [
        "http://orders/v1/orders/8",
        "http://orders:9006/v1/orders/8",
        "https://orders:9005/v1/orders/8",
        "http://orders.evil.example:9005/v1/orders/8",
        "http://orders:9005@evil.example/v1/orders/8",
        "//evil.example/v1/orders/8",
        "/orders/8",
        "/v10/orders/8",
        "../../admin",
        "ftp://orders:9005/v1/orders/8",
        "javascript:alert(1)",
        "http://[",
        "http://orders:port/v1/x",
    ],
)
def test_reference_beyond_the_origin_leads_nowhere(location):
    """Another host, port, scheme or base path, and what no target can be."""
    assert led(location) is None


def test_redirect_from_tls_is_never_downgraded():
    """Neither down nor up: the scheme is part of the origin."""
    secure = ["https://orders/v1"]

    assert led("http://orders/v1/x", origins=secure) is None
    assert led("https://orders:443/v1/x", origins=secure).target == "/x"


def test_redirect_without_a_location_leads_nowhere():
    """It is the call's reply."""
    assert redirected(CALL, Reply(302), ORIGIN) is None


@pytest.mark.parametrize(
    ("method", "status", "becomes"),
    [
        *(("GET", status, "GET") for status in (301, 302, 303, 307, 308)),
        *(("HEAD", status, "HEAD") for status in (301, 302, 303, 307, 308)),
        *(("POST", status, "GET") for status in (301, 302, 303)),
        *(("POST", status, "POST") for status in (307, 308)),
        *((method, 303, "GET") for method in ("PUT", "PATCH", "DELETE")),
        *((m, s, m) for m in ("PUT", "PATCH", "DELETE") for s in (301, 302, 307, 308)),
    ],
)
def test_method_is_that_of_the_rules(method, status, becomes):
    """RFC 9110, section 15.4: the body and its fields go where the method goes."""
    call = structs.replace(
        CALL, method=method, headers=KEYED, body=b"{}", trail=[Attempt("a", 0.0)]
    )
    hop = led("/v1/orders/8", call, status)

    assert hop.method == becomes
    assert (hop.body, hop.headers) == ((b"{}", KEYED) if method == becomes else (b"", KEYED[:1]))
    assert hop.trail == []


JSON = ["content-type: application/json"]
DONE = (200, JSON, b'{"id": "8"}')


@asynccontextmanager
async def stack_of(transport, urls, policy, **changes):
    """Open a stack by either transport."""
    async with httpx.AsyncClient() as client:
        make = wire if transport == "wire" else lambda *_: HttpxTransport(client)
        bench = LayerRuntime("orders")
        stack = open_stack(policy, urls, replace(bench.runtime, **changes), make)
        try:
            yield bench, stack
        finally:
            await stack.aclose()


@asynccontextmanager
async def opened(transport, answers, policy=None, **changes):
    """Serve these answers on a real socket; yield the service and a function that sends a call."""
    async with (
        serving(answers) as service,
        stack_of(transport, [service.url], policy or FOLLOWING, **changes) as (bench, stack),
    ):

        async def send(target="/orders/7", body=b"", **options):
            return await stack.handler(structs.replace(bench.call(target, **options), body=body))

        yield service, send


both = pytest.mark.parametrize("transport", ["wire", "httpx"])
FOLLOWING = Policy(redirects=3, retry=None)


@both
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_within_the_origin_is_followed(transport, status):
    """Over a real socket, by an absolute reference as services make it of the Host header."""
    hop = (status, ["location: http://127.0.0.1:{port}/orders/8"], b"")
    answers = {"GET /orders/7": hop, "GET /orders/8": DONE}
    async with opened(transport, answers) as (service, send):
        answer = await send()

    assert (answer.status, answer.body) == (200, b'{"id": "8"}')
    assert service.lines == ["GET /orders/7", "GET /orders/8"]


@both
async def test_redirect_is_not_followed_by_default(transport):
    """A service that moves is a failure that says where to."""
    hop = (302, ["location: /orders/8"], b"")
    async with opened(transport, {"GET /orders/7": hop}, Policy(retry=None)) as (service, send):
        answer = await send()

    assert (answer.status, service.lines) == (302, ["GET /orders/7"])


@both
async def test_write_is_sent_on_whole_with_its_credentials(transport):
    """A 307 preserves method, body and key; the credentials are shown anew, to the same origin."""
    hop = (307, ["location: /orders/"], b"")
    wallet = CredentialFactory({"gateway": "golden"}.__getitem__, token_sources(dict))
    policy = replace(FOLLOWING, credentials=ApiKey(secret="gateway"))
    answers = {"POST /orders": hop, "POST /orders/": DONE}
    async with opened(transport, answers, policy, credential=wallet.open) as (service, send):
        answer = await send("/orders", b'{"sku": 1}', method="POST", headers=KEYED[1:3])

    assert answer.status == 200
    heads = [head.lower() for head, _ in service.requests]
    assert [body for _, body in service.requests] == [b'{"sku": 1}'] * 2
    assert all("golden" in head and "idempotency-key: k-1" in head for head in heads)


@pytest.mark.parametrize(("status", "said"), [(307, 307), (303, 200)])
async def test_stream_that_was_read_is_not_sent_on(status, said):
    """What can be read once is gone: the redirect is the reply, unless it means a GET."""

    async def pieces():
        yield b"photo"

    hop = (status, ["location: /orders/8"], b"")
    answers = {"PUT /orders/7": hop, "GET /orders/8": DONE, "PUT /orders/8": DONE}
    async with opened("wire", answers) as (_, send):
        answer = await send(body=StreamedBody(pieces(), 5), method="PUT")

    assert answer.status == said


@pytest.mark.parametrize(
    ("said", "means"),
    [
        (b"8", b"/v1/new/8"),
        (b"?page=2", b"/v1/new/orders?page=2"),
        (b"/v1/orders/8", b"/v1/orders/8"),
        (b"http://orders:9005/v1/orders/8", b"http://orders:9005/v1/orders/8"),
        (b"http://[", b"http://["),
        (b"M\xc3\xbcller", b"/v1/new/M\xc3\xbcller"),
    ],
)
async def test_location_behind_a_redirect_is_relative_to_where_it_led(said, means):
    """A write that moved says where its result is by its new path, not by the old one."""

    async def service(sent):
        if sent.target == CALL.target:
            return Reply(308, ((b"location", b"/v1/new/orders"),))
        return Reply(201, ((b"x-a", b"8"), (b"location", said)))

    answer = await RedirectLayer(1, ORIGIN, service)(structs.replace(CALL, method="POST", trail=[]))

    assert answer.headers == ((b"x-a", b"8"), (b"location", means))


@both
async def test_redirect_to_another_origin_is_the_reply(transport):
    """No other server is called, whatever the policy says, at the first hop or a later one."""
    near = (302, ["location: /orders/6"], b"")
    async with serving({}) as elsewhere:
        away = (302, [f"location: {elsewhere.url}/orders/8"], b"")
        answers = {"GET /orders/7": near, "GET /orders/6": away}
        async with opened(transport, answers) as (service, send):
            answer = await send()

    assert (answer.status, elsewhere.requests) == (302, [])
    assert service.lines == ["GET /orders/7", "GET /orders/6"]


@both
async def test_redirects_end_after_so_many_hops(transport):
    """A loop is cut: one call and three hops."""
    loop = (302, ["location: /orders/7"], b"")
    async with opened(transport, {"GET /orders/7": loop}) as (service, send):
        answer = await send()

    assert (answer.status, len(service.requests)) == (302, 4)


async def test_hop_is_retried_and_counted_by_itself():
    """The layers within see one call for each hop."""
    hop = (302, ["location: /orders/8"], b"")
    answers = {"GET /orders/7": hop, "GET /orders/8": [(503, [], b""), DONE]}
    policy = Policy(redirects=1, retry=Retry(attempts=2, backoff=0))
    async with opened("wire", answers, policy) as (service, send):
        answer = await send()

    assert answer.status == 200
    assert service.lines == ["GET /orders/7", "GET /orders/8", "GET /orders/8"]


async def test_each_hop_is_cached_for_itself():
    """A moved resource that may be stored is found again without a call."""
    hop = reply(301, headers={"location": "/api/products/8", **MINUTE})
    cached = CachedUpstream(hop, reply(200, {"id": 8}, headers=MINUTE), redirects=1)

    answers = [await cached.get() for _ in range(2)]

    assert [answer.body for answer in answers] == [b'{"id": 8}'] * 2
    assert [call.target for call in cached.service.calls] == ["/products/7", "/products/8"]


@pytest.mark.parametrize("status", [404, 422, 500, 302])
async def test_write_whose_result_is_not_found_has_not_failed(status):
    """A 303 says that it was done: what then fails is the service's fault, and leaves it open."""
    answers = {
        "POST /orders": (303, ["location: /orders/8"], b""),
        "GET /orders/8": (status, ["location: http://elsewhere.example/"], b""),
    }
    async with opened("wire", answers) as (_, send):
        with pytest.raises(BadStatus) as caught:
            await send("/orders", method="POST", headers=KEYED)

    assert caught.value.status == 502
    write = structs.replace(caught.value.call, method="POST", trail=[Attempt("a", 0.0)])
    assert effect_of(caught.value, [write]) == "open"


OURS = ((b"content-type", b"application/json"),)


@pytest.mark.parametrize(("attempts", "said"), [([True], "refused"), ([True, True], "open")])
async def test_redirected_write_may_be_done_by_an_attempt_that_was_lost(attempts, said):
    """A conflict that answers the second attempt may be what the first one made."""
    answer, call = await written(attempts, Reply(409, OURS, b"{}"))

    assert effect_of(BadStatus(answer, call=call), [call]) == said


async def test_redirected_write_that_was_never_sent_is_not_done():
    """The service says where to go, and nothing listens there."""
    call = structs.replace(CALL, method="POST", headers=KEYED, trail=[])
    with pytest.raises(TransportFailed) as caught:
        await written([False], TransportFailed("refused", call=call, is_sent=False), call)

    assert effect_of(caught.value, [call]) == "later"


async def test_attempts_before_a_redirect_still_count():
    """The first attempt of a write is lost, the second redirected: the first may have done it."""
    call = structs.replace(CALL, method="POST", headers=KEYED, trail=[Attempt("a", 0.0)])
    answer, call = await written([True], Reply(409, OURS, b"{}"), call)

    assert effect_of(BadStatus(answer, call=call), [call]) == "open"


async def written(attempts, ended, call=None):
    """Return how a write ends that is redirected, and then sent so many times; and its call."""

    async def service(sent):
        if sent.target == CALL.target:
            sent.trail.append(Attempt("a", 0.0))
            return Reply(307, ((b"location", b"/v1/orders/8"),))
        sent.trail.extend(Attempt("a", 0.0, is_sent=is_sent) for is_sent in attempts)
        if isinstance(ended, Exception):
            raise ended
        return ended

    call = call or structs.replace(CALL, method="POST", headers=KEYED, trail=[])
    return await RedirectLayer(1, ORIGIN, service)(call), call


async def test_stack_shows_that_it_follows():
    """An operator sees it in the stack; without the option there is no such layer."""
    async with stack_of("wire", ["http://orders"], FOLLOWING) as (_, stack):
        shown = repr(stack)

    assert "redirect   at most 3 hops within the origin" in shown
