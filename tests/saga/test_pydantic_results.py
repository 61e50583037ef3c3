"""Pydantic models as results and inputs of steps, and types that a journal can't store."""

import datetime as dt
from typing import Annotated

import pytest
from fastapi import Body, Depends
from pydantic import AliasChoices, BaseModel, Field, computed_field
from pydantic.alias_generators import to_camel

from bff_core import (
    ConfigurationError,
    Policy,
    Saga,
    SagaPolicy,
    Settings,
    TypedReply,
    Upstream,
    Views,
    compose,
    gateway,
    step,
)
from bff_core.testing import running
from tests.saga.services import Ledger


class Made(BaseModel, alias_generator=to_camel):
    """The reply of a service about an entry, with a computed field."""

    made_path: str = Field(
        validation_alias=AliasChoices("path", "madePath"), serialization_alias="way"
    )
    made_on: dt.date = dt.date(2026, 1, 1)

    @computed_field
    def length(self) -> int:
        """Return what is derived."""
        return len(self.made_path)


class Wish(BaseModel, alias_generator=to_camel):
    """What a client sends."""

    order_ref: str


class Shop(Upstream):
    """Answers with models."""

    name = "bank"

    async def make(self, ref: str) -> Made:
        return await self.post("/charges/{ref}", Made, ref=ref, json={})

    async def refund(self, ref: str) -> None:
        await self.post("/refunds/{ref}", object, ref=ref, json={})


class Unkeyed(Upstream):
    """The same service, which is known to ignore keys."""

    policy = Policy(keyed=False, retry=None)

    async def make(self, ref: str) -> Made:
        return await self.post("/charges/{ref}", Made, ref=ref, json={})

    async def made(self, ref: str) -> Made | None:
        return await self.get("/charges/{ref}", Made | None, ref=ref)


class Buying(Saga):
    """Each step returns a model, or several."""

    shop: Shop
    wish: Annotated[Wish, Body()]

    @step
    async def charge(self) -> Made:
        return await self.shop.make(self.wish.order_ref)

    @charge.compensation
    async def refund(self, made: Made) -> None:
        await self.shop.refund(made.made_path)

    @step
    async def both(self) -> list[Made] | None:
        first = await self.charge()
        return [first, await self.shop.make("second")]


class Checked(Saga):
    """The service ignores keys, so a check finds the payment again."""

    policy = SagaPolicy(step_timeout=1.0, tries=3, backoff=0.01, pause=0.1, check_delay=0.0)
    unkeyed: Unkeyed
    wish: Annotated[Wish, Body()]

    async def find(self) -> Made | None:
        return await self.unkeyed.made(self.wish.order_ref)

    @step(check=find)
    async def charge(self) -> Made:
        return await self.unkeyed.make(self.wish.order_ref)


views = Views()


@views.post("/pay")
async def pay(paying: Annotated[Checked, Depends(compose(Checked))]) -> str:
    """Show what the step returned."""
    await paying.run()
    return (await paying.charge()).made_path


@views.post("/buy")
async def buy(buying: Annotated[Buying, Depends(compose(Buying))]) -> list[str]:
    """Show what the last step returned."""
    await buying.run()
    return [one.made_path for one in await buying.both()]


def saga_of(kind):
    """Return a saga whose step returns this type."""

    async def pay(self):
        return None

    pay.__annotations__["return"] = kind
    return type("Paying", (Saga,), {"__annotations__": {"shop": Shop}, "pay": step(pay)})


def build(*kinds, bank="http://127.0.0.1:9"):
    """Build the gateway."""
    upstreams = {"bank": (bank,), "unkeyed": (bank,)}
    settings = Settings(env="development", upstreams=upstreams, journal_url="sqlite://")
    return gateway("shop", services=[Shop, Unkeyed], sagas=kinds, faces=[views], settings=settings)


async def test_a_step_may_return_a_model_of_pydantic():
    """A service's model, with aliases and derived fields, is what later steps and the view get."""
    async with Ledger().serving() as bank, running(build(Buying, Checked, bank=bank.url)) as client:
        answer = await client.post("/buy", json={"orderRef": "first"})

    assert (answer.status_code, answer.json()) == (200, ["/charges/first", "/charges/second"])
    assert bank.received == ["POST /charges/first", "POST /charges/second"]


async def test_what_undoes_a_step_is_given_its_model():
    """A compensation reads the fields of the model that the step returned."""
    ledger = Ledger(script=["ok", "refused"])

    async with ledger.serving() as bank, running(build(Buying, Checked, bank=bank.url)) as client:
        answer = await client.post("/buy", json={"orderRef": "first"})

    assert answer.status_code == 422
    assert bank.received[-1] == "POST /refunds/%2Fcharges%2Ffirst"


@pytest.mark.parametrize(
    ("fate", "requests"),
    [
        ("lost", ["POST /charges/first", "GET /charges/first"]),
        ("dropped", ["POST /charges/first", "GET /charges/first", "POST /charges/first"]),
    ],
)
async def test_a_check_may_find_a_model_of_pydantic(fate, requests):
    """What it finds is the step's result, and None is still None."""
    ledger = Ledger(script=[fate])

    async with ledger.serving() as bank, running(build(Buying, Checked, bank=bank.url)) as client:
        answer = await client.post("/pay", json={"orderRef": "first"})

    assert (answer.status_code, answer.json()) == (200, "/charges/first")
    assert bank.received == requests


@pytest.mark.parametrize("kind", [complex, TypedReply[Made], list[TypedReply[None]], Views])
def test_what_no_journal_can_hold_is_refused_at_start(kind):
    """After the write it would be too late: the saga could neither continue nor be compensated."""
    with pytest.raises(ConfigurationError, match=r"pay returns .*, which a journal can't store"):
        build(Buying, Checked, saga_of(kind))


def test_a_saga_that_the_gateway_was_not_given_is_refused_at_start():
    """A view uses it; without a journal each request would fail."""
    with pytest.raises(ConfigurationError, match=r"Buying is a saga: .*sagas=\[Buying, "):
        build(Checked)
