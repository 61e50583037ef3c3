"""Fields may have any name, also one that has a meaning inside pydantic's schemas."""

from dataclasses import dataclass
from math import inf
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from bff_core import ANYONE, Settings, Views, gateway
from bff_core.testing import running


class Model(BaseModel):
    """A model whose fields are called as members of a schema."""

    type: int = 1
    schema_: int = Field(1, alias="schema")
    config: int = 1
    default: int = 1
    expected: int = 1
    members: int = 1
    metadata: int = 1
    cls: int = 1
    choices: int = 1
    fields: int = 1


class Cat(BaseModel):
    """A member of a union whose tag is the name of a kind of schema."""

    type: Literal["int"]
    lives: int


class Dog(BaseModel):
    """Another one."""

    type: Literal["type"]
    tricks: int


class Row(TypedDict):
    """An answer with such names."""

    type: str
    default: float


@dataclass
class Table:
    """An answer around them."""

    type: Row


views = Views(access=ANYONE)


@views.post("/model")
async def post_model(model: Model) -> Model:
    """Take and return a model."""
    return model


@views.post("/pet")
async def post_pet(pet: Annotated[Cat | Dog, Field(discriminator="type")]) -> str:
    """Take one of two."""
    return type(pet).__name__


@views.get("/table")
async def get_table(value: float = 1.0) -> Table:
    """Return a table."""
    return Table({"type": "row", "default": value})


@views.get("/infinite")
async def get_infinite() -> Table:
    """Return a number that JSON can't hold."""
    return Table({"type": "row", "default": inf})


app = gateway(
    "shop", faces=[views], settings=Settings(env="development", log="off", gc_freeze=False)
)
NAMES = [one.alias or name for name, one in Model.model_fields.items()]


@pytest.mark.parametrize("name", NAMES)
async def test_a_field_of_any_name_is_taken(name):
    """The body is validated, and booleans are no numbers there either."""
    async with running(app) as client:
        right = await client.post("/model", json={name: 7})
        wrong = await client.post("/model", json={name: True})

    assert (right.status_code, right.json()[name]) == (200, 7)
    assert [one["pointer"] for one in wrong.json()["errors"]] == [f"/{name}"]


async def test_tags_of_any_name_are_taken():
    """The tag of a union may be called `type`."""
    async with running(app) as client:
        answers = [
            await client.post("/pet", json={"type": "int", "lives": 9}),
            await client.post("/pet", json={"type": "type", "tricks": 1}),
        ]

    assert [one.json() for one in answers] == ["Cat", "Dog"]


async def test_answers_have_fields_of_any_name():
    """A number that is not finite is refused there as well."""
    async with running(app) as client:
        table = await client.get("/table")
        infinite = await client.get("/infinite")

    assert table.json() == {"type": {"type": "row", "default": 1.0}}
    assert infinite.status_code == 500
