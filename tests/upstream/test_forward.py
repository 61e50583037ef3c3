"""`Upstream.forward`: a client's request goes to a service as it came, its reply comes back."""

import asyncio
import contextvars
import math
from contextlib import aclosing, suppress
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from bff_core import Policy, Scope, StreamedBody, Upstream
from bff_core.call import Call, Reply
from bff_core.errors import ConfigurationError, TransportFailed
from bff_core.scope import StepTry, running_part
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply, stream
from bff_core.upstream.forwarding import ForwardedRequest
from bff_core.upstream.layers.purge import PurgeLayer
from bff_core.upstream.stack import open_stack

pytestmark = pytest.mark.virtual_time


class Files(Upstream):
    """A service that a client sees through the gateway."""

    policy = Policy(retry=None)


def files(script: Scripted, scope: Scope | None = None) -> Files:
    """Return the client of a scripted service, bound to a request."""
    bench = LayerRuntime("files")
    transport = ScriptedTransport({"10.0.0.1": script})
    stack = open_stack(Files.policy, ["http://10.0.0.1"], bench.runtime, lambda *_: transport)
    return Files(stack, clock=bench.runtime.clock).bind(scope or Scope(deadline=bench.now + 5))


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
    await files(script).forward(request(headers=headers))

    assert script.calls[0].headers == ((b"x-more", b"1"),)


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
async def test_who_asks_too_late_hears_of_the_end_at_once(breaks: bool) -> None:
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
