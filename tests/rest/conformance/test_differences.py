"""Intended differences from plain FastAPI, with the reasons; see also `test_not_json.py`."""

import traceback
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import pytest
from fastapi import Depends, Response
from pydantic import BaseModel

from bff_core import Composition, NotAllowed, compose, optional
from bff_core.events import Crashed
from tests.rest.conformance.three_ways import OTHER_WAYS, Ask, answer_of, assert_alike, serving


@dataclass
class User:
    """What clients see."""

    name: str


@dataclass
class Account:
    """A class with more fields."""

    name: str
    password: str = "secret"


class AccountModel(BaseModel):
    """The same for pydantic."""

    name: str
    password: str = "secret"


class Row:
    """An object that no library can encode."""

    password = "secret"


@dataclass
class Team:
    """Fields for a user, and for other things."""

    lead: User
    members: Sequence[User] = ()
    by_name: dict[str, User] | None = None
    either: User | str = ""
    note: str = ""
    count: int = 0


class UserModel(BaseModel):
    """The same for pydantic."""

    name: str


class TeamModel(BaseModel):
    """The same for pydantic."""

    lead: UserModel
    members: list[UserModel] = []
    note: str = ""


LEAD = User("Ada")
WIDE: dict[str, tuple[type, Any]] = {
    "model in a dataclass": (Team, Team(AccountModel(name="Ada"))),
    "dict": (Team, Team({"name": "Ada", "password": "secret"})),
    "union": (Team, Team(LEAD, either=Account("Ada"))),
    "dict for a text": (Team, Team(LEAD, note={"password": "secret"})),
    "object for a text": (Team, Team(LEAD, note=Account("Ada"))),
    "object for a number": (Team, Team(LEAD, count=Account("Ada"))),
    "list for a text": (Team, Team(LEAD, note=[Account("Ada")])),
    "unknown object": (Team, Team(LEAD, note=Row())),
    "dict for a text of a model": (
        TeamModel,
        TeamModel.model_construct(lead=UserModel(name="A"), note={"password": "secret"}),
    ),
}


FILTERED: dict[str, tuple[type, Any]] = {
    "field": (Team, Team(Account("Ada"))),
    "list": (Team, Team(LEAD, [Account("Ada")])),
    "dict of objects": (Team, Team(LEAD, by_name={"a": Account("Ada")})),
    "field of a model": (
        TeamModel,
        TeamModel.model_construct(lead=AccountModel(name="Ada"), members=[]),
    ),
    "list of a model": (
        TeamModel,
        TeamModel.model_construct(lead=UserModel(name="A"), members=[Account("Ada")]),
    ),
}


@pytest.mark.parametrize(("declared", "returned"), FILTERED.values(), ids=FILTERED)
async def test_object_with_more_fields_is_filtered(declared, returned):
    """As in FastAPI, only the declared fields of an object are sent, whatever its class."""

    def declare(routes):
        async def x():
            return returned

        x.__annotations__ = {"return": declared}
        routes.get("/x")(x)
        return Ask(is_compiled=True)

    plain = await assert_alike(declare)

    assert plain.status_code == 200
    assert "secret" not in plain.text


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize("kind", ["get", "stream"])
@pytest.mark.parametrize(("declared", "returned"), WIDE.values(), ids=WIDE)
async def test_object_of_another_type_is_an_error(way, kind, declared, returned):
    """FastAPI warns and sends all fields, perhaps a password; a gateway sends none."""

    def declare(routes):
        async def x():
            return returned

        async def lines():
            yield returned

        x.__annotations__ = {"return": declared}
        lines.__annotations__ = {"return": AsyncIterator[declared]}
        getattr(routes, kind)("/x")(lines if kind == "stream" else x)
        return Ask(is_compiled=kind != "stream")

    answer = await answer_of(way, declare)

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text


@pytest.mark.parametrize("way", OTHER_WAYS)
async def test_second_value_of_a_stream_that_can_not_be_sent_cuts_it_off(way):
    """The answer has begun, so it is aborted: a client can't take it for complete."""

    def declare(routes):
        @routes.stream("/x")
        async def x() -> AsyncIterator[Team]:
            yield Team(LEAD)
            yield Team(LEAD, note={"password": "secret"})

        return Ask()

    async with serving(way, declare) as (served, ask):
        answer = await served.ask(ask)

    assert len(answer.text.splitlines()) == 1
    assert "secret" not in answer.text
    assert [type(event) for event in served.heard].count(Crashed) == 1


async def test_cause_of_such_an_error_is_reported():
    """The `Crashed` event names the field of another type."""

    def declare(routes):
        @routes.get("/x")
        async def x() -> Team:
            return Team({"name": "Ada"})

        return Ask(is_compiled=True)

    async with serving("the fast path", declare) as (served, ask):
        await served.ask(ask)

    [crash] = [event for event in served.heard if isinstance(event, Crashed)]
    assert "lead" in str(crash.error)


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize(
    ("declared", "returned"),
    [(Team, Team({"name": "secret"})), (User, {"password": "secret"}), (list[int], ["secret"])],
)
async def test_cause_of_such_an_error_has_no_values(way, declared, returned):
    """The text of the error is logged, so it must not contain values."""

    def declare(routes):
        @routes.get("/x", response_model=declared)
        async def x():
            return returned

        return Ask(is_compiled=True)

    async with serving(way, declare) as (served, ask):
        await served.ask(ask)

    [crash] = [event for event in served.heard if isinstance(event, Crashed)]
    lines = traceback.format_exception(crash.error)
    assert "secret" not in "".join(one for one in lines if 'File "' not in one)


@pytest.mark.parametrize("way", OTHER_WAYS)
async def test_untyped_bytes_and_durations_are_those_of_msgspec(way):
    """Checking each value of an untyped tree costs more than encoding it: declare such types."""
    value = {"data": b"text", "wait": timedelta(days=1, hours=2)}

    def declare(routes):
        @routes.get("/x")
        async def x() -> dict[str, Any]:
            return value

        return Ask(is_compiled=True)

    plain, ours = await answer_of("plain FastAPI", declare), await answer_of(way, declare)

    assert plain.json() == {"data": "text", "wait": "P1DT2H"}
    assert ours.json() == {"data": "dGV4dA==", "wait": "P1DT7200S"}


class Screen(Composition):
    """A composition whose only part fails."""

    @optional(fallback="")
    async def name(self) -> str:
        raise NotAllowed


@pytest.mark.parametrize("way", OTHER_WAYS)
async def test_degraded_answer_is_stored_by_no_cache(way):
    """The `Cache-Control` of a view does not apply to an answer that lacks a part."""

    def declare(routes):
        @routes.get("/x")
        async def x(page: Annotated[Screen, Depends(compose(Screen))], response: Response) -> User:
            response.headers["cache-control"] = "public, max-age=60"
            response.headers["x-a"] = "1"
            return User(await page.name())

        return Ask()

    answer = await answer_of(way, declare)

    assert answer.headers["x-a"] == "1"
    assert answer.headers["part-status"].startswith("name=")
    assert answer.headers.get_list("cache-control") == ["no-store"]
