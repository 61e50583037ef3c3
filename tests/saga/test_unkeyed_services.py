"""Sagas over services without keys: refused at start, or checked, over real sockets."""

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import msgspec
import pytest
from fastapi import Depends

from bff_core import (
    Cache,
    ConfigurationError,
    Policy,
    Saga,
    SagaPolicy,
    Settings,
    Upstream,
    Views,
    compose,
    gateway,
    step,
)
from bff_core.saga.journal.sqlite import SQLiteJournal
from bff_core.saga.record import SagaRecord
from bff_core.testing import running
from tests.saga.services import Ledger

UNKEYED = Policy(keyed=False, retry=None)


@dataclass(frozen=True)
class Made:
    """The reply of a service about an entry."""

    path: str


class Bank(Upstream):
    """A service without keys; a payment is found by the path under which it was made."""

    policy = UNKEYED

    async def charge(self, ref: str) -> Made:
        return await self.post("/charges/{ref}", Made, ref=ref, json={})

    def charge_shortly(self, ref: str):
        return self.post("/charges/{ref}", Made, ref=ref, json={})

    async def charge_in_words(self, ref: str) -> None:
        await self.request("POST", "/charges/{ref}", ref=ref)

    async def charge_in_small_letters(self, ref: str) -> None:
        await self.request("post", "/charges/{ref}", ref=ref)

    async def charge_deeply(self, ref: str) -> Made:
        return await self.charge(ref)

    async def charge_by_own_key(self, ref: str) -> Made:
        headers = {"Idempotency-Key": f"charge-{ref}"}
        return await self.post("/charges/{ref}", Made, ref=ref, json={}, headers=headers)

    async def put_charge(self, ref: str) -> Made:
        return await self.put("/charges/{ref}", Made, ref=ref, json={})

    async def charged(self, ref: str) -> Made | None:
        return await self.get("/charges/{ref}", Made | None, ref=ref)

    async def refund(self, ref: str) -> None:
        await self.post("/refunds/{ref}", object, ref=ref, json={})

    async def refunded(self, ref: str) -> Made | None:
        return await self.get("/refunds/{ref}", Made | None, ref=ref)


class Remembering(Bank):
    """The same bank with cached replies; a write purges only its own URL."""

    name = "bank"
    policy = Policy(keyed=False, retry=None, cache=Cache(ttl=600, stale=600, error=600))

    async def charged(self, ref: str) -> Made | None:
        return await self.get("/charges/{ref}", Made | None, ref=ref, query={"view": "whole"})


class Orders(Upstream):
    """A service with keys."""

    async def place(self, ref: str) -> Made:
        return await self.post("/orders/{ref}", Made, ref=ref, json={})


async def pay_by_method(self) -> Made:
    return await self.bank.charge(self.ref)


async def found(self) -> Made | None:
    """Find the payment."""
    return await self.bank.charged(self.ref)


async def refund(self, pay: Made) -> None:
    """Give it back."""
    await self.bank.refund(self.ref)


async def is_refunded(self, pay: Made) -> bool:
    """Find out whether it is given back."""
    return await self.bank.refunded(self.ref) is not None


def start(kind, bank=Bank):
    """Build the gateway."""
    return gateway(
        "shop",
        services=[bank, Orders],
        sagas=[kind],
        faces=[Views()],
        settings=Settings(
            env="development",
            upstreams={"bank": ("http://127.0.0.1:9",), "orders": ("http://127.0.0.1:9",)},
        ),
    )


async def by_post(self) -> Made:
    return await self.bank.charge(self.ref)


async def by_plain_method(self) -> Made:
    return await self.bank.charge_shortly(self.ref)


async def by_verb(self) -> Made:
    return await self.bank.post("/charges/{ref}", Made, ref=self.ref, json={})


async def by_request(self) -> Made:
    await self.bank.charge_in_words(self.ref)
    return Made(self.ref)


async def by_small_letters(self) -> Made:
    await self.bank.charge_in_small_letters(self.ref)
    return Made(self.ref)


async def by_another_method(self) -> Made:
    return await self.bank.charge_deeply(self.ref)


async def by_alias(self) -> Made:
    bank = self.bank
    return await bank.charge(self.ref)


async def by_saga_method(self) -> Made:
    return await self.pay_by_method()


async def within_a_function(self) -> Made:
    async def charge() -> Made:
        return await self.bank.charge(self.ref)

    return await charge()


async def by_put(self) -> Made:
    return await self.bank.put_charge(self.ref)


async def by_own_key(self) -> Made:
    return await self.bank.charge_by_own_key(self.ref)


async def by_own_key_here(self) -> Made:
    headers = {"Idempotency-Key": f"charge-{self.ref}"}
    return await self.bank.post("/charges/{ref}", Made, ref=self.ref, headers=headers)


async def by_reading(self) -> Made:
    return await self.bank.charged(self.ref) or Made("")


async def by_nothing(self) -> Made:
    return Made("")


async def by_a_function(self) -> Made:
    return await charge_somehow(self)


async def charge_somehow(saga):
    """Charge, where the code of the step does not show it."""
    return await saga.bank.charge(saga.ref)


def saga_with(pay, bank=Bank):
    """Return a saga that begins with this step."""

    async def place(self) -> Made:
        return await self.orders.place(self.ref)

    body = {
        "__annotations__": {"bank": bank, "orders": Orders, "ref": str},
        "policy": SagaPolicy(step_timeout=1.0, tries=3, backoff=0.01, pause=0.1, check_delay=0.2),
        "pay": pay,
        "place": step(place),
        "pay_by_method": pay_by_method,
    }
    return type("Paying", (Saga,), body)


def undone_by(pay, undo, check=None):
    """Return the step with its compensation."""
    pay.compensation(check=check)(undo) if check else pay.compensation(undo)
    return pay


@pytest.mark.parametrize(
    "pay",
    [
        *(by_post, by_plain_method, by_verb, by_request, by_small_letters, by_another_method),
        *(by_alias, by_saga_method, within_a_function),
    ],
)
def test_a_step_that_can_not_be_repeated_needs_a_check(pay):
    """The gateway does not start; the error names the saga, the step, the service and the fix."""
    with pytest.raises(ConfigurationError) as refused:
        start(saga_with(step(pay)))

    for word in (f"Paying.{pay.__name__}", "Bank", "keyed=False", "@step(check=...)"):
        assert word in str(refused.value)


@pytest.mark.parametrize("pay", [by_put, by_own_key, by_own_key_here, by_reading, by_nothing])
def test_a_step_that_can_be_repeated_needs_no_check(pay):
    """PUT, writes with their own key, and reads are safe to repeat."""
    assert start(saga_with(step(needs_compensation=False)(pay)))


def test_a_check_lets_the_gateway_start():
    """A step with a check may write to a service without keys."""
    assert start(saga_with(step(check=found, needs_compensation=False)(by_post)))


def test_a_compensation_that_can_not_be_repeated_needs_a_check():
    """A compensation must not take effect twice either."""
    with pytest.raises(ConfigurationError, match=r"Paying\.refund .*compensation\(check="):
        start(saga_with(undone_by(step(by_nothing), refund)))

    assert start(saga_with(undone_by(step(by_nothing), refund, is_refunded)))
    assert start(saga_with(undone_by(step(check=found)(by_post), refund)))


def test_a_step_with_a_check_returns_something():
    """None means that the step had no effect, so no result may be None."""

    async def pay(self) -> Made | None:
        return await self.bank.charge(self.ref)

    async def unfit(self, other): ...

    with pytest.raises(ConfigurationError, match="may return None"):
        start(saga_with(step(check=found)(pay)))
    with pytest.raises(ConfigurationError, match="takes only self"):
        step(check=unfit)(pay)
    with pytest.raises(ConfigurationError, match="async def"):
        step(check=lambda self: None)(pay)
    with pytest.raises(ConfigurationError, match="check 'found': declare it with"):
        step(check="found")(pay)


@asynccontextmanager
async def shop(kind, journal, bank, orders, *, service=Bank, first=None):
    """Run a gateway over the services, and return how to buy."""
    views = Views()

    async def buy(saga) -> Made:
        if first is not None:
            await first(saga)
        await saga.run()
        return await saga.place()

    buy.__annotations__["saga"] = kind
    buy.__defaults__ = (Depends(compose(kind)),)
    views.post("/buy/{ref}")(buy)
    app = gateway(
        "shop",
        services=[service, Orders],
        sagas=[kind],
        faces=[views],
        settings=Settings(
            env="development",
            upstreams={"bank": (bank.url,), "orders": (orders.url,)},
            journal_url=f"sqlite:///{journal}",
            journal_lease=0.5,
            grace=0.1,
        ),
    )
    async with running(app) as client:
        yield lambda ref, **headers: client.post(f"/buy/{ref}", headers=headers)


@asynccontextmanager
async def town(kind, tmp_path, *, script=(), reads=(), orders=(), **options):
    """Run services and a gateway over them."""
    async with AsyncExitStack() as stack:
        bank = await stack.enter_async_context(Ledger(list(script), list(reads)).serving())
        placing = await stack.enter_async_context(Ledger(list(orders)).serving())
        opened = shop(kind, tmp_path / "j.sqlite3", bank, placing, **options)
        yield await stack.enter_async_context(opened), bank, placing


CHECKED = saga_with(undone_by(step(check=found)(by_post), refund, is_refunded))


@pytest.mark.parametrize(
    ("fate", "requests"),
    [
        ("lost", ["POST /charges/7", "GET /charges/7"]),
        ("failed", ["POST /charges/7", "GET /charges/7"]),
        ("dropped", ["POST /charges/7", "GET /charges/7", "POST /charges/7"]),
        ("broken", ["POST /charges/7", "GET /charges/7", "POST /charges/7"]),
    ],
)
async def test_a_lost_reply_is_checked_before_the_request_is_repeated(fate, requests, tmp_path):
    """One charge, whether or not the first one came through, and the view answers as usual."""
    async with town(CHECKED, tmp_path, script=[fate]) as (buy, bank, _):
        answer = await buy(7)

    assert (answer.status_code, answer.json()["path"]) == (200, "/orders/7")
    assert bank.received == requests
    assert bank.writes["POST /charges/7"] == 1


async def test_a_check_bypasses_the_cache(tmp_path):
    """A reply that was cached before the charge does not decide."""
    pay = step(check=found)(by_post)
    kind = saga_with(undone_by(pay, refund, is_refunded), bank=Remembering)

    async def read(saga):
        assert await saga.bank.charged(saga.ref) is None

    options = {"service": Remembering, "first": read, "script": ["lost"]}
    async with town(kind, tmp_path, **options) as (buy, bank, _):
        answer = await buy(7)

    assert answer.status_code == 200
    assert bank.writes["POST /charges/7"] == 1
    reads = "GET /charges/7?view=whole"
    assert bank.received == [reads, "POST /charges/7", reads]


@pytest.mark.parametrize("fate", ["lost", "dropped"])
async def test_a_lost_refund_is_checked(fate, tmp_path):
    """Money is refunded once."""
    services = {"script": ["ok", fate], "orders": ["refused"]}
    async with town(CHECKED, tmp_path, **services) as (buy, bank, _):
        answer = await buy(7)

    assert (answer.status_code, answer.json()["steps"][0]["state"]) == (422, "undone")
    assert bank.writes["POST /refunds/7"] == 1


@pytest.mark.slow
async def test_a_lost_refund_without_a_check_is_left_to_operators(tmp_path):
    """No check finds out whether a refund took effect, so it is not sent a second time."""
    kind = saga_with(undone_by(step(check=found)(by_post), refund))
    services = {"script": ["ok", "lost"], "orders": ["refused"]}
    async with town(kind, tmp_path, **services) as (buy, bank, _):
        answer = await buy(7)
        await asyncio.sleep(0.3)

    assert (answer.status_code, answer.json()["steps"][0]["state"]) == (422, "not-undone")
    assert bank.writes["POST /refunds/7"] == 1


async def test_a_hidden_write_is_refused_before_it_is_sent(tmp_path):
    """A write that the bytecode does not show is refused when it is made: 500, nothing is sent."""
    async with town(saga_with(step(by_a_function)), tmp_path) as (buy, bank, _):
        answer = await buy(7)

    assert answer.status_code == 500
    assert answer.json()["steps"][0]["state"] == "failed"
    assert bank.received == []


@pytest.mark.slow
@pytest.mark.parametrize("fate", ["lost", "dropped"])
async def test_a_restarted_gateway_checks_before_it_sends(fate, tmp_path):
    """What a gateway left when it ended is found by its check; a payment is given back once."""
    bank, orders = Ledger(["hang"]), Ledger()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(bank.serving())
        await stack.enter_async_context(orders.serving())
        journal = tmp_path / "j.sqlite3"
        async with shop(CHECKED, journal, bank, orders) as buy:
            buying = asyncio.create_task(buy(7))
            await until(lambda: bank.received)
        buying.cancel()
        await asyncio.gather(buying, return_exceptions=True)
        sent = len(bank.received)
        if fate == "lost":
            bank.entries["/charges/7"] = {}
        async with shop(CHECKED, journal, bank, orders):
            await until(lambda: len(bank.received) > sent)
            first = bank.received[sent]
            await settled(journal)

    assert first == "GET /charges/7"
    assert bank.writes == ({"POST /refunds/7": 1} if fate == "lost" else {})
    assert orders.received == []


OLD = (
    b'{"id":"s-1","run":"r-1","saga":"Paying","inputs":"{\\"ref\\":\\"7\\"}","viewer":'
    b'"{\\"subject\\":\\"ann\\"}","audience":"ann","steps":[{"name":"by_post","state":"started",'
    b'"result":"","failure":null,"since":%f,"round":0,"tries":1},{"name":"place","state":'
    b'"not-started","result":"","failure":null,"since":0.0,"round":0,"tries":0}],"traceparent":"",'
    b'"direction":"forward","outcome":"","created":1.0,"resumed":0,"failure":null,"rights":""}'
)
"""An entry as it was written before steps had checks."""


async def test_records_of_an_older_release_are_resumed(tmp_path):
    """A saga that an older release left is resumed and checked like any other."""
    journal = SQLiteJournal(str(tmp_path / "j.sqlite3"), time.time)
    entry = SagaRecord.decode(OLD % time.time())
    await journal.begin(entry.id, entry.kind, OLD % time.time(), "gone", -1.0)
    await journal.aclose()
    async with town(CHECKED, tmp_path) as (_, bank, orders):
        bank.entries["/charges/7"] = {}
        await until(lambda: "POST /refunds/7" in bank.writes)
        await settled(tmp_path / "j.sqlite3")

    assert bank.received == ["GET /charges/7", "POST /refunds/7"]
    assert orders.received == []


def test_an_older_release_reads_what_this_one_writes():
    """A journal that two releases share can be read by both."""

    class OldStep(msgspec.Struct, kw_only=True):
        name: str
        state: str
        since: float = 0.0
        tries: int = 0

    class OldEntry(msgspec.Struct, kw_only=True):
        id: str
        steps: list[OldStep]

    entry = SagaRecord.decode(OLD % 5.0)
    entry.steps[0].sent = 7.0

    assert msgspec.json.decode(entry.encode(), type=OldEntry).steps[0].since == 5.0


async def until(condition):
    """Wait for what happens in another task."""
    while not condition():  # noqa: ASYNC110 # it watches a socket
        await asyncio.sleep(0.005)


async def settled(path):
    """Wait until a journal has no saga that is not over."""
    journal = SQLiteJournal(str(path), time.time)
    try:
        while await journal.open_records(9):  # noqa: ASYNC110 # another task writes it
            await asyncio.sleep(0.02)
    finally:
        await journal.aclose()
