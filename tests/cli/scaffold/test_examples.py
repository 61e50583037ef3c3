"""Example values: what scripted services answer in generated tests is right for its type."""

import ast
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, NewType, TypedDict
from uuid import UUID

import msgspec
import pytest

from bff_core import TypedReply
from bff_core.cli.scaffold.examples import example_of, literal
from bff_core.service_clients import one_of
from bff_core.service_clients.unions import decode_union


class Colour(Enum):
    """A choice."""

    RED = "red"


@dataclass
class Node:
    """A type that contains itself."""

    id: str
    image_url: str
    next: "Node | None"
    children: list["Node"]


class Row(TypedDict):
    """A plain mapping with known keys."""

    amount: int


class Order(msgspec.Struct, rename="camel"):
    """A type with other names in JSON."""

    placed_at: datetime


class Level(Enum):
    """A choice of a generated client, whose first member stands for unknown values."""

    UNRECOGNIZED = "unrecognized"
    HIGH = "high"


class Cat(msgspec.Struct, tag_field="__typename", tag="Cat", rename="camel", kw_only=True):
    """An option of a union that has a tag."""

    born_at: datetime | None = None
    friends: "list[Cat | Dog]"
    best: "Cat | Dog"


class Dog(msgspec.Struct, tag_field="__typename", tag="Dog", forbid_unknown_fields=True):
    """Another."""

    level: Level
    note: str | msgspec.UnsetType = msgspec.UNSET


class Point(NamedTuple):
    """An array with names."""

    x: int
    y: float


class Packed(msgspec.Struct, array_like=True, tag="packed"):
    """An object that is sent as an array."""

    id: UUID
    data: bytes


@dataclass
class Tree:
    """A type that contains itself twice, and in a mapping."""

    left: "Tree | None"
    right: "Tree | None"
    by_name: dict[str, "Tree"]
    any: Any


@dataclass
class Bag:
    """An option without a tag, which holds the union again."""

    items: "list[Thing]"


Thing: Any = one_of("Thing", lambda: (Bag, Tree, Cat))


@pytest.mark.parametrize(
    "kind",
    [
        str, int, float, bool, UUID, date, datetime, timedelta, Decimal, Colour,
        Literal["a", "b"], Annotated[str, "note"], NewType("Id", str), str | None, int | str,
        list[str], tuple[int, ...], tuple[int, str], dict[str, int], set[str],
        Node, list[Node], Row, Order, Order | None,
        Level, Cat, Dog, Cat | Dog, Point, Packed, Tree, Bag, Thing, list[Thing | None],
        dict[int, Cat], dict[Colour, int], dict[UUID, bytes], msgspec.Raw, Any, bytearray,
        Annotated[int, msgspec.Meta(ge=10, le=20)], Annotated[int, msgspec.Meta(lt=0)],
        Annotated[int, msgspec.Meta(gt=10, multiple_of=4)],
        Annotated[str, msgspec.Meta(min_length=9)], Annotated[str, msgspec.Meta(max_length=2)],
        Annotated[list[int], msgspec.Meta(min_length=2)],
    ],
    ids=str,
)  # fmt: skip
def test_an_example_can_be_decoded(kind: object) -> None:
    """A service that answers with the example is understood."""
    value = example_of(kind)

    sent = msgspec.json.encode(value)

    assert value is not None
    assert msgspec.json.Decoder(kind, strict=False, dec_hook=decode_union).decode(sent) is not None


def test_texts_look_like_what_they_name() -> None:
    """A reader of the generated test recognises ids and addresses."""
    node = example_of(Node)

    assert (node["id"], node["image_url"]) == ("1", "https://example.com/1")
    assert example_of(str, "product_id") == "1"


def test_an_example_is_short() -> None:
    """A tree has one node, an option its tag, and a choice no member for unknown values."""
    assert example_of(Tree) == {"left": None, "right": None, "by_name": {}, "any": "any"}
    assert example_of(Dog) == {"__typename": "Dog", "level": "high", "note": "note"}
    assert example_of(Cat)["best"]["__typename"] == "Dog"


def test_a_type_that_is_not_known_has_no_example() -> None:
    """A class that no JSON decodes to is left to the user."""
    assert example_of(complex) is None


def test_literals_are_python_in_lines_of_good_length() -> None:
    """Long values are broken as formatters do; the value is the same."""
    value = {"a": [1, None, True], "b": {f"key_{n}": "text" for n in range(12)}, "c": 'quo"te'}

    text = literal(value, "VALUE = ")

    assert ast.literal_eval(text) == value
    assert max(map(len, text.splitlines())) <= 100
    assert literal({"a": 1}, "VALUE = ") == '{"a": 1}'


def test_an_example_of_a_reply_with_headers_is_its_value() -> None:
    """A method that returns a `TypedReply` is scripted by the body of the reply."""
    assert example_of(TypedReply[list[int]]) == [1]
