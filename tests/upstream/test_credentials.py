"""The credentials layer: calls carry credentials to their service, and to no other."""

import asyncio
from dataclasses import replace

import pytest
from msgspec import structs

from bff_core.call import Attempt, Call, Reply
from bff_core.errors import (
    CircuitOpen,
    ConfigurationError,
    CredentialsUnavailable,
    NotAuthenticated,
)
from bff_core.events import Unauthorized
from bff_core.policy.upstream.breaker import Breaker
from bff_core.policy.upstream.credentials import ApiKey, Basic, ClientCredentials, Relay
from bff_core.streamed_body import StreamedBody
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import hang, reply
from bff_core.upstream.decoding import decoding
from bff_core.upstream.stack import open_stack, wire
from tests.streamed import opened
from tests.upstream.credential_stubs import (
    SECRET_VALUE,
    Orders,
    OrdersService,
    ScriptedToken,
    accepting,
    header_of,
)

pytestmark = pytest.mark.virtual_time

OWN = ClientCredentials(client_id="shop", secret="gateway")


async def test_the_viewers_token_is_relayed() -> None:
    """Each call carries the token that the viewer has at that moment."""
    orders, viewer_token = OrdersService(Relay()), ScriptedToken()

    await orders.send(viewer_token)
    viewer_token.value = "viewer-2"
    await orders.send(viewer_token)

    assert orders.sent_headers == ["Bearer viewer-1", "Bearer viewer-2"]


async def test_anonymous_calls_carry_no_token() -> None:
    """The service decides which of its resources are public, and answers 401 for others."""
    orders = OrdersService(Relay(), reply(401))

    answer = await orders.send(None)

    assert (answer.status, orders.sent_headers) == (401, [None])


async def test_calls_with_a_shared_audience_carry_no_token() -> None:
    """The replies to one guest's token would be cached for all guests."""
    orders = OrdersService(Relay())

    await orders.send(ScriptedToken(), audience="anonymous")

    assert orders.sent_headers == [None]


async def test_a_refused_token_is_renewed_and_the_call_sent_once_more() -> None:
    """Even a write: the service has not acted on a refused one."""
    orders, viewer_token = (
        OrdersService(Relay(), accepting("viewer-2")),
        ScriptedToken(next=["viewer-2"]),
    )

    answer = await orders.send(viewer_token, method="POST")

    assert answer.status == 200
    assert orders.sent_headers == ["Bearer viewer-1", "Bearer viewer-2"]
    assert viewer_token.refused == ["viewer-1"]
    assert [event.is_sent_again for event in orders.bench.events_of(Unauthorized)] == [True]


async def test_a_call_is_never_sent_a_third_time() -> None:
    """A service that refuses all tokens gets two attempts, and its 401 is the answer."""
    orders = OrdersService(Relay(), reply(401))
    viewer_token = ScriptedToken(next=["viewer-2", "viewer-3"])

    answer = await orders.send(viewer_token)

    assert (answer.status, len(orders.service.calls), viewer_token.refused) == (
        401,
        2,
        ["viewer-1"],
    )


@pytest.mark.parametrize("is_replayable", [True, False])
async def test_a_body_that_is_read_once_is_not_sent_with_another_token(is_replayable) -> None:
    """The service read it with the first token; its 401 is the answer."""

    async def chunks():
        yield b"ab"

    async def refusing(call: Call) -> Reply:
        read.append(b"".join([piece async for piece in call.body.open()]))
        return Reply(401)

    read = []
    orders, viewer_token = OrdersService(Relay(), refusing), ScriptedToken(next=["viewer-2"])
    body = StreamedBody(chunks if is_replayable else chunks())

    answer = await orders.stack.handler(
        structs.replace(orders.call(viewer_token, method="PUT"), body=body)
    )

    assert (answer.status, read) == (401, [b"ab"] * (2 if is_replayable else 1))


@pytest.mark.parametrize("others", [[], ["viewer-1"]], ids=["none", "the same"])
async def test_a_refused_token_without_another_is_the_services_answer(others) -> None:
    """The call is not sent again with the same token."""
    orders = OrdersService(Relay(), reply(401))

    answer = await orders.send(ScriptedToken(next=others))

    assert (answer.status, len(orders.service.calls)) == (401, 1)
    assert [event.is_sent_again for event in orders.bench.events_of(Unauthorized)] == [False]


async def test_the_end_of_a_session_does_not_count_as_a_failure_of_the_service() -> None:
    """The answer is a 401: the client has to sign in."""

    class Ended(ScriptedToken):
        async def renewed(self, refused: str, /) -> str | None:
            raise NotAuthenticated("Sign in again.")

    orders = OrdersService(Relay(), reply(401))

    with pytest.raises(NotAuthenticated):
        await orders.send(Ended())


async def test_streams_carry_credentials() -> None:
    """Streamed calls pass this layer, too: token, refusal, once more."""
    orders, viewer_token = (
        OrdersService(Relay(), accepting("viewer-2")),
        ScriptedToken(next=["viewer-2"]),
    )

    async with opened(orders.stack.handler, orders.call(viewer_token)) as streamed:
        status = streamed.status

    assert status == 200
    assert orders.sent_headers == ["Bearer viewer-1", "Bearer viewer-2"]


async def test_a_refused_stream_returns_the_refusal() -> None:
    """Its reader gets the 401."""
    orders = OrdersService(Relay(), reply(401, b"no"))

    async with opened(orders.stack.handler, orders.call(ScriptedToken())) as streamed:
        body = b"".join([piece async for piece in streamed])

    assert (streamed.status, body, len(orders.service.calls)) == (401, b"no", 1)


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        (ApiKey(secret="gateway"), b"x-api-key", SECRET_VALUE),
        (ApiKey(secret="gateway", header="Api-Key"), b"api-key", SECRET_VALUE),
        (Basic(username="Aladdin", secret="open"), b"authorization", "Basic QWxhZGRpbjpPcGVu"),
    ],
)
async def test_a_key_is_sent_in_its_header(options, name, value) -> None:
    """The same on each call, for every viewer."""
    orders = OrdersService(options, secrets={"gateway": SECRET_VALUE, "open": "Open"})

    await orders.send(None)
    await orders.send(ScriptedToken())

    assert [header_of(call, name) for call in orders.service.calls] == [value] * 2


async def test_a_header_of_the_call_is_not_replaced_silently() -> None:
    """A call can't have two Authorizations: the error says which to leave out."""
    orders = OrdersService(Relay())
    own = ((b"authorization", b"Bearer mine"),)

    with pytest.raises(ConfigurationError, match="leave it out of the call"):
        await orders.send(ScriptedToken(), headers=own)

    assert orders.service.calls == []


async def test_a_token_that_comes_too_late_is_not_the_services_fault() -> None:
    """The call ends within its deadline as one that was not sent; the circuit stays closed."""
    breaker = Breaker(minimum_calls=1)
    orders = OrdersService(Relay(), breaker=breaker)
    began = orders.bench.now

    with pytest.raises(CredentialsUnavailable) as raised:
        await orders.send(ScriptedToken(takes=60), timeout=2)

    assert orders.bench.now - began == pytest.approx(1.995)
    assert (raised.value.status, raised.value.retry_after) == (503, 1.0)
    assert (orders.service.calls, orders.stack.is_open) == ([], False)


async def test_the_wait_for_a_token_is_not_part_of_an_attempt() -> None:
    """A provider that takes a second leaves the service its whole attempt."""
    orders = OrdersService(Relay(), reply(after=0.9), attempt_timeout=1.0)

    answer = await orders.send(ScriptedToken(takes=1.5))

    assert answer.status == 200


async def test_a_client_that_leaves_during_a_token_request_is_cancelled() -> None:
    """Its cancellation does not become CredentialsUnavailable."""
    orders = OrdersService(Relay())
    task = asyncio.create_task(orders.send(ScriptedToken(takes=5)))
    await asyncio.sleep(1)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert orders.service.calls == []


async def test_a_provider_that_is_down_does_not_open_the_circuit_of_the_service() -> None:
    """Fifty calls fail, and the service is called as soon as there is a token."""
    orders = OrdersService(OWN, provider=(reply(503),), breaker=Breaker(minimum_calls=5))

    for _ in range(50):
        with pytest.raises(CredentialsUnavailable) as raised:
            await orders.send(None)

    assert not isinstance(raised.value, CircuitOpen)
    assert (orders.stack.is_open, orders.service.calls) == (False, [])


@pytest.mark.parametrize("location", ["http://10.0.0.66/", "//10.0.0.66/", "/elsewhere"])
async def test_redirects_are_not_followed(location: str) -> None:
    """The service's answer is the 302; nothing is sent to the named address."""
    orders = OrdersService(Relay(), reply(302, headers={"location": location}))

    answer = await orders.send(ScriptedToken())

    assert (answer.status, len(orders.service.calls), orders.provider.calls) == (302, 1, [])


@pytest.mark.parametrize("target", ["http://10.0.0.9/x", "10.0.0.9/x", "@10.0.0.9/", "/a b"])
async def test_no_target_leads_to_another_host(target: str) -> None:
    """The transport refuses targets that are no path before it opens a socket."""
    orders = OrdersService(Relay())
    runtime = replace(orders.bench.runtime, credential=orders.credentials.open)
    stack = open_stack(orders.policy, ["http://127.0.0.1:9"], runtime, wire)

    with pytest.raises(ConfigurationError, match="not an encoded path"):
        await stack.handler(orders.call(ScriptedToken(), target=target))

    await stack.aclose()


async def test_paths_of_a_client_begin_at_its_service() -> None:
    """An address in place of a path is a ConfigurationError."""
    orders = OrdersService(ApiKey(secret="gateway"))

    with pytest.raises(ConfigurationError, match="begin with /"):
        Orders(orders.stack).call("GET", "http://evil/x", {}, query=None)


async def test_reprs_hold_no_secrets() -> None:
    """Neither of stacks, nor of failed calls, options or events."""
    orders = OrdersService(ApiKey(secret="gateway"), hang())
    task = asyncio.create_task(orders.send(None))
    await asyncio.sleep(0.1)
    sent = orders.service.calls[0]
    task.cancel()
    await asyncio.wait([task])

    reprs = [repr(one) for one in (orders.stack, sent, orders.policy, *orders.bench.events)]

    assert header_of(sent, b"x-api-key") == SECRET_VALUE
    assert [one for one in reprs if SECRET_VALUE in one] == []
    assert "credentials a key as x-api-key" in reprs[0]


async def test_a_runtime_without_credentials_stops_the_start() -> None:
    """A stack that a test builds by hand fails closed."""
    orders = OrdersService(Relay())

    with pytest.raises(ConfigurationError, match=r"credential=CredentialFactory"):
        open_stack(orders.policy, ["http://10.0.0.1"], LayerRuntime().runtime, wire)


async def test_a_copy_with_credentials_has_all_members_of_the_call() -> None:
    """And the copy is as frozen as the call."""
    call = Call(
        *("orders", "PUT", "/a", "PUT /{x}", 5.0, "x", ((b"a", b"1"),), b"body", "00-0"),
        trail=[Attempt("x", 1.0)], is_hedge=True, token=ScriptedToken(), cache=False, tags=("t",),
        purges=("p",), decode=decoding(int),
    )  # fmt: skip

    copy = call.with_headers(((b"b", b"2"),))

    names = [name for name in Call.__slots__ if name != "headers"]
    assert [getattr(copy, name) for name in names] == [getattr(call, name) for name in names]
    assert copy.headers == ((b"a", b"1"), (b"b", b"2"))
    assert type(copy) is Call
    with pytest.raises(AttributeError):
        copy.body = b""


async def test_the_reply_passes_unchanged() -> None:
    """The layer returns what the service answered."""
    orders = OrdersService(Relay(), reply(200, b"mine"))

    assert await orders.send(ScriptedToken()) == Reply(200, (), b"mine")
