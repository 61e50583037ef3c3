"""Decimals and other numbers in production, where results are sent without a check of each value.

In development a number of the other kind is refused (`test_result_check`).
"""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Generic, TypeVar

import pytest
from msgspec import Struct
from pydantic import BaseModel

from bff_core.rest.exact_types import NotFinite
from bff_core.rest.response_model import Dump, InvalidResult, ResponseModel

T = TypeVar("T")


@dataclass
class Sale(Generic[T]):
    """A number of some kind, and a text."""

    price: T
    name: str = "NaN and Infinity"


@dataclass
class Sum:
    """Numbers of both kinds."""

    exact: Decimal
    about: float
    maybe: float | None = None
    either: Decimal | float = 0.5


@dataclass
class Loose:
    """A number beside anything."""

    price: float
    other: Any


class Fast(Struct):
    """A Struct with numbers of one kind."""

    price: float
    count: int = 0


class Both(Struct):
    """A Struct with numbers of both kinds."""

    exact: Decimal
    about: float = 0.5


@dataclass
class Left:
    """A class of a union."""

    left: float


@dataclass
class Right:
    """Another class of a union."""

    right: int


class Renamed(Struct):
    """A Struct with a name to change."""

    price: float
    unit_name: str = "each"


@dataclass
class Tree:
    """A class with a name to change, which contains itself."""

    price: float
    sub_trees: list["Tree"] = field(default_factory=list)


class Model(BaseModel):
    """A model."""

    price: float


D = Decimal("1.50")

SENT: list[tuple[Any, Any, Any]] = [
    (Sale[float], Sale(D), {"price": 1.5}),
    (Sale[float], Sale(2), {"price": 2}),
    (Sale[int], Sale(Decimal(7)), {"price": 7}),
    (Sale[float | None], Sale(D), {"price": 1.5}),
    (Sale[float | None], Sale(None), {"price": None}),
    (Sale[list[float]], Sale([D]), {"price": [1.5]}),
    (Sale[dict[str, float]], Sale({"a": D}), {"price": {"a": 1.5}}),
    (Sale[Decimal], Sale(D), {"price": "1.50"}),
    (Sale[Decimal], Sale(1.5), {"price": "1.5"}),
    (Sale[Decimal | None], Sale(3), {"price": "3"}),
    (Sale[Decimal | None], Sale(None), {"price": None}),
    (Sale[str], Sale(D), {"price": "1.50"}),
    (Sum, Sum(D, D, D, D), {"exact": "1.50", "about": 1.5, "maybe": 1.5, "either": "1.50"}),
    (Sum, Sum(1, 2, 3, 4.5), {"exact": "1", "about": 2, "maybe": 3, "either": 4.5}),  # type: ignore[arg-type]
    (Loose, Loose(D, {"a": D}), {"price": 1.5, "other": {"a": "1.50"}}),  # type: ignore[arg-type]
    (Fast, Fast(D, Decimal(7)), {"price": 1.5, "count": 7}),  # type: ignore[arg-type]
    (list[Fast], [Fast(D)], [{"price": 1.5, "count": 0}]),  # type: ignore[arg-type]
    (Both, Both(1.5), {"exact": "1.5", "about": 0.5}),  # type: ignore[arg-type]
    (Renamed, Renamed(D), {"price": 1.5}),  # type: ignore[arg-type]
    (Tree, Tree(D), {"price": 1.5}),  # type: ignore[arg-type]
    (list[float], [D], [1.5]),
    (list[Decimal], [1.5], ["1.5"]),
    (list[Left | Right], [Left(D), Right(D)], [{"left": 1.5}, {"right": 1.5}]),  # type: ignore[arg-type]
    (Model, Model(price=1.5).model_copy(update={"price": D}), {"price": 1.5}),
]


@pytest.mark.parametrize("case", [None, "camel"])
@pytest.mark.parametrize(("declared", "value", "expected"), SENT)
def test_a_number_is_sent_as_its_declared_kind(declared, value, expected, case):
    """A Decimal in a field of numbers is a number, and one in a field of decimals a string."""
    sent = json.loads(ResponseModel(declared, Dump(), "view", case).encode(value))

    shown = sent if isinstance(sent, list) else {name: sent[name] for name in expected}
    assert shown == expected


@pytest.mark.parametrize("case", [None, "camel"])
@pytest.mark.parametrize("wrong", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_a_decimal_that_json_has_no_number_for_is_never_sent(wrong, case):
    """As for floats it is an error, or null where the field allows that."""
    value = Decimal(wrong)
    optional = ResponseModel(Sale[float | None], Dump(), "view", case)
    number = ResponseModel(Sale[float], Dump(), "view", case)

    with pytest.raises((NotFinite, InvalidResult, TypeError, ValueError)):
        number.encode(Sale(value))
    if wrong == "sNaN":
        return
    assert json.loads(optional.encode(Sale(value)))["price"] is None
