"""The balance layer: endpoints share the calls, bad ones are spared, names are followed."""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import pytest
from msgspec.structs import replace

from bff_core.call import Call, Reply
from bff_core.errors import TransportFailed
from bff_core.events import Attempted, Ejected, Resolved, Restored
from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.retry import Retry
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, hang, reply
from bff_core.testing.virtual_time import VirtualTimeLoop
from bff_core.upstream.layers.attempt import AttemptLayer
from bff_core.upstream.layers.balance import Balancer
from bff_core.upstream.layers.retry import RetryLayer
from bff_core.upstream.transport.interface import Endpoint
from tests.streamed import opened

pytestmark = pytest.mark.virtual_time

ONE, TWO, THREE = "10.0.0.1", "10.0.0.2", "10.0.0.3"

GENEROUS = Retry(budget_min=1000)
"""Retries that no budget refuses."""


def at(*hosts: str) -> list[Endpoint]:
    return [Endpoint("http", host, 80, host) for host in hosts]


def balancer(bench: LayerRuntime, scripts: dict[str, Scripted], *hosts: str, **more) -> Balancer:
    transport = ScriptedTransport(scripts)
    return Balancer(Balance(), bench.runtime, transport, at(*(hosts or scripts)), **more)


def resolve_by(resolver: Callable[[str], Awaitable[Sequence[str]]]) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    loop.resolver = resolver


class Names:
    """A name server whose answers a test changes."""

    def __init__(self, *addresses: str, takes: float = 0.01) -> None:
        self.addresses = addresses
        self.takes = takes
        self.lookups: list[str] = []
        resolve_by(self.resolve)

    async def resolve(self, name: str) -> Sequence[str]:
        self.lookups.append(name)
        await asyncio.sleep(self.takes)
        if not self.addresses:
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return self.addresses


async def test_calls_are_spread_over_the_endpoints() -> None:
    """Three addresses in the settings take about a third each."""
    bench = LayerRuntime()
    scripts = {host: Scripted(reply()) for host in (ONE, TWO, THREE)}
    layer = balancer(bench, scripts)

    for _ in range(300):
        await layer(bench.call())

    assert all(70 < len(script.calls) < 130 for script in scripts.values())


async def test_a_slow_endpoint_gets_fewer_calls() -> None:
    """The less busy one of two is chosen."""
    bench = LayerRuntime()
    slow, quick = Scripted(reply(after=1)), Scripted(reply(after=0.01))
    layer = balancer(bench, {ONE: slow, TWO: quick})

    async with asyncio.TaskGroup() as clients:
        for _ in range(500):
            clients.create_task(layer(bench.call()))
            await asyncio.sleep(0.02)

    assert len(quick.calls) > 10 * len(slow.calls)


async def test_a_retry_goes_to_another_endpoint() -> None:
    """However the first one was chosen, no second attempt meets the same failure."""
    bench = LayerRuntime()
    scripts = {ONE: Scripted(fail()), TWO: Scripted(reply())}
    layer = RetryLayer(GENEROUS, bench.runtime, balancer(bench, scripts))

    statuses = {(await layer(bench.call())).status for _ in range(50)}
    attempts = [event for event in bench.events_of(Attempted) if event.outcome == "unavailable"]

    assert statuses == {200}
    assert len(scripts[ONE].calls) == len(attempts) == 5


async def test_copies_of_a_call_go_elsewhere_too() -> None:
    """A layer that adds a header to each attempt leads no attempt back to where one failed."""
    bench = LayerRuntime()
    scripts = {ONE: Scripted(fail()), TWO: Scripted(reply())}
    layer = balancer(bench, scripts)

    async def signed(call: Call) -> Reply:
        return await layer(replace(call, headers=((b"authorization", b"Bearer x"),)))

    retrying = RetryLayer(GENEROUS, bench.runtime, signed)
    statuses = {(await retrying(bench.call())).status for _ in range(20)}

    assert statuses == {200}
    assert len(scripts[ONE].calls) == 5


async def test_attempts_visit_each_endpoint_before_one_is_tried_again() -> None:
    """Three attempts of a call see three endpoints, and a fourth another one than the third."""
    bench = LayerRuntime()
    scripts = {host: Scripted(fail()) for host in (ONE, TWO, THREE)}
    options = Retry(attempts=4, budget_min=1000)
    call = bench.call()

    with pytest.raises(TransportFailed):
        await RetryLayer(options, bench.runtime, balancer(bench, scripts))(call)

    went = [attempt.endpoint.address for attempt in call.trail]
    assert set(went[:3]) == {ONE, TWO, THREE}
    assert went[3] in went[:2]


@pytest.mark.parametrize("step", [fail(), reply(500), hang()], ids=["broken", "500", "hanging"])
async def test_one_bad_endpoint_of_three_is_ejected(step) -> None:
    """It meets five failures and its probes, and success is complete from then on."""
    bench = LayerRuntime()
    scripts = {ONE: Scripted(step), TWO: Scripted(reply()), THREE: Scripted(reply())}
    attempt = AttemptLayer(2.5, bench.runtime, balancer(bench, scripts, attempt_timeout=2.5))
    layer, outcomes, began = RetryLayer(Retry(), bench.runtime, attempt), Counter(), bench.now

    while bench.now < began + 120:
        outcomes[(await layer(bench.call())).status] += 1
        await asyncio.sleep(0.1)

    ejections = len(bench.events_of(Ejected))
    assert len(scripts[ONE].calls) == 5 + (ejections - 1)
    assert ejections in {4, 5}
    assert set(outcomes) == {200}


async def test_an_endpoint_that_recovers_is_restored() -> None:
    """It takes its share again, and the events tell the story."""
    bench = LayerRuntime()
    scripts = {ONE: Scripted(*[fail()] * 5, reply()), TWO: Scripted(reply())}
    layer = RetryLayer(GENEROUS, bench.runtime, balancer(bench, scripts))
    for _ in range(30):
        await layer(bench.call())
        await asyncio.sleep(0.1)
    ejected_at = len(scripts[ONE].calls)
    await asyncio.sleep(10)

    for _ in range(50):
        await layer(bench.call())

    kinds = [type(e) for e in bench.events if isinstance(e, Ejected | Restored)]
    assert ejected_at == 5
    assert kinds == [Ejected, Restored]
    assert len(scripts[ONE].calls) > 5 + 10


async def test_cancelled_calls_eject_no_endpoint() -> None:
    """A cancelled call does not count for its endpoint."""
    bench = LayerRuntime()
    scripts = {ONE: Scripted(hang()), TWO: Scripted(hang())}
    layer = balancer(bench, scripts, attempt_timeout=2.5)
    tasks = [asyncio.create_task(layer(bench.call())) for _ in range(50)]
    await asyncio.sleep(2)

    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

    assert layer.endpoints.ejected == ()
    assert {event.outcome for event in bench.events_of(Attempted)} == {"cancelled"}


async def test_an_attempt_emits_an_event_with_endpoint_outcome_and_duration() -> None:
    """Logs and metrics name where a call went."""
    bench = LayerRuntime()

    await balancer(bench, {ONE: Scripted(reply(404, after=0.25))})(bench.call())

    (event,) = bench.events_of(Attempted)
    assert (event.endpoint, event.outcome) == ("10.0.0.1:80", "404")
    assert event.duration == pytest.approx(0.25)
    assert event.operation == "GET /users/{id}"


async def test_a_name_stands_for_all_its_addresses() -> None:
    """Its IPv4 addresses are endpoints; the name stays for the Host header and TLS."""
    Names("::1", ONE, TWO)
    bench, transport = LayerRuntime(), ScriptedTransport({ONE: Scripted(), TWO: Scripted()})
    layer = Balancer(Balance(), bench.runtime, transport, at("users.internal"))

    await layer(bench.call())

    endpoints = layer.endpoints.keys
    assert [(e.host, e.address) for e in endpoints] == [
        ("users.internal", ONE),
        ("users.internal", TWO),
    ]


async def test_a_name_without_ipv4_is_called_by_ipv6() -> None:
    """Services that live on IPv6 alone are reached."""
    Names("2001:db8::1")
    bench = LayerRuntime()
    layer = balancer(bench, {"2001:db8::1": Scripted(reply())}, "users.internal")

    assert (await layer(bench.call())).status == 200


async def test_an_address_is_never_looked_up() -> None:
    """Neither are names that a transport of its own knows the way to."""
    names, bench = Names(), LayerRuntime()

    await balancer(bench, {ONE: Scripted()})(bench.call())
    await balancer(bench, {"users": Scripted()}, resolves=False)(bench.call())

    assert names.lookups == []


async def test_all_first_calls_share_one_lookup() -> None:
    """A hundred calls at start-up cause one lookup, and one that leaves disturbs no other."""
    names, bench = Names(ONE, takes=1), LayerRuntime()
    layer = balancer(bench, {ONE: Scripted(reply())}, "users.internal")
    tasks = [asyncio.create_task(layer(bench.call())) for _ in range(100)]
    await asyncio.sleep(0.5)

    tasks[0].cancel()
    await asyncio.wait(tasks)

    assert names.lookups == ["users.internal"]
    assert [task.result().status for task in tasks[1:]] == [200] * 99


async def test_a_change_of_addresses_is_followed_in_the_background() -> None:
    """After thirty seconds calls go to the new address, and the old connections are closed."""
    names, bench = Names(ONE), LayerRuntime()
    transport = ScriptedTransport({ONE: Scripted(reply(200, b"old", after=1)), TWO: Scripted()})
    layer = Balancer(Balance(), bench.runtime, transport, at("users.internal"))
    await layer(bench.call())
    names.addresses = (TWO,)
    await asyncio.sleep(30)

    during = asyncio.create_task(layer(bench.call()))
    await asyncio.sleep(0.5)
    closed_during, after = list(transport.closed), await layer(bench.call())

    assert (closed_during, (await during).body) == ([], b"old")
    assert (after.body, after.status) == (b"", 200)
    await asyncio.sleep(0)
    assert transport.closed == [ONE]
    assert [event.endpoints for event in bench.events_of(Resolved)] == [
        ("users.internal:80 (10.0.0.1)",),
        ("users.internal:80 (10.0.0.2)",),
    ]


async def test_a_resolver_that_fails_leaves_the_last_good_addresses_for_ten_minutes() -> None:
    """Callers notice nothing; after that a call fails at once, marked as never sent."""
    names, bench = Names(ONE), LayerRuntime()
    layer = balancer(bench, {ONE: Scripted(reply())}, "users.internal")
    await layer(bench.call())
    names.addresses, began = (), bench.now

    while bench.now < began + 590:
        await layer(bench.call())
        await asyncio.sleep(5)
    await asyncio.sleep(15)
    with suppress(TransportFailed):
        await layer(bench.call())  # finds out in the background that nothing is good any more
    await asyncio.sleep(0.1)
    lost_at = bench.now
    with pytest.raises(TransportFailed) as caught:
        await layer(bench.call())

    assert (caught.value.is_sent, bench.now) == (False, lost_at)
    assert bench.events_of(Resolved)[-1].error.startswith("users.internal: ")


async def test_a_resolver_that_hangs_does_not_pile_up_lookups() -> None:
    """One lookup is under way; calls wait for it two seconds at most, and further ones not."""
    names, bench = Names(ONE, takes=20), LayerRuntime()
    layer = balancer(bench, {ONE: Scripted(reply())}, "users.internal")
    began = bench.now
    with pytest.raises(TransportFailed):
        await layer(bench.call(timeout=60))
    waited = bench.now - began

    outcomes = await asyncio.gather(
        *(layer(bench.call()) for _ in range(100)), return_exceptions=True
    )

    assert all(isinstance(outcome, TransportFailed) for outcome in outcomes)
    assert (waited, bench.now) == (2.0, began + 2.0)
    assert names.lookups == ["users.internal"]
    assert bench.events_of(Resolved)[-1].error == "users.internal: the resolver is silent"
    await asyncio.sleep(18.1)
    assert (await layer(bench.call())).status == 200


async def test_one_call_at_a_time_waits_for_a_name_that_failed() -> None:
    """While there is no address, one caller probes the resolver and the others fail at once."""
    names, bench = Names(takes=1), LayerRuntime()
    layer = balancer(bench, {ONE: Scripted(reply())}, "users.internal")
    with pytest.raises(TransportFailed):
        await layer(bench.call())
    names.addresses = (ONE,)
    await asyncio.sleep(2)
    prober = asyncio.create_task(layer(bench.call()))
    await asyncio.sleep(0.5)
    began = bench.now

    outcomes = await asyncio.gather(
        *(layer(bench.call()) for _ in range(100)), return_exceptions=True
    )

    assert all(isinstance(outcome, TransportFailed) for outcome in outcomes)
    assert bench.now == began
    assert len(names.lookups) == 2
    assert (await prober).status == 200


async def test_a_resolver_that_hangs_leaves_the_last_good_addresses_for_ten_minutes() -> None:
    """A lookup without an answer counts as failed."""
    names, bench = Names(ONE), LayerRuntime()
    layer = balancer(bench, {ONE: Scripted(reply())}, "users.internal")
    await layer(bench.call())
    names.takes, began = 3600, bench.now

    while bench.now < began + 595:
        await layer(bench.call())
        await asyncio.sleep(5)
    await asyncio.sleep(10)

    with pytest.raises(TransportFailed):
        await layer(bench.call())
    assert len(names.lookups) == 2
    await layer.aclose()


async def test_calls_that_wait_for_a_name_fail_when_the_gateway_closes() -> None:
    """They get an error, and are not cancelled as if their clients had left."""
    _, bench = Names(takes=20), LayerRuntime()
    layer = balancer(bench, {}, "users.internal")
    waiting = [asyncio.create_task(layer(bench.call())) for _ in range(3)]
    await asyncio.sleep(0.5)

    await layer.aclose()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [TransportFailed] * 3


async def test_a_name_that_resolves_at_last_is_called() -> None:
    """The caller that started the lookup waits for it, and is served."""
    names, bench = Names(), LayerRuntime()
    layer = balancer(bench, {ONE: Scripted(reply())}, "users.internal")
    with pytest.raises(TransportFailed):
        await layer(bench.call())
    names.addresses = (ONE,)
    await asyncio.sleep(2)

    assert (await layer(bench.call())).status == 200


async def test_a_stream_counts_as_a_call_until_it_is_left() -> None:
    """Long streams count in the choice of an endpoint, and a failing one is reported."""
    bench = LayerRuntime()
    layer = balancer(bench, {ONE: Scripted(reply(200, b"rows"))})
    (place,) = [layer.endpoints.pick(bench.now, bench.runtime.chance)]

    async with opened(layer, bench.call()) as stream:
        during, body = place.in_flight, [chunk async for chunk in stream]

    assert (during, place.in_flight, body) == (1, 0, [b"rows"])
    assert [event.outcome for event in bench.events_of(Attempted)] == ["200"]


async def test_streams_that_fail_eject_their_endpoint() -> None:
    """What breaks while streaming counts like any other failure."""
    bench = LayerRuntime()
    layer = balancer(bench, {ONE: Scripted(fail()), TWO: Scripted(fail()), THREE: Scripted()})

    for _ in range(100):
        try:
            async with opened(layer, bench.call()):
                pass
        except TransportFailed:
            continue

    assert len(bench.events_of(Ejected)) == 1
    assert layer.endpoints.is_panicking


async def test_closing_closes_every_endpoint_and_stops_looking() -> None:
    """A gateway that stops leaves no connection and no task."""
    Names(ONE, takes=5)
    bench, transport = LayerRuntime(), ScriptedTransport({})
    layer = Balancer(Balance(), bench.runtime, transport, at(TWO, "users.internal"))
    with pytest.raises(TransportFailed):
        await layer(bench.call())

    await layer.aclose()
    await asyncio.sleep(10)

    assert transport.closed == [TWO]
    assert bench.background == set()


async def test_its_line_names_the_endpoints_and_which_are_ejected() -> None:
    """What `repr(upstream)` prints."""
    bench = LayerRuntime()
    balance = balancer(bench, {ONE: Scripted(fail()), TWO: Scripted()})
    layer = RetryLayer(GENEROUS, bench.runtime, balance)
    for _ in range(40):
        await layer(bench.call())

    assert repr(balance) == "balance    10.0.0.1:80 (ejected), 10.0.0.2:80"
