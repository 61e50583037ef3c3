"""Replacing how services are called while requests are under way."""

import asyncio
from dataclasses import replace

import pytest

from bff_core import Policy, Retry, Scope, Upstream
from bff_core.errors import CircuitOpen, ConfigurationError, DeadlineExceeded, TransportFailed
from bff_core.policy.upstream.breaker import Breaker
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, reply
from bff_core.upstream.registry import CLOSE_AFTER_SECONDS, UpstreamRegistry
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.transport.interface import Transport

pytestmark = pytest.mark.virtual_time

ADDRESSES = {"users": "10.0.0.1", "orders": "10.0.0.2"}
LINES = b'"one"\n"two"\n'


class Users(Upstream):
    """A service with a policy of its own."""

    policy = Policy(timeout=2.0, coalesce=False)

    async def called(self) -> str:
        return await self.get("/name", str)


class Orders(Upstream):
    """One with the default policy."""

    async def first(self) -> str:
        return await self.get("/first", str)


class Office:
    """Two services, how each is called, and what became of their connections."""

    def __init__(self, *steps) -> None:
        self.bench = LayerRuntime()
        self.users, self.orders = Scripted(*(steps or (reply(200, "Ada"),))), Scripted()
        self.transports: list[ScriptedTransport] = []
        self.registry = UpstreamRegistry(self._addresses, self._runtime, self._transport)
        self.registry.adopt({Users: Users.policy, Orders: Orders.policy})

    def change(self, **options) -> None:
        self.registry.adopt({Users: replace(Users.policy, **options), Orders: Orders.policy})

    def request(self) -> Users:
        """Return the users as one request is handed them."""
        return self.service.bind(Scope(self.bench.now + 60))

    @property
    def service(self) -> Users:
        return self.registry.services[Users]

    @property
    def closed(self) -> list[list[str]]:
        return [list(transport.closed) for transport in self.transports]

    def _addresses(self, kind: type[Upstream]) -> list[str]:
        return [f"http://{ADDRESSES[kind.name]}"]

    def _runtime(self, name: str) -> Runtime:
        return replace(self.bench.runtime, upstream=name)

    def _transport(self, policy: Policy, runtime: Runtime) -> Transport:
        if policy.timeout == 666:
            raise ConfigurationError("no such certificate")
        scripts = {ADDRESSES["users"]: self.users, ADDRESSES["orders"]: self.orders}
        self.transports.append(ScriptedTransport(scripts))
        return self.transports[-1]


async def test_a_new_policy_holds_for_the_next_request() -> None:
    """The timeout is that of the file from one request to the next."""
    office = Office(reply(200, "Ada", after=1))
    before = await office.request().called()

    office.change(timeout=0.5)

    with pytest.raises(DeadlineExceeded):
        await office.request().called()
    assert before == "Ada"


async def test_a_request_ends_with_the_policy_that_it_began_with() -> None:
    """Its calls, the later ones too, go by the old policy; the old connections close later."""
    office = Office(reply(200, "Ada", after=1))
    request = office.request()
    first = asyncio.create_task(request.called())
    await asyncio.sleep(0.5)

    office.change(timeout=0.5)
    names = [await first, await request.called()]
    during = office.closed
    await asyncio.sleep(CLOSE_AFTER_SECONDS)

    assert names == ["Ada", "Ada"]
    assert during == [[], [], []]
    assert office.closed == [["10.0.0.1"], [], []]


async def test_a_call_outside_a_request_ends_undisturbed() -> None:
    """A job that calls the service itself is no worse off."""
    office = Office(reply(200, "Ada", after=1))
    call = asyncio.create_task(office.service.called())
    await asyncio.sleep(0.5)

    office.change(timeout=0.5)

    assert await call == "Ada"


async def test_a_retry_that_waits_ends_undisturbed() -> None:
    """Between two attempts nothing is under way, and the second goes the old way."""
    office = Office(fail(), reply(200, "Ada"))
    patient = Retry(backoff=2.0, backoff_max=2.0)
    office.change(retry=patient, timeout=30.0)
    call = asyncio.create_task(office.service.called())
    await asyncio.sleep(0)
    assert len(office.users.calls) == 1

    office.change(retry=None)

    assert await call == "Ada"


async def test_a_stream_goes_on_until_it_ends() -> None:
    """Its connection is closed after it, not under it."""
    office = Office(reply(200, LINES))
    async with office.request().stream("/names") as stream:
        office.change(timeout=0.5)
        await asyncio.sleep(1)
        during = office.closed[0][:]
        body = b"".join([part async for part in stream])
    await asyncio.sleep(CLOSE_AFTER_SECONDS)

    assert (during, body) == ([], LINES)
    assert office.closed[0] == ["10.0.0.1"]


async def test_a_stream_without_end_is_cut_at_last() -> None:
    """A replaced stack closes ten minutes later, whatever still runs."""
    office = Office(reply(200, LINES))
    async with office.request().stream("/names"):
        office.change(timeout=0.5)
        await asyncio.sleep(CLOSE_AFTER_SECONDS - 1)
        before = office.closed[0][:]
        await asyncio.sleep(2)

    assert (before, office.closed[0]) == ([], ["10.0.0.1"])


async def test_an_upstream_whose_policy_is_the_same_has_the_same_state() -> None:
    """A circuit that is open stays open, and connections stay where they are."""
    office = Office(fail())
    careful = Breaker(minimum_calls=1)
    office.change(breaker=careful, retry=None)
    with pytest.raises(TransportFailed):
        await office.request().called()
    stacks = list(office.registry.stacks)

    office.change(breaker=careful, retry=None)

    assert list(map(id, office.registry.stacks)) == list(map(id, stacks))
    with pytest.raises(CircuitOpen):
        await office.request().called()


async def test_a_stack_that_can_not_be_built_changes_nothing() -> None:
    """Of two services whose policies changed one can't be built: both stay as they were."""
    office = Office()
    stacks = office.registry.stacks

    with pytest.raises(ConfigurationError, match="no such certificate"):
        office.registry.adopt({Users: Policy(timeout=1), Orders: Policy(timeout=666)})
    await asyncio.sleep(0.1)

    assert list(map(id, office.registry.stacks)) == list(map(id, stacks))
    assert office.registry.policies == {Users: Users.policy, Orders: Orders.policy}
    assert office.closed == [[], [], ["10.0.0.1"]]
    assert await office.request().called() == "Ada"


async def test_closing_ends_the_replaced_ones_too() -> None:
    """A request that is still there has no say in it."""
    office = Office()
    request = office.request()
    office.change(timeout=0.5)

    await office.registry.aclose()
    del request

    assert office.closed == [["10.0.0.1"], ["10.0.0.2"], ["10.0.0.1"]]


async def test_a_new_policy_ends_no_action_of_an_operator() -> None:
    """A circuit that an operator opened stays open for the rest of its time."""
    office = Office()
    stack = next(one for one in office.registry.stacks if one.name == "users")
    stack.breaker.force_open(60)

    await asyncio.sleep(20)
    office.change(timeout=1.0)
    replaced = next(one for one in office.registry.stacks if one.name == "users")

    assert (replaced is stack, replaced.breaker.forced_for) == (False, 40)
    await office.registry.aclose()
