"""Types with names to change, and how the tests of camelCase serve them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import httpx
import pytest
from msgspec import UNSET, Struct, UnsetType
from msgspec import field as struct_field
from pydantic import BaseModel, ConfigDict, Field, computed_field
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from bff_core import (
    ANYONE,
    Views,
)
from tests.rest.conformance.three_ways import gateway_of

T = TypeVar("T")


class Kind(Enum):
    """A value that is no name."""

    IN_STOCK = "in_stock"


@dataclass(frozen=True, slots=True)
class Money:
    """A class without a name to change."""

    amount: int


@dataclass(frozen=True, slots=True)
class Card:
    """A class with names to change."""

    long_title: str
    list_price: Money | None
    stock_kind: Kind = Kind.IN_STOCK


@dataclass
class Home:
    """A class that holds others."""

    first_card: Card
    all_cards: Sequence[Card]
    by_sku: Mapping[str, Card]
    free_form: dict[str, Any]
    placed_at: datetime | None = None
    unit_id: UUID | None = None
    exact_sum: Decimal | None = None


@dataclass
class Boxed(Generic[T]):
    """A generic class."""

    the_item: T


@dataclass
class Tree:
    """A class that holds itself."""

    node_name: str
    sub_trees: list["Tree"] = field(default_factory=list)


@dataclass
class Left:
    """A class of a union."""

    left_side: int


@dataclass
class Right:
    """Another class of a union."""

    right_side: int


class Profile(BaseModel):
    """A model with names to change, one that the author chose, and one that is computed."""

    first_name: str
    nick_name: str = Field(alias="nick_of")
    last_card: Card

    @computed_field  # type: ignore[prop-decorator]
    @property
    def full_name(self) -> str:
        return f"{self.first_name} B."


class Cased(BaseModel):
    """A model that has its own names."""

    model_config = ConfigDict(alias_generator=lambda name: name.upper(), populate_by_name=True)

    first_name: str


class Deal(Struct, tag="deal_of"):
    """A Struct with names to change."""

    list_price: int
    end_date: str | UnsetType = UNSET
    own_name: int = struct_field(default=3, name="own_name_2")


class Gift(Struct, tag="gift_of", tag_field="gift_kind"):
    """A Struct whose author chose the name of the tag."""

    gift_name: str


class Offer(Struct, omit_defaults=True):
    """A Struct that holds others."""

    best_deal: Deal
    other_deals: list[Deal] = []
    read_at: datetime | None = None


class Typed(TypedDict):
    """A dictionary whose keys are declared."""

    first_name: str


CARD = Card("A tent", Money(7))
SHOWN = {"longTitle": "A tent", "listPrice": {"amount": 7}, "stockKind": "in_stock"}
NOW = datetime(2026, 11, 29, 9, 30, tzinfo=UTC)
ID = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
HOME = Home(
    CARD,
    [CARD],
    {"red_one": CARD},
    {"as_it_is": {"a_b": 1}},
    NOW,
    ID,
    Decimal("1.50"),
)
SHOWN_HOME = {
    "firstCard": SHOWN,
    "allCards": [SHOWN],
    "bySku": {"red_one": SHOWN},
    "freeForm": {"as_it_is": {"a_b": 1}},
    "placedAt": "2026-11-29T09:30:00Z",
    "unitId": str(ID),
    "exactSum": "1.50",
}
PROFILE = Profile(first_name="Ada", nick_of="A", last_card=CARD)

ANSWERS: dict[str, tuple[Any, Any, Any]] = {
    "dataclass": (Home, HOME, SHOWN_HOME),
    "nothing to change": (Money, Money(7), {"amount": 7}),
    "list": (list[Card], [CARD], [SHOWN]),
    "dictionary": (dict[str, Card], {"red_one": CARD}, {"red_one": SHOWN}),
    "generic": (Boxed[Card], Boxed(CARD), {"theItem": SHOWN}),
    "nested generic": (Boxed[Boxed[int]], Boxed(Boxed(7)), {"theItem": {"theItem": 7}}),
    "itself": (
        Tree,
        Tree("a", [Tree("b")]),
        {"nodeName": "a", "subTrees": [{"nodeName": "b", "subTrees": []}]},
    ),
    "union": (list[Left | Right], [Left(1), Right(2)], [{"leftSide": 1}, {"rightSide": 2}]),
    "optional": (Card | None, None, None),
    "model": (
        Profile,
        PROFILE,
        {"firstName": "Ada", "nick_of": "A", "lastCard": SHOWN, "fullName": "Ada B."},
    ),
    "model with names of its own": (Cased, Cased(FIRST_NAME="Ada"), {"FIRST_NAME": "Ada"}),
    "dataclass with a model": (Boxed[Profile], Boxed(PROFILE), None),
    "Struct": (
        Offer,
        Offer(Deal(7), [Deal(8, "now")], NOW),
        {
            "bestDeal": {"type": "deal_of", "listPrice": 7, "own_name_2": 3},
            "otherDeals": [{"type": "deal_of", "listPrice": 8, "endDate": "now", "own_name_2": 3}],
            "readAt": "2026-11-29T09:30:00Z",
        },
    ),
    "Struct without its defaults": (
        Offer,
        Offer(Deal(7)),
        {"bestDeal": {"type": "deal_of", "listPrice": 7, "own_name_2": 3}},
    ),
    "Struct with a tag of its own": (
        Gift,
        Gift("rope"),
        {"gift_kind": "gift_of", "giftName": "rope"},
    ),
    "dataclass with Structs": (
        Boxed[list[Gift]],
        Boxed([Gift("rope")]),
        {"theItem": [{"gift_kind": "gift_of", "giftName": "rope"}]},
    ),
    "declared keys": (Typed, {"first_name": "Ada"}, {"firstName": "Ada"}),
    "dictionary for a class": (Card, {"long_title": "A tent", "list_price": None}, None),
    "values of other types": (Card, Card(7, None), None),  # type: ignore[arg-type] # no check
}


@asynccontextmanager
async def served(
    made: Views | Callable[[], Views], way: str = ""
) -> AsyncIterator[tuple[Any, httpx.AsyncClient]]:
    """Serve views on one of their ways; those of a function are made once."""
    app = app_of(made, way) if isinstance(made, Views) else made_once(made, way)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield app, client


def app_of(views: Views, way: str) -> Any:
    app = gateway_of(views, [])
    if way == "the slow path":
        app.add_middleware(lambda app: app)
    return app


@cache
def made_once(make: Callable[[], Views], way: str) -> Any:
    return app_of(make(), way)


BOTH_WAYS = pytest.mark.parametrize("way", ["the fast path", "the slow path"])


def answering(declared: Any, value: object, **options: Any) -> Views:
    """Return views in camelCase and without, each with one view that answers with a value."""

    async def show() -> Any:
        return value

    show.__annotations__["return"] = declared
    views = Views(access=ANYONE, case="camel")
    views.get("/x", **options)(show)
    return views


def camelised(plain: Any) -> Any:
    """Return plain JSON with the names in camelCase, for values without data as keys."""
    if isinstance(plain, list):
        return [camelised(one) for one in plain]
    if isinstance(plain, dict):
        chosen = {"nick_of"}
        return {
            name if name in chosen else to_camel(name): camelised(one)
            for name, one in plain.items()
        }
    return plain


def answering_function(declared: Any, value: object) -> Callable[..., Any]:
    async def show() -> Any:
        return value

    show.__annotations__["return"] = declared
    return show


@dataclass(frozen=True, slots=True)
class Wider(Card):
    """A class with a field that the view does not declare."""

    secret_key: str = "hidden"


@dataclass
class Line:
    """A body with names to change."""

    sku_code: str
    line_quantity: Annotated[int, Field(ge=1, le=9)] = 1
