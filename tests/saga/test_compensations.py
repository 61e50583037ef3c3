"""Steps that write before the commit point have a compensation, or declare that they need none."""

from collections.abc import Callable
from typing import Any

import pytest

from bff_core import ConfigurationError, Saga, Settings, Upstream, Views, gateway, step
from bff_core.call import Call
from bff_core.testing import client, reply


class Bank(Upstream):
    """A service."""

    async def charge(self) -> str:
        return await self.post("/charges", str)

    async def store(self) -> None:
        await self.put("/limits", None)

    async def change(self) -> None:
        await self.patch("/limits", None)

    async def drop(self) -> None:
        await self.delete("/limits", None)

    async def indirect(self) -> str:
        return await self.charge()

    async def any_method(self) -> None:
        await self.request("delete", "/limits")

    async def with_own_key(self) -> str:
        return await self.post("/charges", str, headers={"Idempotency-Key": "1"})

    async def limit(self) -> str:
        return await self.get("/limits", str)


async def by_post(self: Any) -> str:
    return await self.bank.charge()  # type: ignore[no-any-return]


async def by_put(self: Any) -> None:
    await self.bank.store()


async def by_patch(self: Any) -> None:
    await self.bank.change()


async def by_delete(self: Any) -> None:
    await self.bank.drop()


async def by_verb(self: Any) -> None:
    await self.bank.delete("/limits", None)


async def indirect(self: Any) -> str:
    return await self.bank.indirect()  # type: ignore[no-any-return]


async def any_method(self: Any) -> None:
    await self.bank.any_method()


async def own_key(self: Any) -> str:
    return await self.bank.with_own_key()  # type: ignore[no-any-return]


async def by_alias(self: Any) -> str:
    bank = self.bank
    return await bank.charge()  # type: ignore[no-any-return]


async def reading(self: Any) -> str:
    return await self.bank.limit()  # type: ignore[no-any-return]


async def pure(self: Any) -> str:
    return "1"


async def undo(self: Any, result: object) -> None:
    """Compensate."""


def saga_of(*steps: Any) -> type[Saga]:
    """Return a saga with these steps."""
    names = {f"step_{index}": one for index, one in enumerate(steps)}
    for name, one in names.items():
        one.name = name
    return type("Buy", (Saga,), {"__annotations__": {"bank": Bank}, **names})


SETTINGS = Settings(
    env="development",
    gc_freeze=False,
    journal_url="sqlite://",
    upstreams={"bank": ("http://127.0.0.1:1",)},
)


def start(kind: type[Saga]) -> object:
    """Build a gateway with the saga."""
    return gateway("shop", services=[Bank], sagas=[kind], settings=SETTINGS)


WRITES = [by_post, by_put, by_patch, by_delete, by_verb, indirect, any_method, own_key, by_alias]


@pytest.mark.parametrize("body", WRITES)
def test_a_write_without_compensation_is_refused(body: Callable[..., Any]):
    """A failed saga would leave it done; the error says what to declare."""
    with pytest.raises(ConfigurationError) as refused:
        start(saga_of(step(body), step(pure)))

    message = str(refused.value)
    assert message.startswith("Buy.step_0 writes to Bank and has no compensation")
    assert "@step_0.compensation" in message
    assert "@step(needs_compensation=False)" in message


def compensated(body: Callable[..., Any]) -> Any:
    """Return a step with a compensation."""
    made = step(body)
    made.compensation(undo)
    return made


@pytest.mark.parametrize(
    "steps",
    [
        lambda: (compensated(by_post), step(pure)),
        lambda: (step(needs_compensation=False)(by_post), step(pure)),
        lambda: (step(reading), step(pure), step(by_post)),
        lambda: (step(commits=True)(by_post), step(by_put), step(by_delete)),
    ],
)
def test_a_write_that_needs_no_compensation_is_accepted(steps: Callable[[], tuple[Any, ...]]):
    """Reads, the commit point and the steps after it, and what is declared need none."""
    assert start(saga_of(*steps()))


def test_a_compensation_and_its_absence_are_a_contradiction():
    """A step that needs none has none."""
    with pytest.raises(ConfigurationError, match="remove needs_compensation=False"):
        step(needs_compensation=False)(by_post).compensation(undo)


class Buy(Saga):
    """A saga whose first step stays done."""

    bank: Bank

    @step(needs_compensation=False)
    async def note(self) -> str:
        return await self.bank.charge()

    @step
    async def place(self) -> str:
        return await self.bank.post("/orders", str)


async def test_a_step_that_stays_done_is_reported_as_done():
    """The answer of a saga that failed says which steps still stand."""
    views = Views()

    @views.post("/buy")
    async def buy(saga: Buy) -> str:
        await saga.run()
        return await saga.place()

    def bank(call: Call) -> Any:
        return reply(200, "1") if call.target == "/charges" else reply(422, {"code": "no"})

    app = gateway("shop", faces=[views], sagas=[Buy], settings=SETTINGS)
    async with client(app, bank=bank) as shop:
        answer = await shop.post("/buy")

    assert answer.json()["steps"] == [
        {"step": "note", "state": "done"},
        {"step": "place", "state": "failed"},
    ]
