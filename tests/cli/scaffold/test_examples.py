"""Example values: what scripted services answer in generated tests is right for its type."""

import ast
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal, NewType, TypedDict
from uuid import UUID

import msgspec
import pytest

from bff_core import TypedReply
from bff_core.cli.scaffold.examples import example_of, literal


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


@pytest.mark.parametrize(
    "kind",
    [
        str, int, float, bool, UUID, date, datetime, timedelta, Decimal, Colour,
        Literal["a", "b"], Annotated[str, "note"], NewType("Id", str), str | None, int | str,
        list[str], tuple[int, ...], tuple[int, str], dict[str, int], set[str],
        Node, list[Node], Row, Order, Order | None,
    ],
    ids=str,
)  # fmt: skip
def test_an_example_can_be_decoded(kind: object) -> None:
    """A service that answers with the example is understood."""
    value = example_of(kind)

    assert value is not None
    assert msgspec.convert(value, kind, strict=False) is not None


def test_texts_look_like_what_they_name() -> None:
    """A reader of the generated test recognises ids and addresses."""
    node = example_of(Node)

    assert (node["id"], node["image_url"]) == ("1", "https://example.com/1")
    assert example_of(str, "product_id") == "1"


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
