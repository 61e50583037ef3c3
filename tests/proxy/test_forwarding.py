"""What passes between a client and a service through a proxied route, and what fails."""

import asyncio
from contextlib import suppress

import pytest
from starlette.exceptions import HTTPException

from bff_core import Breaker, Bulkhead, Cache, CorsOptions, Limit, Policy, Require, Upstream
from bff_core.auth import ANYONE
from bff_core.call import Reply
from bff_core.errors import AttemptTimedOut, BadPayload, TransportFailed
from bff_core.proxy import Match, Route, Transform
from bff_core.testing import client, fail, fail_with, hang, reply, stream
from tests.proxy.proxied import Recorder, proxied, route, send_raw, served

pytestmark = pytest.mark.virtual_time


@pytest.mark.parametrize(
    "status", [200, 201, 204, 206, 299, 301, 304, 400, 404, 418, 429, 500, 503]
)
async def test_a_reply_of_any_status_passes(status):
    """It is the service's answer, with its body."""
    body = b"" if status in {204, 304} else b"theirs"
    suppliers = reply(status, body, headers={"etag": '"1"', "content-range": "bytes 0-5/9"})
    async with served(route("a", "/x"), suppliers=suppliers) as opened:
        answer = await opened.get("/x", follow_redirects=False)

    assert (answer.status_code, answer.content) == (status, body)
    assert (answer.headers["etag"], answer.headers["content-range"]) == ('"1"', "bytes 0-5/9")
    assert "proxy-status" not in answer.headers


FAILURES = [
    (fail(is_sent=False), 502, "unavailable", "connection_refused"),
    (fail(), 502, "unavailable", "connection_terminated"),
    (hang(), 504, "timeout", "http_response_timeout"),
    (
        fail_with(lambda call: AttemptTimedOut("late", call=call)),
        504,
        "timeout",
        "http_response_timeout",
    ),
    (
        fail_with(lambda call: BadPayload("10.0.0.7:80 sent garbage", call=call)),
        502,
        "bad_payload",
        "http_protocol_error",
    ),
    (
        fail_with(
            lambda call: TransportFailed("10.0.0.7", call=call, is_sent=True, code="tls_wrong_host")
        ),
        502,
        "tls_wrong_host",
        "tls_certificate_error",
    ),
]


@pytest.mark.parametrize(("step", "status", "code", "error"), FAILURES)
async def test_a_failure_of_the_way_to_a_service_says_whose_it_is(step, status, code, error):
    """By the name of the upstream, never an address (RFC 9457, RFC 9209)."""
    async with served(route("a", "/x"), suppliers=step) as opened:
        answer = await opened.get("/x")

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["upstream"]) == (status, code, "suppliers")
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["proxy-status"] == f"shop; error={error}; next-hop=suppliers"
    assert "10.0.0.7" not in answer.text


async def test_an_open_circuit_and_a_full_bulkhead_are_named():
    """With the time after which it is worth trying again."""

    class Weak(Upstream):
        policy = Policy(
            retry=None,
            coalesce=False,
            breaker=Breaker(minimum_calls=2),
            bulkhead=Bulkhead(concurrent=1, queue=0),
        )

    made = proxied(Route("a", Match("/{rest:path}"), to=Weak, access=ANYONE))
    async with client(made, weak=[hang(), fail()]) as opened:
        first = asyncio.create_task(opened.get("/1"))
        await asyncio.sleep(0.1)
        full = await opened.get("/2")
        await first
        for _ in range(4):
            opened_circuit = await opened.get("/3")

    assert "error=connection_limit_reached" in full.headers["proxy-status"]
    assert "error=destination_unavailable" in opened_circuit.headers["proxy-status"]
    assert int(opened_circuit.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/grpc", 415),
        ("application/grpc+proto", 415),
        ("application/grpc; x=1", 415),
        ("application/grpc-web", 200),
        ("application/grpcx", 200),
    ],
)
async def test_grpc_is_refused_with_a_way_out(kind, status):
    """It needs HTTP/2 from end to end; gRPC-Web does not."""
    async with served(route("a", "/x")) as opened:
        answer = await opened.post("/x", headers={"content-type": kind})

    assert answer.status_code == status
    assert status == 200 or "front proxy" in answer.json()["detail"]


async def test_a_stream_passes_piece_by_piece():
    """Each piece when it arrives; server-sent events and lines of JSON."""
    suppliers = stream(
        b"data: 1\n\n", 1.0, b"data: 2\n\n", headers={"content-type": "text/event-stream"}
    )
    sent = []

    async with served(route("a", "/x"), suppliers=suppliers) as opened:
        loop = asyncio.get_running_loop()
        began = loop.time()
        app = opened.app

        async def recorded(scope, receive, send):
            async def noted(message):
                sent.append((round(loop.time() - began, 1), message.get("body", b"")))
                await send(message)

            await app(scope, receive, noted)

        opened.app = recorded
        await send_raw(opened, b"/x")

    assert sent == [(0, b""), (0, b"data: 1\n\n"), (1.0, b"data: 2\n\n"), (1.0, b"")]


async def test_a_stream_that_breaks_off_breaks_the_answer():
    """A client can't take it for complete."""
    async with served(route("a", "/x"), suppliers=stream(b"half", breaks=True)) as opened:
        with pytest.raises(TransportFailed):
            await send_raw(opened, b"/x")


async def test_a_small_body_is_sent_again_a_large_one_is_not():
    """What is small is read first; what is large is streamed once."""

    class Retried(Upstream):
        policy = Policy()

    made = proxied(Route("a", Match("/x"), to=Retried, access=ANYONE, max_body=2**30))
    async with client(made, retried=[fail(), reply(200)]) as opened:
        small = await opened.put("/x", content=b"x" * 64 * 1024)
        attempts = [one.body for one in opened.calls]
        opened.services["retried"].then([fail(), reply(200)])
        large = await opened.put("/x", content=b"x" * (64 * 1024 + 1))

    assert (small.status_code, attempts) == (200, [b"x" * 64 * 1024] * 2)
    assert (large.status_code, len(opened.calls)) == (502, 3)


class Uploads:
    """A service that reads the body of each call, and then answers after a while."""

    def __init__(self, after: float = 0.0) -> None:
        self.size = 0
        self._after = after

    async def __call__(self, call):
        """Answer after the body, which the transport of the test has read."""
        self.size += len(call.body)
        await asyncio.sleep(self._after)
        return Reply(201)


def pieces(*parts):
    """Return a `receive` that takes its pauses in seconds."""
    left = list(parts)

    async def receive():
        if not isinstance(left[0], bytes):
            await asyncio.sleep(left.pop(0))
        piece = left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    return receive


async def upload(opened, *parts, **scope):
    """Send a chunked body, and return the status."""
    app, status = opened.app, []

    async def read(scope, _, send):
        async def noted(message):
            status.append(message.get("status"))
            await send(message)

        await app(scope, pieces(*parts), noted)

    opened.app = read
    try:
        headers = [(b"transfer-encoding", b"chunked")]
        await send_raw(opened, b"/x", method="POST", headers=headers, **scope)
    finally:
        opened.app = app
    return status[0]


async def test_an_upload_may_take_as_long_as_it_goes_on():
    """The deadline of the head begins when the body was sent; until then silence is limited."""
    slow = [part for _ in range(30) for part in (9.0, b"x" * 1000)]
    cases = {
        "slow": (Uploads(), slow, 201),
        "late": (Uploads(after=4.0), [b"x"], 504),
        "silent": (Uploads(), [b"x", 11.0, b"y"], 408),
        "answered in time": (Uploads(after=1.5), slow, 201),
    }
    found = {}
    for name, (service, parts, _) in cases.items():
        routes = [route("a", "/x", idle_timeout=10.0, timeout=2.0)]
        async with served(*routes, suppliers=service) as opened:
            found[name] = await upload(opened, *parts)

    assert found == {name: status for name, (*_, status) in cases.items()}


@pytest.mark.parametrize(
    ("limit", "size", "status"), [(10, 10, 200), (10, 11, 413), (2**21, 2**21, 200), (0, 1, 413)]
)
async def test_a_route_has_a_body_limit_of_its_own(limit, size, status):
    """Also over that of the gateway, by declared length and by what arrives."""
    async with served(route("a", "/x", max_body=limit)) as opened:
        declared = await opened.post("/x", content=b"x" * size)

    assert declared.status_code == status


async def test_a_body_of_unknown_length_is_limited_while_it_arrives():
    """The kit reports that the scripted service did not get the whole body."""
    statuses = []
    with suppress(HTTPException):
        async with served(route("a", "/x", max_body=10), suppliers=Uploads()) as opened:
            statuses.append(await upload(opened, b"x" * 8, b"y" * 2))
            statuses.append(await upload(opened, b"x" * 8, b"y" * 3))

    assert statuses == [201, 413]


async def test_a_route_has_a_timeout_of_its_own():
    """A shorter or a longer one than the gateway; the policy of the upstream counts as well."""

    class Patient(Upstream):
        policy = Policy(timeout=100, attempt_timeout=100)

    made = proxied(
        Route("a", Match("/a"), to=Patient, access=ANYONE, timeout=1.0),
        Route("b", Match("/b"), to=Patient, access=ANYONE, timeout=60.0),
        Route("c", Match("/c"), to=Patient, access=ANYONE),
    )
    async with client(made, patient=reply(200, after=30.0)) as opened:
        found = [(await opened.get(f"/{one}")) for one in "abc"]

    assert [(one.status_code, round(one.elapsed.total_seconds())) for one in found] == [
        (504, 1),
        (200, 30),
        (504, 10),
    ]


async def test_a_silent_stream_ends_after_the_idle_timeout_of_the_route():
    """The transport of the service gets it with the call."""
    suppliers = Recorder()
    async with served(route("a", "/x", idle_timeout=3.5), suppliers=suppliers) as opened:
        await opened.get("/x")

    assert suppliers.calls[0].idle_timeout == 3.5


async def test_a_route_has_limits_of_its_own():
    """Other routes are not counted; the limit is named by the route."""
    limit = Limit(quota=2, by="address")
    routes = route("a.1", "/a", limits=(limit,)), route("b", "/b", limits=(Limit(quota=1),))
    async with served(*routes, route("c", "/c")) as opened:
        answers = [await opened.get(f"/{one}") for one in "aaabbcc"]

    assert [one.status_code for one in answers] == [200, 200, 429, 200, 429, 200, 200]
    assert answers[2].json()["violated-policies"] == ["a-1-address-requests"]


async def test_a_route_has_cors_rules_of_its_own():
    """A preflight is answered by the rules of the route that it is for."""
    cors = CorsOptions(origins=("https://shop.example",), methods=("PUT",))
    match = {"methods": ("PUT",)}
    routes = route("a", "/a", match=match, cors=cors), route("b", "/b", match=match)
    origin = {"origin": "https://shop.example"}
    preflight = {**origin, "access-control-request-method": "PUT"}
    replied = reply(200, headers={"access-control-allow-origin": "*"})
    async with served(*routes, suppliers=replied) as opened:
        allowed = await opened.options("/a", headers=preflight)
        refused = await opened.options("/b", headers=preflight)
        answered = [await opened.put(f"/{one}", headers=origin) for one in "ab"]

    name = "access-control-allow-origin"
    assert (allowed.status_code, allowed.headers[name]) == (204, "https://shop.example")
    assert refused.status_code in {403, 405}
    assert name not in refused.headers
    assert [one.headers.get(name) for one in answered] == ["https://shop.example", None]


async def test_a_route_is_cached_by_the_policy_of_its_upstream():
    """One reply for two requests; a route may leave it out, and conditions are answered here."""

    class Stored(Upstream):
        policy = Policy(public=True, cache=Cache(ttl=60))

    made = proxied(
        Route("a", Match("/a"), to=Stored, access=ANYONE),
        Route("b", Match("/b"), to=Stored, access=ANYONE, cache=False),
    )
    fresh = reply(200, b"text", headers={"cache-control": "public, max-age=60", "etag": '"1"'})
    async with client(made, stored=fresh) as opened:
        answers = [await opened.get(f"/{one}") for one in "aabb"]
        known = await opened.get("/a", headers={"if-none-match": '"1"'})

    assert [one.target for one in opened.calls] == ["/a", "/b", "/b"]
    assert [one.text for one in answers] == ["text"] * 4
    assert known.status_code == 304


async def test_replies_are_cached_per_viewer_unless_the_policy_says_public():
    """Ada never sees what was cached for Bob."""

    class Private(Upstream):
        policy = Policy(cache=Cache(ttl=60))

    made = proxied(Route("a", Match("/a"), to=Private))
    fresh = reply(200, b"text", headers={"cache-control": "private, max-age=60"})
    async with client(made, private=fresh, viewer="ada") as opened:
        for viewer in ("ada", "bob", "ada"):
            await opened.as_viewer(viewer).get("/a")

    assert len(opened.calls) == 2


async def test_a_rule_may_decide_by_the_values_of_the_path():
    """As for a view."""
    rule = Require(when=lambda viewer, inputs: inputs["user"] == viewer.subject)
    async with served(route("a", "/{user}", access=rule), viewer="ada") as opened:
        statuses = [(await opened.get(f"/{one}")).status_code for one in ("ada", "bob")]

    assert statuses == [200, 403]


@pytest.mark.parametrize(("idempotency", "executed"), [(True, 1), (False, 2)])
async def test_a_write_with_a_key_is_executed_once(idempotency, executed):
    """Unless the route says otherwise."""
    key = {"idempotency-key": "0123456789abcdef0123456789abcdef"}
    suppliers = reply(201, b"made", headers={"content-type": "text/plain"})
    async with served(route("a", "/x", idempotency=idempotency), suppliers=suppliers) as opened:
        answers = [await opened.post("/x", content=b"{}", headers=key) for _ in range(2)]

    assert [one.status_code for one in answers] == [201, 201]
    assert len(opened.calls) == executed


async def test_a_service_never_gets_the_key_of_a_client():
    """Two clients may use the same key: the service gets one that is bound to the viewer."""
    key, suppliers = "0123456789abcdef0123456789abcdef", Recorder()
    routes = [route("a", "/x", max_body=2**30), route("b", "/y")]
    async with served(*routes, suppliers=suppliers, viewer="ada") as opened:
        found = []
        for path in ("/x", "/y"):
            for viewer in ("ada", "bob"):
                signed_in = opened.as_viewer(viewer)
                await signed_in.post(path, content=b"{}", headers={"idempotency-key": key})
                found += suppliers.sent("idempotency-key")

    assert len(set(found)) == 4
    assert key.encode() not in found


async def test_the_slow_path_answers_alike():
    """Middleware of the app changes nothing for proxied routes."""
    transform = Transform(path="/v2/{x}")
    found = []
    for is_slow in (False, True):
        suppliers = Recorder(404, headers=[(b"location", b"/v2/y")], body=b"no")
        routes = [route("a", "/{x}", transform=transform)]
        async with served(*routes, suppliers=suppliers, is_slow=is_slow) as opened:
            answer = await send_raw(
                opened, b"/a%2Fb?q=1", headers=[(b"x-request-id", b"0123456789")]
            )
        sent = [suppliers.calls[0].target, suppliers.calls[0].headers]
        shown = [one for one in answer.headers if one[0] != b"server-timing"]
        found.append([answer.status, answer.body, sorted(shown), sent])

    assert found[0] == found[1]
