"""`Upstream.forward`: a client's request goes to a service as it came, its reply comes back."""

import asyncio
import contextvars
import dataclasses
import math
from contextlib import aclosing, suppress
from types import SimpleNamespace
from typing import ClassVar

import pytest
from msgspec.structs import replace

from bff_core import ApiKey, Breaker, CircuitOpen, Policy, Scope, StreamedBody, Upstream
from bff_core.call import Attempt, Call, Reply
from bff_core.errors import AttemptTimedOut, ConfigurationError, InvalidInput, TransportFailed
from bff_core.events import AnyEvent, Sink, StreamEnded
from bff_core.scope import StepTry, running_part
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply, stream
from bff_core.upstream.forwarding import ForwardedRequest
from bff_core.upstream.layers.purge import PurgeLayer
from bff_core.upstream.runtime import Credential
from bff_core.upstream.stack import open_stack
from bff_core.upstream.transport.request_writer import UnsafeRequest

pytestmark = pytest.mark.virtual_time


class Files(Upstream):
    """A service that a client sees through the gateway."""

    policy = Policy(retry=None)


def files(
    script: Scripted,
    scope: Scope | None = None,
    sink: Sink | None = None,
    *,
    kind: type[Files] = Files,
    credential: Credential | None = None,
) -> Files:
    """Return the client of a scripted service, bound to a request."""
    bench = LayerRuntime("files")
    if sink is not None:
        bench.runtime.events.listen(sink)
    runtime = dataclasses.replace(bench.runtime, credential=lambda *_: credential)
    transport = ScriptedTransport({"10.0.0.1": script})
    stack = open_stack(kind.policy, ["http://10.0.0.1"], runtime, lambda *_: transport)
    return kind(stack, clock=bench.runtime.clock).bind(scope or Scope(deadline=bench.now + 5))


def request(**values: object) -> ForwardedRequest:
    """Return a request, as a client may send it."""
    return ForwardedRequest(
        **{"method": "GET", "target": "/a%2Fb/?tag=x&tag=y&tag=", "audience": "viewer 7", **values}
    )


async def test_target_and_headers_arrive_as_they_came() -> None:
    """Nothing is decoded, sorted or joined; one name may come twice."""
    script = Scripted(reply(203, b"here"))
    headers = ((b"Accept", b"a/b"), (b"x-tag", b"1"), (b"x-tag", b"2"), (b"range", b"bytes=0-9"))
    answer = await files(script).forward(request(headers=headers))

    (call,) = script.calls
    assert call.target == "/a%2Fb/?tag=x&tag=y&tag="
    assert call.headers == (
        (b"accept", b"a/b"), (b"x-tag", b"1"), (b"x-tag", b"2"), (b"range", b"bytes=0-9"),
        (b"accept-encoding", b"identity"),
    )  # fmt: skip
    assert (answer.status, [piece async for piece in answer]) == (203, [b"here"])


@pytest.mark.parametrize(
    "name",
    [
        *("connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade", "proxy-authenticate", "proxy-authentication-info"),
        *("host", "content-length", "expect", "request-timeout", "traceparent"),
        *("x-only-here", "X-Only-Here"),
    ],
)
async def test_headers_of_one_connection_stay_there(name: str) -> None:
    """Also those that `Connection` names, in whatever case."""
    script = Scripted(reply(200))
    headers = ((b"Connection", b"close, X-Only-HERE"), (name.encode(), b"x"), (b"x-more", b"1"))
    await files(script).forward(request(headers=headers, is_streamed=False))

    assert script.calls[0].headers == ((b"x-more", b"1"),)


@pytest.mark.parametrize(
    ("headers", "is_streamed", "sent"),
    [
        ({}, True, [b"identity"]),
        ({}, False, []),
        ({"Accept-Encoding": b"br, gzip;q=0.5"}, True, [b"br, gzip;q=0.5"]),
        ({"Accept-Encoding": b""}, True, [b""]),
    ],
)
async def test_a_client_gets_codings_that_it_accepts(headers, is_streamed, sent) -> None:
    """A streamed body is not decoded on its way, so the service must know what the client reads."""
    script = Scripted(reply(200))
    fields = tuple((name.encode(), value) for name, value in headers.items())
    await files(script).forward(request(headers=fields, is_streamed=is_streamed))

    fields = script.calls[0].headers
    assert [value for name, value in fields if name == b"accept-encoding"] == sent


OF_THE_SERVICE = (
    *("server", "x-powered-by", "via", "alt-svc", "strict-transport-security", "clear-site-data"),
)


@pytest.mark.parametrize("with_credentials", [False, True])
async def test_a_client_gets_no_header_about_the_service(with_credentials: bool) -> None:
    """And its cookies only where credentials are forwarded; all others, repeated ones included."""
    fields = dict.fromkeys(OF_THE_SERVICE, "x") | {"set-cookie": "a=1", "x-one": "1"}
    answer = await files(Scripted(reply(200, b"", headers=fields))).forward(
        request(with_credentials=with_credentials)
    )

    names = {name for name, _ in answer.headers}
    assert names >= {b"x-one"}
    assert (b"set-cookie" in names) is with_credentials
    assert names.isdisjoint({name.encode() for name in OF_THE_SERVICE})


@pytest.mark.parametrize("name", ["location", "content-location"])
@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("/public/a?b=1", "/v1/files/a?b=1"),
        ("http://10.0.0.1/public/a", "/v1/files/a"),
        ("b", "/v1/files/x/b"),
        ("/public", "/v1/files"),
        ("/orders/7", "/v1/orders/7"),
        ("http://10.0.0.1/orders/7", "/v1/orders/7"),
        ("http://10.0.0.1/internal", None),
        ("/publications", None),
        ("https://shop.example/a", "https://shop.example/a"),
    ],
)
async def test_references_lead_to_the_gateway(name: str, reference: str, expected) -> None:
    """By the prefixes of the request or the declared locations; never to an internal address."""

    class Located(Files):
        locations: ClassVar = {"/orders/{id}": "/v1/orders/{id}"}

    prefixes = {"own_prefix": "/v1/files", "service_prefix": "/public"}
    client = files(Scripted(reply(201, b"", headers={name: reference})), kind=Located)
    answer = await client.forward(request(target="/public/x/y", **prefixes))

    assert answer.header(name) == expected


async def test_a_client_can_not_replace_the_credentials_of_the_gateway() -> None:
    """A header of the same name is not an error either: any client could raise alarms."""

    class Keyed(Files):
        policy = Policy(retry=None, credentials=ApiKey(secret="files", header="x-files-key"))

    script = Scripted(reply(200))
    client = files(script, kind=Keyed, credential=Fixed())
    await client.forward(request(headers=((b"x-files-key", b"mine"), (b"x-one", b"1"))))

    sent = [value for name, value in script.calls[0].headers if name == b"x-files-key"]
    assert sent == [b"ours"]


class Fixed:
    """Credentials that never change."""

    names = frozenset({b"x-files-key"})

    def headers(self, call: Call):
        return ((b"x-files-key", b"ours"),)

    async def replaced(self, call: Call, refused):
        return None


@pytest.mark.parametrize(
    "fields", [((b"x-a", b"1\n2"),), ((b"x a", b"1"),), ((b"x-a", b"\x01"),)], ids=repr
)
async def test_a_request_that_could_be_read_as_two_is_the_client_s_mistake(fields) -> None:
    """400, and no alarm of the gateway."""

    async def refuse(call) -> Reply:
        raise UnsafeRequest(f"{call.operation}: a header")

    with pytest.raises(InvalidInput, match="can't be forwarded"):
        await files(Scripted(refuse)).forward(request(headers=fields))


async def test_spaces_around_a_value_are_not_part_of_it() -> None:
    """Some servers pass them on."""
    script = Scripted(reply(200))
    await files(script).forward(request(headers=((b"x-a", b" 1\t"),), is_streamed=False))

    assert script.calls[0].headers == ((b"x-a", b"1"),)


@pytest.mark.parametrize("keyed", [True, False])
async def test_an_idempotency_key_is_bound_to_its_viewer(keyed: bool) -> None:
    """The service gets a key that is derived from it, or none if it supports none."""

    class Orders(Files):
        policy = Policy(retry=None, keyed=keyed)

    script = Scripted(reply(200))
    scope = Scope(deadline=math.inf, idempotency_key="viewer 7's own")
    headers = ((b"idempotency-key", b"mine"),)
    client = files(script, scope, kind=Orders)
    await client.forward(request(method="POST", headers=headers, is_streamed=False))

    sent = [value for name, value in script.calls[0].headers if name == b"idempotency-key"]
    assert len(sent) == keyed
    assert b"mine" not in sent


async def test_cookies_go_to_the_client_that_caused_them() -> None:
    """Others that waited for the same reply get it without."""
    script = Scripted(reply(200, b"all", headers={"set-cookie": "a=1", "x-one": "1"}, after=1))
    client = files(script)
    wanted = request(audience=None, is_streamed=False, with_credentials=True)
    answers = await asyncio.gather(*(client.forward(wanted) for _ in range(3)))

    assert len(script.calls) == 1
    assert [one.header("set-cookie") for one in answers] == ["a=1", None, None]
    assert [one.header("x-one") for one in answers] == ["1", "1", "1"]


async def test_a_write_whose_body_breaks_off_is_purged() -> None:
    """The service may have acted on its first piece."""
    purged, bench = [], LayerRuntime("files")

    async def inner(call: Call) -> Reply:
        call.trail.append(Attempt("http://10.0.0.1", 0.0))
        raise ValueError("the body has less than its length")

    async def purge(*tags: str, by: str) -> None:
        purged.extend(tags)

    layer = PurgeLayer(SimpleNamespace(purge=purge), ["http://10.0.0.1"], bench.runtime, inner)
    with pytest.raises(ValueError, match="less than"):
        await layer(replace(bench.call(method="POST"), purges=("titles",)))

    assert "titles" in purged


async def test_what_is_no_forwarded_request_is_refused() -> None:
    """Such as FastAPI's request itself; the error says what to pass."""
    with pytest.raises(TypeError, match=r"pass forwarded_request\(request"):
        await files(Scripted(reply(200))).forward(SimpleNamespace(method="GET"))


async def test_a_slow_client_opens_no_circuit() -> None:
    """A timeout while the client has not sent its whole body is not the service's fault."""

    class Guarded(Files):
        policy = Policy(retry=None, attempt_timeout=1, breaker=Breaker(minimum_calls=5))

    async def pieces():
        yield b"a little"
        await asyncio.Event().wait()

    async def receive(call) -> Reply:
        async for _ in call.body.open():
            pass
        raise AssertionError("the body never ends")

    client = files(Scripted(receive), Scope(deadline=math.inf), kind=Guarded)
    for _ in range(10):
        with pytest.raises(AttemptTimedOut, match="the request had not arrived as a whole"):
            await client.forward(request(method="PUT", body=StreamedBody(pieces())))

    with pytest.raises(AttemptTimedOut):
        await client.forward(request(method="PUT", body=StreamedBody(pieces())))


async def test_a_service_that_reads_no_further_opens_the_circuit() -> None:
    """The client has sent its body as far as the service takes it."""

    class Guarded(Files):
        policy = Policy(retry=None, attempt_timeout=1, breaker=Breaker(minimum_calls=5))

    async def pieces():
        yield b"all"
        yield b"of it"

    async def receive(call) -> Reply:
        await anext(call.body.open())
        await asyncio.Event().wait()
        raise AssertionError("it never reads on")

    client = files(Scripted(receive), Scope(deadline=math.inf), kind=Guarded)
    for _ in range(10):
        with suppress(AttemptTimedOut, CircuitOpen):
            await client.forward(request(method="PUT", body=StreamedBody(pieces())))
    with pytest.raises(CircuitOpen):
        await client.forward(request(method="PUT", body=StreamedBody(pieces())))


@pytest.mark.parametrize(
    ("body", "outcome", "size"),
    [
        (stream(b"one", b"three"), "whole", 8),
        (stream(b"one", breaks=True), "unavailable", 3),
        (stream(b"one", 60.0, b"two"), "closed", 3),
    ],
)
async def test_the_end_of_a_stream_is_an_event(body, outcome: str, size: int) -> None:
    """With its outcome, its bytes and its duration, in the span of its call."""
    received: list[AnyEvent] = []
    scope = Scope(deadline=math.inf)
    answer = await files(Scripted(body), scope, received.append).forward(request())
    with suppress(TransportFailed, TimeoutError):
        async with asyncio.timeout(1):
            [piece async for piece in answer]
    await scope.close_streams()

    (ended,) = [one for one in received if isinstance(one, StreamEnded)]
    assert (ended.outcome, ended.size) == (outcome, size)


async def test_the_audience_is_what_the_caller_says() -> None:
    """It is never guessed from the request's viewer."""
    script = Scripted(reply(200))
    scope = Scope(deadline=math.inf, audience="viewer 8", traceparent="00-1-2-01")
    client = files(script, scope)
    await client.forward(request())
    await client.forward(request(audience=None))

    assert [call.audience for call in script.calls] == ["viewer 7", None]
    assert {call.traceparent for call in script.calls} == {"00-1-2-01"}


async def test_a_streamed_reply_is_closed_when_the_request_ends() -> None:
    """A view that forgets it leaks neither a permit nor a connection."""
    script, scope = Scripted(stream(b"one", 60.0, b"two")), Scope(deadline=math.inf)
    answer = await files(script, scope).forward(request())
    assert await anext(aiter(answer)) == b"one"
    await scope.close_streams()

    assert answer.body.is_over


async def test_a_reader_may_close_it_earlier() -> None:
    """Then the end of the request has nothing to do."""
    script, scope = Scripted(stream(b"one", b"two")), Scope(deadline=math.inf)
    client = files(script, scope)
    async with aclosing(await client.forward(request())) as answer:
        assert not answer.is_buffered
    await client.forward(request())

    assert len(scope.streams) == 1


async def test_the_part_that_forwards_bounds_the_call() -> None:
    """As it bounds every other call."""
    script, scope = Scripted(reply(200)), Scope(deadline=math.inf)
    client = files(script, scope)
    deadline = asyncio.get_running_loop().time() + 0.5
    context = contextvars.copy_context()
    context.run(running_part.set, SimpleNamespace(deadline=deadline, span=None))
    await asyncio.create_task(client.forward(request()), context=context)

    assert script.calls[0].deadline == deadline


async def test_a_purge_that_is_cancelled_closes_the_reply() -> None:
    """Its caller never receives it, and so could not close it."""
    answers, bench = [], LayerRuntime("files")

    async def inner(call: Call) -> Reply:
        answers.append(await stream(b"one", b"two")(call))
        return answers[0]

    cache = SimpleNamespace(purge=lambda *_, by: asyncio.Event().wait())
    layer = PurgeLayer(cache, ["http://10.0.0.1"], bench.runtime, inner)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await layer(replace(bench.call(method="POST"), is_streamed=True))

    assert answers[0].body.is_over


@pytest.mark.parametrize("breaks", [False, True])
async def test_who_reads_too_late_hears_of_the_end_at_once(breaks: bool) -> None:
    """`on_end` never forgets a permit."""
    answer = await files(Scripted(stream(b"one", breaks=breaks))).forward(request())
    with suppress(TransportFailed):
        [piece async for piece in answer]
    ends: list[BaseException | None] = []
    answer.body.on_end(ends.append)

    assert [isinstance(error, TransportFailed) for error in ends] == [breaks]


async def test_both_bodies_may_be_streams() -> None:
    """The reply begins before the request's body has ended."""
    sent = asyncio.Event()

    async def pieces():
        yield b"up"
        await sent.wait()

    async def echo(call) -> Reply:
        first = await anext(call.body.open())
        return await stream(first, b"down")(call)

    body = StreamedBody(pieces())
    answer = await files(Scripted(echo)).forward(request(method="POST", body=body))

    assert [piece async for piece in answer] == [b"up", b"down"]
    sent.set()


async def test_a_reply_to_be_cached_is_buffered() -> None:
    """It passes caches and coalescing like any other call."""
    answer = await files(Scripted(reply(200, b"whole"))).forward(request(is_streamed=False))

    assert (answer.is_buffered, answer.content) == (True, b"whole")


async def test_a_saga_knows_of_what_was_forwarded() -> None:
    """A write in a step is one of its writes."""
    step = StepTry()
    client = files(Scripted(reply(200)), Scope(deadline=math.inf, step=step))
    await client.forward(request())
    await client.forward(request(method="DELETE"))

    assert [call.method for call in step.unsafe_calls] == ["DELETE"]


async def test_a_step_without_a_check_forwards_no_write_without_a_key() -> None:
    """No later try could tell whether it was executed."""
    client = files(Scripted(reply(200)), Scope(deadline=math.inf, step=StepTry(needs_keys="pay")))
    keyed = ((b"idempotency-key", b"1"),)
    await client.forward(request(method="POST", headers=keyed))

    with pytest.raises(ConfigurationError, match="pay"):
        await client.forward(request(method="POST"))


async def test_the_content_of_a_stream_has_to_be_read() -> None:
    """`content` of a streamed reply is a mistake with a clear error."""
    answer = await files(Scripted(stream(b"one"))).forward(request())

    with pytest.raises(TypeError, match="the reply is streamed"):
        _ = answer.content
    assert (await answer.buffered(10)).content == b"one"
