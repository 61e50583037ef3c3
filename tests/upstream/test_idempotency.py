"""Keys for services: derived from the request's key, the same whenever it is tried again."""

import asyncio

import pytest

from bff_core.call import find_header
from bff_core.composition.composition import Composition
from bff_core.composition.decorators import critical
from bff_core.errors import TransportFailed
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry
from bff_core.scope import Scope, writing_as
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, reply
from bff_core.upstream.client import Upstream
from bff_core.upstream.destinations import endpoint_of
from bff_core.upstream.stack import UpstreamStack

pytestmark = pytest.mark.virtual_time

BASE = "8e03978e-40d5-43dd-bc93-6894a57f9324"


class Ledger(Upstream):
    """A service that is written to."""

    policy = Policy(retry=Retry(attempts=3))

    async def note(self, account: str, text: str, **headers: str) -> None:
        await self.post("/accounts/{id}/notes", None, id=account, json=text, headers=headers)

    async def rename(self, account: str, name: str) -> None:
        await self.patch("/accounts/{id}", None, id=account, json=name)

    async def close(self, account: str) -> None:
        await self.delete("/accounts/{id}", None, id=account)

    async def balance(self, account: str) -> int | None:
        return await self.get("/accounts/{id}/balance", int | None, id=account)


class Desk:
    """A ledger behind its layers, and the requests that come in."""

    def __init__(self, *steps, kind=Ledger):
        self.upstream = Scripted(*(steps or (reply(204),)))
        bench = LayerRuntime("ledger")
        transport = ScriptedTransport({"127.0.0.1": self.upstream})
        stack = UpstreamStack(
            kind.policy, [endpoint_of("http://127.0.0.1:1")], bench.runtime, transport
        )
        self.bench = bench
        self._ledger = kind(stack, clock=lambda: bench.now)

    def request(self, key: str = BASE) -> Ledger:
        """Return the ledger as one request is handed it."""
        return self._ledger.bind(Scope(self.bench.now + 10, idempotency_key=key))

    @property
    def keys(self) -> list[str | None]:
        """The key of each call that the service received."""
        found = [find_header(call.headers, b"idempotency-key") for call in self.upstream.calls]
        return [None if key is None else key.decode() for key in found]


async def test_writes_carry_a_key_that_derives_from_the_request():
    """POST and PATCH do; what may be sent again anyway, or only reads, does not."""
    desk = Desk()
    ledger = desk.request()

    await ledger.note("7", "hello")
    await ledger.rename("7", "savings")
    await ledger.close("7")
    await ledger.balance("7")

    note, rename, *others = desk.keys
    assert len({None, note, rename}) == 3
    assert others == [None, None]
    assert BASE not in {note, rename}


async def test_without_a_key_of_the_client_no_key_is_added():
    """A made-up key would say that a second request is the same as the first."""
    desk = Desk()

    await desk.request(key="").note("7", "hello")

    assert desk.keys == [None]


async def test_the_authors_own_key_wins():
    """What the code says explicitly is sent."""
    desk = Desk()
    ledger = desk.request()

    await ledger.note("7", "hello", **{"Idempotency-Key": "mine"})
    await ledger.note("7", "hello", **{"idempotency-key": "mine"})

    assert desk.keys == ["mine", "mine"]


async def test_a_keyed_write_is_retried_under_the_same_key():
    """A broken connection no longer leaves open whether the write may be sent again."""
    desk = Desk(fail(), reply(204))

    await desk.request().note("7", "hello")

    first, second = desk.keys
    assert first == second is not None


class Careless(Ledger):
    """A service that takes no notice of keys."""

    name = "ledger"
    policy = Policy(keyed=False)


async def test_a_service_that_ignores_keys_is_written_to_once():
    """A key that no service stores would only make a retry look safe."""
    desk = Desk(fail(), kind=Careless)

    with pytest.raises(TransportFailed):
        await desk.request().note("7", "hello")

    assert desk.keys == [None]


async def test_the_same_request_again_has_the_same_keys():
    """In the order of its writes, each has the key that it had the first time."""
    desk = Desk()

    for _ in range(2):
        ledger = desk.request()
        await ledger.note("7", "hello")
        await ledger.note("7", "hello")
        await ledger.note("8", "hello")

    assert desk.keys[:3] == desk.keys[3:]
    assert len(set(desk.keys)) == 3


async def test_a_changed_body_does_not_change_the_key():
    """A service can refuse what differs from the first time, rather than do both."""
    desk = Desk()

    await desk.request().note("7", "at 12:00:01")
    await desk.request().note("7", "at 12:00:07")

    assert len(set(desk.keys)) == 1


async def test_named_writes_do_not_depend_on_the_order_of_others():
    """Items of a batch keep their keys, whichever comes first this time."""
    desk = Desk()

    async def item(ledger: Ledger, number: int, ticks: int) -> None:
        with writing_as(f"item {number}"):
            for _ in range(ticks):
                await asyncio.sleep(0)
            await ledger.note("7", str(number))

    for ticks in ((1, 2), (2, 1)):
        ledger = desk.request()
        await asyncio.gather(*(item(ledger, *one) for one in enumerate(ticks)))

    assert desk.keys[:2] == desk.keys[:1:-1]
    assert len(set(desk.keys)) == 2


async def test_parts_have_keys_of_their_own():
    """Two parts that write the same way, in whatever order, are two writes."""

    class Screen(Composition):
        ledger: Ledger

        @critical
        async def here(self) -> None:
            await self.ledger.note("7", "hello")

        @critical
        async def there(self) -> None:
            await self.ledger.note("7", "hello")

    desk = Desk()
    for order in (("here", "there"), ("there", "here")):
        screen = Screen(ledger=desk.request())
        for name in order:
            await getattr(screen, name)()

    assert desk.keys[:2] == desk.keys[:1:-1]
    assert len(set(desk.keys)) == 2
