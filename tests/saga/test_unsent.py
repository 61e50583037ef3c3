"""A step that was never sent has no effect: over real sockets, with the default policy."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends

from bff_core import (
    Breaker,
    Policy,
    Retry,
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
from bff_core.testing import running
from tests.saga.services import Ledger, closed_port, silent_port


@dataclass(frozen=True)
class Held:
    """The reply of a service about an entry."""

    path: str


class Stock(Upstream):
    """Holds what is bought."""

    async def hold(self) -> Held:
        """Hold the goods."""
        return await self.post("/holds", Held, json={})

    async def release(self) -> None:
        """Let go of it."""
        await self.post("/releases", object, json={})


class Bank(Upstream):
    """A bank that is called three times, as by default."""

    policy = Policy(attempt_timeout=0.15)

    async def charge(self) -> Held:
        """Charge the money."""
        return await self.post("/charges", Held, json={})


class Fragile(Bank):
    """The same behind a breaker that opens while the attempts are made."""

    name = "bank"
    policy = Policy(breaker=Breaker(minimum_calls=2), retry=Retry(attempts=5))


def buying(bank: type[Bank]) -> type[Saga]:
    """Return the saga over such a bank."""

    class Buying(Saga):
        policy = SagaPolicy(step_timeout=2.0, tries=2, backoff=0.01, pause=0.1)

        stock: Stock
        money: bank  # type: ignore[valid-type]

        @step
        async def hold(self) -> Held:
            return await self.stock.hold()

        @hold.compensation
        async def release(self, held: Held) -> None:
            await self.stock.release()

        @step(needs_compensation=False)
        async def charge(self) -> Held:
            return await self.money.charge()

        @step
        async def close(self) -> Held:
            return await self.stock.hold()

    return Buying


@asynccontextmanager
async def shop(
    journal: Path, stock: str, *banks: str, bank: type[Bank] = Bank
) -> AsyncIterator[Callable[[], Any]]:
    """Run a gateway whose services are at these addresses, and return how to buy."""
    kind, views = buying(bank), Views()
    composed = Annotated[kind, Depends(compose(kind))]  # type: ignore[valid-type]

    @views.post("/buy")
    async def buy(saga: composed) -> Held:  # type: ignore[valid-type]
        await saga.run()
        return await saga.close()

    settings = Settings(
        env="development",
        upstreams={"stock": (stock,), "bank": banks},
        journal_url=f"sqlite:///{journal}",
    )
    app = gateway("shop", services=[Stock, bank], sagas=[kind], faces=[views], settings=settings)
    async with running(app) as client:
        yield lambda: client.post("/buy")


async def refused(_: AsyncExitStack) -> str:
    """Return an address at which nothing listens."""
    return f"http://127.0.0.1:{closed_port()}"


async def unknown(_: AsyncExitStack) -> str:
    """Return a name that has no address."""
    return "http://bank.invalid"


async def silent(stack: AsyncExitStack) -> str:
    """Return an address that does not answer, so that connecting outlasts an attempt."""
    return f"http://127.0.0.1:{await stack.enter_async_context(silent_port())}"


async def plain(stack: AsyncExitStack) -> str:
    """Run a service without TLS, to be called over TLS."""
    ledger = await stack.enter_async_context(Ledger().serving())
    return ledger.url.replace("http:", "https:")


@pytest.mark.slow
@pytest.mark.parametrize(
    "situation", [refused, unknown, silent, plain], ids=lambda one: one.__name__
)
async def test_a_step_that_was_never_sent_has_no_effect(situation, tmp_path):
    """Three attempts that reached no service have no effect: completed steps are compensated."""
    async with AsyncExitStack() as stack:
        stock = await stack.enter_async_context(Ledger().serving())
        bank = await situation(stack)
        buy = await stack.enter_async_context(shop(tmp_path / "j.sqlite3", stock.url, bank))
        answer: httpx.Response = await buy()

    assert answer.status_code in {502, 503, 504}
    assert [one["state"] for one in answer.json()["steps"]] == ["undone", "failed", "not-started"]
    assert dict(stock.writes) == {"POST /holds": 1, "POST /releases": 1}
    assert await left(tmp_path / "j.sqlite3") == []


async def test_a_circuit_that_opens_among_refusals_proves_that_nothing_was_sent(tmp_path):
    """The breaker opens between the attempts, none of which left: it is undone at once."""
    async with AsyncExitStack() as stack:
        stock = await stack.enter_async_context(Ledger().serving())
        address = await refused(stack)
        opened = shop(tmp_path / "j.sqlite3", stock.url, address, bank=Fragile)
        answer: httpx.Response = await (await stack.enter_async_context(opened))()

    assert (answer.status_code, answer.json()["code"]) == (503, "circuit_open")
    assert [one["state"] for one in answer.json()["steps"]] == ["undone", "failed", "not-started"]
    assert await left(tmp_path / "j.sqlite3") == []


async def test_one_attempt_that_was_sent_leaves_the_outcome_open(tmp_path):
    """A write whose reply was lost stays indeterminate, with any refusals before and after."""
    ledger = Ledger(script=["lost"] * 100)
    async with AsyncExitStack() as stack:
        stock = await stack.enter_async_context(Ledger().serving())
        bank = await stack.enter_async_context(ledger.serving())
        addresses = (await refused(stack), bank.url)
        buy = await stack.enter_async_context(shop(tmp_path / "j.sqlite3", stock.url, *addresses))
        answer: httpx.Response = await buy()

    assert ledger.writes["POST /charges"]
    assert answer.json()["steps"][1] == {"step": "charge", "state": "unknown"}


@pytest.mark.slow
async def test_a_compensation_that_was_never_sent_is_sent_later(tmp_path):
    """A compensation that failed is repeated once the service is back."""
    async with AsyncExitStack() as stack:
        bank = await stack.enter_async_context(Ledger(script=["refused"]).serving())
        stock = Ledger()
        listening = AsyncExitStack()
        await listening.enter_async_context(stock.serving())
        opened = shop(tmp_path / "j.sqlite3", stock.url, bank.url)
        buy = await stack.enter_async_context(opened)
        bank.before = listening.aclose
        answer: httpx.Response = await buy()
        await stack.enter_async_context(stock.serving())
        while await left(tmp_path / "j.sqlite3"):  # noqa: ASYNC110 # another task writes it
            await asyncio.sleep(0.02)

    assert [one["state"] for one in answer.json()["steps"]] == [
        *("not-undone", "failed", "not-started")
    ]
    assert dict(stock.writes) == {"POST /holds": 1, "POST /releases": 1}


async def left(path: Path) -> list[bytes]:
    """Return the open sagas of a journal."""
    journal = SQLiteJournal(str(path), asyncio.get_running_loop().time)
    try:
        return list(await journal.open_records(9))
    finally:
        await journal.aclose()
