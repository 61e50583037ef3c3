"""Shadow traffic: copies of requests go to a mirror, whose replies are compared and dropped."""

import asyncio
import dataclasses
import gzip
import json
import zlib
from types import SimpleNamespace

import pytest

from bff_core import (
    ApiKey,
    Cache,
    ConfigurationError,
    Policy,
    Retry,
    Scope,
    StreamedBody,
    Upstream,
)
from bff_core.events import MirrorCompared, MirrorDropped
from bff_core.proxy import Mirror
from bff_core.proxy.mirroring import MARKER, Mirroring
from bff_core.scope import current_request
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, hang, reply, stream
from bff_core.upstream.forwarding import ForwardedRequest
from bff_core.upstream.stack import open_stack

pytestmark = pytest.mark.virtual_time

JSON = ((b"content-type", b"application/json"),)
STOCK = {"left": 3, "price": 9.5}


class Next(Upstream):
    """The service that may replace the route's own."""

    policy = Policy(timeout=2.0, retry=Retry(attempts=3))


class Shadow:
    """A route with a mirror that answers step by step."""

    def __init__(self, *steps, kind=Next, credential=None, **options):
        self.script = Scripted(*steps)
        self.bench = LayerRuntime("next")
        self.started = self.bench.now
        runtime = dataclasses.replace(self.bench.runtime, credential=lambda *_: credential)
        transport = ScriptedTransport({"10.0.0.1": self.script})
        stack = open_stack(kind.policy, ["http://10.0.0.1"], runtime, lambda *_: transport)
        upstream = kind(stack, clock=runtime.clock)
        self.mirroring = Mirroring(
            "stock",
            Mirror(to=kind, **options),
            lambda: upstream,
            events=lambda: runtime.events,
            chance=runtime.chance,
            clock=runtime.clock,
        )

    def begin(self, **values):
        return self.mirroring.begin(request(**values))

    @property
    def seconds(self):
        """How long it runs."""
        return self.bench.now - self.started

    async def ended(self):
        """Wait for all copies."""
        while self.bench.background:
            await asyncio.wait(set(self.bench.background))

    async def compared(self, status=200, body=STOCK, headers=JSON, *, coded=None, **values):
        """Answer a request that is copied, and return how the replies compare."""
        own = self.begin(**values)
        own.head(status, headers)
        data = coded or (body if isinstance(body, bytes) else json.dumps(body).encode())
        for start in range(0, len(data), 7):
            own.piece(data[start : start + 7])
        own.end()
        await self.ended()
        (event,) = self.bench.events_of(MirrorCompared)
        return event


def request(**values):
    """Return a request, as a route sends it."""
    given = {"method": "GET", "target": "/stock/7?x=1", "audience": "viewer 7", **values}
    return ForwardedRequest(**given)


async def test_equal_replies_are_reported_as_the_same():
    """With their statuses, and the time until each head."""
    shadow = Shadow(reply(200, {"price": 9.50, "left": 3.0}, after=0.5))
    event = await shadow.compared()

    assert event == MirrorCompared(
        "stock", "next", "same", 200, 200, is_body_compared=True, mirror_duration=0.5
    )


async def test_copy_is_the_request_that_the_route_sends():
    """Target and headers as they came, with the marker, by which the mirror knows copies."""
    shadow = Shadow(reply(200, STOCK))
    await shadow.compared()

    (call,) = shadow.script.calls
    assert (call.method, call.target, call.audience) == ("GET", "/stock/7?x=1", "viewer 7")
    assert MARKER in call.headers


@pytest.mark.parametrize(
    ("own", "mirrors", "outcome", "differences"),
    [
        ((200, STOCK), (200, {"left": 3, "price": 10}), "body_differs", ("changed $.price",)),
        ((200, STOCK), (500, STOCK), "status_differs", ()),
        ((404, {"title": "none"}), (404, {"title": "none"}), "same", ()),
        ((404, {"title": "none"}), (404, {"title": "no"}), "body_differs", ("changed $.title",)),
        ((200, STOCK), (200, b"<html>"), "body_differs", ("type $",)),
        ((200, STOCK), (200, b""), "body_differs", ("type $",)),
        ((200, [STOCK] * 3000), (200, [STOCK] * 3000), "too_large", ()),
        ((200, STOCK), (200, [STOCK] * 3000), "too_large", ()),
        ((200, [STOCK] * 3000), (200, STOCK), "too_large", ()),
    ],
)
async def test_outcomes(own, mirrors, outcome, differences):
    """Status first, then the body if it is JSON and not too large."""
    event = await Shadow(reply(*mirrors)).compared(*own)

    assert (event.outcome, event.differences) == (outcome, differences)


@pytest.mark.parametrize("status", [204, 200])
async def test_bodies_that_are_no_json_are_not_compared(status):
    """Only statuses are; the event says so."""
    shadow = Shadow(reply(status, b"<p>two", headers={"content-type": "text/html"}))
    event = await shadow.compared(status, b"<p>one", ((b"content-type", b"text/html"),))

    assert (event.outcome, event.is_body_compared) == ("same", False)


@pytest.mark.parametrize(
    "media", [b"application/json; charset=utf-8", b"application/problem+json", b"Application/JSON"]
)
async def test_all_media_types_of_json_are_compared(media):
    """With parameters, as a suffix, in capitals."""
    shadow = Shadow(reply(200, b'{"a":1}', headers={"content-type": "application/hal+json"}))
    event = await shadow.compared(200, b'{"a":2}', ((b"content-type", media),))

    assert event.differences == ("changed $.a",)


@pytest.mark.parametrize(
    ("compare", "mirrors", "outcome"),
    [
        (("status",), (200, {"a": 2}), "same"),
        (("status",), (201, {"a": 1}), "status_differs"),
        (("json",), (201, {"a": 1}), "same"),
        (("json",), (201, {"a": 2}), "body_differs"),
        (("status", "json"), (201, {"a": 2}), "status_differs"),
    ],
)
async def test_compare_names_what_is_compared(compare, mirrors, outcome):
    """Statuses, JSON bodies, or both."""
    shadow = Shadow(reply(*mirrors), compare=compare)

    assert (await shadow.compared(200, {"a": 1})).outcome == outcome


async def test_ignored_paths_may_differ():
    """The time at which something was served is never equal."""
    shadow = Shadow(reply(200, {**STOCK, "servedAt": "10:01"}), ignore=("$.servedAt",))
    event = await shadow.compared(200, {**STOCK, "servedAt": "10:00"})

    assert event.outcome == "same"


@pytest.mark.parametrize(
    ("coding", "encode"),
    [(b"gzip", gzip.compress), (b"deflate", zlib.compress), (b"GZIP", gzip.compress)],
)
async def test_content_codings_are_decoded(coding, encode):
    """A route whose service compresses is compared with a mirror that does not."""
    coded = encode(json.dumps(STOCK).encode())
    headers = (*JSON, (b"content-encoding", coding))
    event = await Shadow(reply(200, STOCK)).compared(headers=headers, coded=coded)

    assert (event.outcome, event.is_body_compared) == ("same", True)


async def test_a_body_that_expands_is_too_large():
    """A few bytes that decode to many are not decoded as a whole."""
    bomb = gzip.compress(b"[" + b"0," * 5_000_000 + b"0]")
    headers = (*JSON, (b"content-encoding", b"gzip"))
    event = await Shadow(reply(200, STOCK)).compared(headers=headers, coded=bomb)

    assert event.outcome == "too_large"


@pytest.mark.parametrize("coding", [b"compress", b"gzip"])
async def test_a_coding_that_can_not_be_decoded_is_no_difference(coding):
    """It fails with a reason: nothing is known of the body."""
    headers = (*JSON, (b"content-encoding", coding))
    event = await Shadow(reply(200, STOCK)).compared(headers=headers, coded=b"no such coding")

    assert (event.outcome, event.reason) == ("failed", "coding")


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (fail(is_sent=False), "unavailable"),
        (fail(), "unavailable"),
        (hang(), "timeout"),
        (stream(b"{", 60.0, headers={"content-type": "application/json"}), "timeout"),
        (stream(b"{", breaks=True, headers={"content-type": "application/json"}), "unavailable"),
    ],
)
async def test_a_mirror_that_fails_is_tried_once_and_reported(step, reason):
    """Its policy would retry; the deadline is that of its policy, to the end of the body."""
    shadow = Shadow(step)
    event = await shadow.compared()

    assert (event.outcome, event.reason, len(shadow.script.calls)) == ("failed", reason, 1)
    assert shadow.seconds <= Next.policy.timeout


async def test_the_client_waits_for_nothing():
    """Requests are answered before a slow mirror has even got its first byte out."""
    shadow = Shadow(hang())
    own = shadow.begin()
    own.head(200, JSON)
    own.piece(b"{}")
    own.end()

    assert (shadow.seconds, shadow.script.calls) == (0.0, [])
    await shadow.ended()


async def test_a_client_that_disconnects_does_not_end_the_copy():
    """The statuses are compared; a body that was cut off can't be."""
    shadow = Shadow(reply(200, STOCK, after=1.0))
    own = shadow.begin()
    own.head(200, JSON)
    own.piece(b'{"left"')
    own.end(is_whole=False)
    await shadow.ended()

    (event,) = shadow.bench.events_of(MirrorCompared)
    assert (event.outcome, event.reason, event.mirror_status) == ("failed", "unfinished", 200)


@pytest.mark.parametrize("ends", [True, False])
async def test_a_route_without_a_reply_is_reported(ends):
    """Also if its answer never ends: a copy does not wait for ever."""
    shadow = Shadow(reply(200, STOCK))
    own = shadow.begin()
    if ends:
        own.end(is_whole=False)
    await shadow.ended()
    own.end()

    (event,) = shadow.bench.events_of(MirrorCompared)
    assert (event.outcome, event.reason, event.status) == ("failed", "no_reply", 0)
    assert shadow.seconds == (0.0 if ends else 60.0)


@pytest.mark.parametrize("media", [b"text/event-stream", b"application/octet-stream"])
async def test_streams_and_downloads_take_no_place(media):
    """What is not compared is not waited for, in either reply."""
    shadow = Shadow(stream(b"data: 1\n\n", 3600.0, headers={"content-type": "text/event-stream"}))
    own = shadow.begin()
    own.head(200, ((b"content-type", media),))
    await shadow.ended()
    own.piece(b"x" * 1_000_000)

    (event,) = shadow.bench.events_of(MirrorCompared)
    assert (event.outcome, shadow.seconds) == ("same", 0.0)


async def test_copies_under_way_are_limited():
    """Further requests are not copied, and counted; a copy that ended makes room."""
    shadow = Shadow(reply(200, STOCK, after=1.0), concurrent=2)
    begun = [shadow.begin() for _ in range(5)]
    for own in begun[:2]:
        own.end()
    await shadow.ended()

    assert [one is None for one in begun] == [False, False, True, True, True]
    assert shadow.bench.events_of(MirrorDropped) == [MirrorDropped("stock", "next", "busy")] * 3
    assert shadow.mirroring.in_flight == 0
    shadow.begin().end()
    await shadow.ended()


async def test_a_copy_that_is_cancelled_makes_room():
    """As when the gateway ends, also before the copy has begun."""
    shadow = Shadow(hang())
    shadow.begin()
    (task,) = shadow.bench.background
    task.cancel()
    await shadow.ended()

    assert shadow.mirroring.in_flight == 0


async def test_memory_is_bounded():
    """Of a body that is too large nothing is stored, however long it is."""
    shadow = Shadow(reply(200, STOCK), max_body=100)
    own = shadow.begin()
    own.head(200, JSON)
    for _ in range(1000):
        own.piece(b"x" * 60)

    assert own.recorded.encoded == (None, b"")
    await shadow.ended()
    assert shadow.bench.events_of(MirrorCompared)[0].outcome == "too_large"
    assert shadow.seconds == 0.0  # what is too large is not waited for


@pytest.mark.virtual_time(on=False)
async def test_large_bodies_are_compared_in_a_thread():
    """So that requests go on meanwhile."""
    rows = [STOCK] * 20_000
    shadow = Shadow(reply(200, [*rows[1:], {**STOCK, "left": 4}]), max_body=1024 * 1024)
    own = shadow.begin()
    own.head(200, JSON)
    own.piece(json.dumps(rows).encode())
    own.end()
    await shadow.ended()

    (event,) = shadow.bench.events_of(MirrorCompared)
    assert event.differences == ("changed $[19999].left",)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "get"])
async def test_only_safe_methods_are_copied(method):
    """A write would happen twice."""
    assert Shadow(reply()).begin(method=method) is None
    with pytest.raises(ConfigurationError, match=r"Mirror.methods"):
        Shadow(reply(), methods=("GET", method))


async def test_methods_may_be_fewer():
    """A mirror of HEAD requests gets no GET."""
    shadow = Shadow(reply(), methods=("HEAD",))

    assert shadow.begin() is None
    assert (await shadow.compared(method="HEAD", body=b"")).outcome == "same"


async def test_a_body_that_can_be_read_once_is_not_copied():
    """It goes to the route's own upstream."""
    shadow = Shadow(reply())
    body = StreamedBody(empty())

    assert shadow.begin(body=body) is None
    assert shadow.bench.events_of(MirrorDropped) == [MirrorDropped("stock", "next", "body")]


async def empty():
    """Yield no piece of a body."""
    for piece in ():
        yield piece


@pytest.mark.parametrize(("percent", "low", "high"), [(0, 0, 0), (100, 300, 300), (10, 15, 45)])
async def test_percent_is_the_share_of_the_requests(percent, low, high):
    """0 and 100 are exact."""
    shadow = Shadow(reply(200, STOCK), percent=percent, concurrent=1000)
    begun = [own for _ in range(300) if (own := shadow.begin()) is not None]
    for own in begun:
        own.end()
    await shadow.ended()

    assert low <= len(begun) == len(shadow.script.calls) <= high


FORGED = {
    b"authorization": b"Bearer secret",
    b"Authorization": b"Bearer secret",
    b"cookie": b"session=secret",
    b"proxy-authorization": b"Basic secret",
    b"dpop": b"secret",
    b"x-api-key": b"secret",
    b"client-cert": b"secret",
    b"client-cert-chain": b"secret",
    b"x-forwarded-client-cert": b"secret",
    b"idempotency-key": b"secret",
    b"x-own-credential": b"secret",
}


@pytest.mark.parametrize("name", FORGED)
async def test_credentials_of_the_viewer_are_not_copied(name):
    """Though the route sends them on, and by each name; also those of an own authenticator."""
    shadow = Shadow(reply(200, STOCK))
    scope = Scope(deadline=1.0, credential_fields=frozenset({b"x-own-credential"}))
    token = current_request.set(scope)
    own = shadow.begin(headers=((name, FORGED[name]), (b"x-tag", b"1")), with_credentials=True)
    own.end()
    await shadow.ended()
    current_request.reset(token)

    (call,) = shadow.script.calls
    assert b"secret" not in repr(call.headers).encode()
    assert (b"x-tag", b"1") in call.headers


class Keyed(Upstream):
    """A mirror with credentials of its own."""

    policy = Policy(credentials=ApiKey(secret="ours", header="x-api-key"))


async def test_credentials_of_the_mirrors_policy_are_sent():
    """In the name of the viewer, where it needs one."""
    tokens = []

    class Credential:
        names = frozenset({b"x-api-key"})

        def headers(self, call):
            tokens.append(call.token)
            return ((b"x-api-key", b"ours"),)

    shadow = Shadow(reply(200, STOCK), kind=Keyed, credential=Credential())
    viewer_token = SimpleNamespace()
    token = current_request.set(Scope(deadline=1.0, token=viewer_token))
    own = shadow.begin(headers=((b"x-api-key", b"the viewer's"),))
    own.end()
    await shadow.ended()
    current_request.reset(token)

    (call,) = shadow.script.calls
    assert [value for name, value in call.headers if name == b"x-api-key"] == [b"ours"]
    assert tokens == [viewer_token]


async def test_a_copy_has_its_own_time_and_costs_the_request_nothing():
    """The request's deadline and its count of calls are not the copy's."""
    shadow = Shadow(reply(200, STOCK, after=1.0))
    scope = Scope(deadline=shadow.bench.now + 0.1, audience="ada", traceparent="00-1-2-01")
    token = current_request.set(scope)
    event = await shadow.compared()
    current_request.reset(token)

    (call,) = shadow.script.calls
    assert (event.outcome, scope.calls, scope.streams) == ("same", 0, None)
    assert call.traceparent == "00-1-2-01"
    assert call.deadline == shadow.started + Next.policy.timeout


class Caching(Upstream):
    """A mirror whose policy caches."""

    policy = Policy(cache=Cache(ttl=60), retry=None)


async def test_each_copy_is_sent():
    """A cache of the mirror's policy answers none, and equal copies are not joined."""
    shadow = Shadow(reply(200, STOCK, after=1.0), kind=Caching)
    for own in [shadow.begin(is_streamed=False) for _ in range(3)]:
        own.end()
    await shadow.ended()

    assert len(shadow.script.calls) == 3


async def test_a_copy_is_not_copied_again():
    """A gateway that mirrors to itself, or two that mirror to each other, do not loop."""
    assert Shadow(reply()).begin(headers=(MARKER,)) is None
    assert Shadow(reply()).begin(headers=((b"Mirrored-Request", b"anything"),)) is None


@pytest.mark.parametrize("condition", [b"if-none-match", b"If-Modified-Since"])
@pytest.mark.parametrize(("own", "mirrors"), [(304, 200), (200, 304), (304, 304)])
async def test_validators_differ_between_upstreams(condition, own, mirrors):
    """To a conditional request 200 and 304 are the same, since each has entity tags of its own."""
    shadow = Shadow(reply(mirrors, STOCK if mirrors == 200 else b""))
    copied = shadow.begin(headers=((condition, b'"1"'),))
    copied.head(own, JSON)
    copied.end()
    await shadow.ended()

    assert shadow.bench.events_of(MirrorCompared)[0].outcome == "same"


async def test_a_304_without_a_condition_differs():
    """It is then a fault of one of them."""
    assert (await Shadow(reply(304)).compared()).outcome == "status_differs"


async def test_parts_of_a_document_are_not_compared():
    """A range of JSON (206) is no JSON."""
    shadow = Shadow(reply(206, b'{"a"', headers={"content-type": "application/json"}))

    assert (await shadow.compared(206, b'{"b"')).outcome == "same"


@pytest.mark.parametrize("compare", [(), ("headers",), ("status", "body")])
async def test_unknown_comparison_is_refused_at_start(compare):
    """The error names the option."""
    with pytest.raises(ConfigurationError, match=r"Mirror.compare"):
        Shadow(reply(), compare=compare)


async def test_wrong_path_is_refused_at_start():
    """A filter is no path that a mirror ignores."""
    with pytest.raises(ConfigurationError, match="brackets have"):
        Shadow(reply(), ignore=("$.a[?(@.b)]",))


async def test_a_gateway_without_sinks_reports_nothing():
    """Copies are sent all the same."""
    script = Scripted(reply(200, STOCK))
    bench = LayerRuntime("next", listens=False)
    transport = ScriptedTransport({"10.0.0.1": script})
    stack = open_stack(Next.policy, ["http://10.0.0.1"], bench.runtime, lambda *_: transport)
    mirroring = Mirroring(
        "stock",
        Mirror(to="next"),
        lambda: Next(stack, clock=bench.runtime.clock),
        clock=bench.runtime.clock,
    )
    own = mirroring.begin(request())
    own.end()
    await asyncio.sleep(1.0)

    assert (mirroring.name, mirroring.in_flight, len(script.calls)) == ("next", 0, 1)
