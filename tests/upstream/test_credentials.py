"""The credentials layer: who asks is shown to the service, and to nobody else."""

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
from tests.upstream.holders import GOLDEN, Counter, Held, Orders, accepting, shown_in

pytestmark = pytest.mark.virtual_time

OWN = ClientCredentials(client_id="shop", secret="gateway")


async def test_the_viewers_token_is_relayed() -> None:
    """The service sees who asks, by the token that the viewer has at that moment."""
    counter, held = Counter(Relay()), Held()

    await counter.send(held)
    held.value = "viewer-2"
    await counter.send(held)

    assert counter.shown == ["Bearer viewer-1", "Bearer viewer-2"]


async def test_nobody_is_relayed_without_a_token() -> None:
    """Public parts of a service are there for guests, too; of the others it says 401 itself."""
    counter = Counter(Relay(), reply(401))

    told = await counter.send(None)

    assert (told.status, counter.shown) == (401, [None])


async def test_guests_who_share_replies_show_no_token() -> None:
    """A token of one guest would bring replies that are kept for all of them."""
    counter = Counter(Relay())

    await counter.send(Held(), audience="anonymous")

    assert counter.shown == [None]


async def test_a_refused_token_is_renewed_and_the_call_sent_once_more() -> None:
    """Even a write: what was refused was not done."""
    counter, held = Counter(Relay(), accepting("viewer-2")), Held(next=["viewer-2"])

    told = await counter.send(held, method="POST")

    assert told.status == 200
    assert counter.shown == ["Bearer viewer-1", "Bearer viewer-2"]
    assert held.asked == ["viewer-1"]
    assert [event.is_sent_again for event in counter.bench.heard_of(Unauthorized)] == [True]


async def test_a_call_is_never_sent_a_third_time() -> None:
    """A service that refuses everybody gets two attempts, and its 401 is the answer."""
    counter = Counter(Relay(), reply(401))
    held = Held(next=["viewer-2", "viewer-3"])

    told = await counter.send(held)

    assert (told.status, len(counter.service.calls), held.asked) == (401, 2, ["viewer-1"])


@pytest.mark.parametrize("is_replayable", [True, False])
async def test_a_body_that_is_read_once_is_not_sent_with_another_token(is_replayable) -> None:
    """The service read it with the first token; its 401 is the answer."""

    async def chunks():
        yield b"ab"

    async def refusing(call: Call) -> Reply:
        read.append(b"".join([piece async for piece in call.body.open()]))
        return Reply(401)

    read = []
    counter, held = Counter(Relay(), refusing), Held(next=["viewer-2"])
    body = StreamedBody(chunks if is_replayable else chunks())

    answer = await counter.stack.handler(
        structs.replace(counter.call(held, method="PUT"), body=body)
    )

    assert (answer.status, read) == (401, [b"ab"] * (2 if is_replayable else 1))


@pytest.mark.parametrize("others", [[], ["viewer-1"]], ids=["none", "the same"])
async def test_a_refused_token_without_another_is_the_services_answer(others) -> None:
    """Nothing is sent twice for nothing."""
    counter = Counter(Relay(), reply(401))

    told = await counter.send(Held(next=others))

    assert (told.status, len(counter.service.calls)) == (401, 1)
    assert [event.is_sent_again for event in counter.bench.heard_of(Unauthorized)] == [False]


async def test_a_session_that_has_ended_is_told_as_such() -> None:
    """The client learns that it has to sign in, not that a service failed."""

    class Ended(Held):
        async def renewed(self, refused: str, /) -> str | None:
            raise NotAuthenticated("Sign in again.")

    counter = Counter(Relay(), reply(401))

    with pytest.raises(NotAuthenticated):
        await counter.send(Ended())


async def test_streams_show_the_same() -> None:
    """The road past the stack has this one layer: token, refusal, once more."""
    counter, held = Counter(Relay(), accepting("viewer-2")), Held(next=["viewer-2"])

    async with counter.stack.streamer.stream(counter.call(held)) as streamed:
        status = streamed.status

    assert status == 200
    assert counter.shown == ["Bearer viewer-1", "Bearer viewer-2"]


async def test_a_stream_that_is_refused_for_good_hands_over_the_refusal() -> None:
    """Its reader finds the 401."""
    counter = Counter(Relay(), reply(401, b"no"))

    async with counter.stack.streamer.stream(counter.call(Held())) as streamed:
        body = b"".join([piece async for piece in streamed])

    assert (streamed.status, body, len(counter.service.calls)) == (401, b"no", 1)


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        (ApiKey(secret="gateway"), b"x-api-key", GOLDEN),
        (ApiKey(secret="gateway", header="Api-Key"), b"api-key", GOLDEN),
        (Basic(username="Aladdin", secret="open"), b"authorization", "Basic QWxhZGRpbjpPcGVu"),
    ],
)
async def test_a_key_is_shown_in_its_field(options, name, value) -> None:
    """The same on each call, whoever asks."""
    counter = Counter(options, secrets={"gateway": GOLDEN, "open": "Open"})

    await counter.send(None)
    await counter.send(Held())

    assert [shown_in(call, name) for call in counter.service.calls] == [value] * 2


async def test_what_a_call_brings_along_is_not_replaced_in_silence() -> None:
    """Two Authorizations can't both be meant: the author is told to choose."""
    counter = Counter(Relay())
    own = ((b"authorization", b"Bearer mine"),)

    with pytest.raises(ConfigurationError, match="leave it out of the call"):
        await counter.send(Held(), headers=own)

    assert counter.service.calls == []


async def test_a_token_that_comes_too_late_is_not_the_services_fault() -> None:
    """The call ends within its deadline as one that was not sent; the circuit stays closed."""
    breaker = Breaker(minimum_calls=1)
    counter = Counter(Relay(), breaker=breaker)
    began = counter.bench.now

    with pytest.raises(CredentialsUnavailable) as told:
        await counter.send(Held(takes=60), timeout=2)

    assert counter.bench.now - began == pytest.approx(1.995)
    assert (told.value.status, told.value.retry_after) == (503, 1.0)
    assert (counter.service.calls, counter.stack.is_open) == ([], False)


async def test_a_wait_for_a_token_is_no_part_of_an_attempt() -> None:
    """A provider that takes a second leaves the service its whole attempt."""
    counter = Counter(Relay(), reply(after=0.9), attempt_timeout=1.0)

    told = await counter.send(Held(takes=1.5))

    assert told.status == 200


async def test_a_client_that_leaves_while_a_token_is_had_is_just_gone() -> None:
    """Its cancellation is not taken for a lack of credentials."""
    counter = Counter(Relay())
    task = asyncio.create_task(counter.send(Held(takes=5)))
    await asyncio.sleep(1)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert counter.service.calls == []


async def test_a_provider_that_is_down_does_not_open_the_circuit_of_the_service() -> None:
    """Fifty calls fail, and the service is called as soon as there is a token."""
    counter = Counter(OWN, provider=(reply(503),), breaker=Breaker(minimum_calls=5))

    for _ in range(50):
        with pytest.raises(CredentialsUnavailable) as told:
            await counter.send(None)

    assert not isinstance(told.value, CircuitOpen)
    assert (counter.stack.is_open, counter.service.calls) == (False, [])


@pytest.mark.parametrize("location", ["http://10.0.0.66/", "//10.0.0.66/", "/elsewhere"])
async def test_redirects_are_not_followed(location: str) -> None:
    """The service's answer is the 302; nothing goes to whom it names."""
    counter = Counter(Relay(), reply(302, headers={"location": location}))

    told = await counter.send(Held())

    assert (told.status, len(counter.service.calls), counter.provider.calls) == (302, 1, [])


@pytest.mark.parametrize("target", ["http://10.0.0.9/x", "10.0.0.9/x", "@10.0.0.9/", "/a b"])
async def test_no_target_leads_elsewhere(target: str) -> None:
    """What is no path is refused by the transport before a socket is opened."""
    counter = Counter(Relay())
    runtime = replace(counter.bench.runtime, credential=counter.wallet.open)
    stack = open_stack(counter.policy, ["http://127.0.0.1:9"], runtime, wire)

    with pytest.raises(ConfigurationError, match="not an encoded path"):
        await stack.handler(counter.call(Held(), target=target))

    await stack.aclose()


def test_paths_of_a_client_begin_at_its_service() -> None:
    """An address in place of a path is found when it is written."""
    with pytest.raises(ConfigurationError, match="begin with /"):
        Orders(object()).call("GET", "http://evil/x", {}, query=None)


async def test_nothing_secret_is_in_a_repr() -> None:
    """Of stacks, of calls that failed, of options, of events."""
    counter = Counter(ApiKey(secret="gateway"), hang())
    task = asyncio.create_task(counter.send(None))
    await asyncio.sleep(0.1)
    sent = counter.service.calls[0]
    task.cancel()
    await asyncio.wait([task])

    told = [repr(one) for one in (counter.stack, sent, counter.policy, *counter.bench.heard)]

    assert shown_in(sent, b"x-api-key") == GOLDEN
    assert [one for one in told if GOLDEN in one] == []
    assert "credentials a key as x-api-key" in told[0]


async def test_credentials_without_anybody_who_has_them_stop_the_start() -> None:
    """A stack that is built by hand fails closed."""
    counter = Counter(Relay())

    with pytest.raises(ConfigurationError, match=r"credential=CredentialFactory"):
        open_stack(counter.policy, ["http://10.0.0.1"], LayerRuntime().runtime, wire)


async def test_a_copy_that_carries_fields_is_the_call_otherwise() -> None:
    """Every field of a call is there, and the copy is as frozen as the call."""
    call = Call(
        *("orders", "PUT", "/a", "PUT /{x}", 5.0, "x", ((b"a", b"1"),), b"body", "00-0"),
        trail=[Attempt("x", 1.0)], is_hedge=True, token=Held(), cache=False, tags=("t",),
        purges=("p",), decode=decoding(int),
    )  # fmt: skip

    copy = call.with_headers(((b"b", b"2"),))

    names = [name for name in Call.__slots__ if name != "headers"]
    assert [getattr(copy, name) for name in names] == [getattr(call, name) for name in names]
    assert copy.headers == ((b"a", b"1"), (b"b", b"2"))
    assert type(copy) is Call
    with pytest.raises(AttributeError):
        copy.body = b""


async def test_a_reply_to_credentials_is_whole() -> None:
    """The layer hands over what the service answered."""
    counter = Counter(Relay(), reply(200, b"mine"))

    assert await counter.send(Held()) == Reply(200, (), b"mine")
