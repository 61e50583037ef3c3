"""msgspec Structs as bodies: validated and documented as any other body, and passed as Structs."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import pytest
from fastapi import Body, Depends
from msgspec import Meta, Struct, field

from bff_core import ANYONE, Composition, Settings, Views, compose, critical, gateway
from bff_core.testing import running

T = TypeVar("T")


class Size(Enum):
    """A size of a parcel."""

    SMALL = "s"
    LARGE = "l"


class Line(Struct, rename="camel", frozen=True):
    """A line of an order."""

    item_number: Annotated[str, Meta(min_length=1, max_length=8)]
    count: Annotated[int, Meta(ge=1)] = 1


class Order(Struct, rename="camel", forbid_unknown_fields=True):
    """An order."""

    order_lines: list[Line]
    at: datetime
    total: Decimal
    id: UUID
    size: Size = Size.SMALL
    note: str | None = None
    tags: dict[str, Line] = field(default_factory=dict)


class Card(Struct, tag="card"):
    """One way to pay."""

    number: str


class Invoice(Struct, tag="invoice"):
    """Another way to pay."""

    days: int


class Offer(Struct, Generic[T], array_like=True):
    """An offer, in JSON an array."""

    price: T
    currency: str = "EUR"


class Basket(Composition):
    """A screen whose input is a Struct."""

    order: Order

    @critical
    async def count(self) -> int:
        """Count the items."""
        return sum(line.count for line in self.order.order_lines)


views = Views(access=ANYONE)
taken: list[object] = []


@views.post("/orders")
async def post_order(order: Order) -> Order:
    """Take one Struct."""
    taken.append(order)
    return order


@views.put("/lines")
async def put_lines(lines: list[Line], note: Annotated[str, Body()] = "") -> str:
    """Take several bodies."""
    taken.append(lines)
    return note


@views.post("/offers")
async def post_offer(offer: Offer[Line]) -> Offer[Line]:
    """Take a Struct that is an array."""
    taken.append(offer)
    return offer


@views.post("/payments")
async def post_payment(payment: Card | Invoice) -> str:
    """Take a union."""
    return type(payment).__name__


@views.post("/baskets")
async def post_basket(basket: Annotated[Basket, Depends(compose(Basket))]) -> int:
    """Take a screen that takes a Struct."""
    return await basket.count()


@views.patch("/lines")
async def patch_line(line: Annotated[Line, Body(embed=True)]) -> int:
    """Take a Struct with FastAPI's own metadata."""
    return line.count


@views.post("/maybe")
async def maybe(line: Line | None = None) -> bool:
    """Take a Struct or nothing."""
    return line is None


app = gateway(
    "shop", faces=[views], settings=Settings(env="development", log="off", gc_freeze=False)
)

ORDER = {
    "orderLines": [{"itemNumber": "a", "count": 2}, {"itemNumber": "b"}],
    "at": "2026-05-01T12:00:00Z",
    "total": "12.50",
    "id": "00000000-0000-0000-0000-000000000001",
    "size": "l",
    "tags": {"first": {"itemNumber": "c"}},
}


async def call(method: str, path: str, body: object) -> Any:
    """Return the answer to one request."""
    taken.clear()
    async with running(app) as client:
        return await client.request(method, path, json=body)


async def test_a_view_gets_a_struct():
    """With the names, the defaults and the types of its fields; the answer has them again."""
    answer = await call("POST", "/orders", ORDER)

    assert taken == [
        Order(
            order_lines=[Line("a", 2), Line("b")],
            at=datetime(2026, 5, 1, 12, tzinfo=UTC),
            total=Decimal("12.50"),
            id=UUID(int=1),
            size=Size.LARGE,
            tags={"first": Line("c")},
        )
    ]
    assert answer.json()["orderLines"] == [
        {"itemNumber": "a", "count": 2},
        {"itemNumber": "b", "count": 1},
    ]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"orderLines": [{"itemNumber": ""}]}, "/orderLines/0/itemNumber"),
        ({"orderLines": [{"itemNumber": "a", "count": 0}]}, "/orderLines/0/count"),
        ({"orderLines": [{"itemNumber": "a", "count": True}]}, "/orderLines/0/count"),
        ({"at": "yesterday"}, "/at"),
        ({"size": "xxl"}, "/size"),
        ({"tags": {"x": 1}}, "/tags/x"),
        ({"unknown": 1}, "/unknown"),
    ],
)
async def test_a_wrong_body_is_a_422_with_a_pointer(change, pointer):
    """The errors are those of pydantic, as for a dataclass."""
    answer = await call("POST", "/orders", ORDER | change)

    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert taken == []


async def test_several_bodies_are_members_of_one():
    """As in FastAPI."""
    body = {"lines": [{"itemNumber": "a"}], "note": "thanks"}
    answer = await call("PUT", "/lines", body)

    assert (answer.json(), taken) == ("thanks", [[Line("a")]])


async def test_the_tag_selects_the_member_of_a_union():
    """The tag is that of msgspec."""
    card = await call("POST", "/payments", {"type": "card", "number": "1"})
    invoice = await call("POST", "/payments", {"type": "invoice", "days": 30})
    other = await call("POST", "/payments", {"type": "cash"})

    assert (card.json(), invoice.json(), other.status_code) == ("Card", "Invoice", 422)


async def test_a_struct_may_be_an_array():
    """It has a value for each field, those with a default included."""
    body = [{"itemNumber": "7", "count": 2}, "CHF"]

    answer = await call("POST", "/offers", body)

    assert answer.json() == body
    assert taken[-1] == Offer(Line("7", 2), "CHF")
    assert (await call("POST", "/offers", [{"itemNumber": "7"}])).status_code == 422


async def test_a_screen_takes_a_struct():
    """An input of a composition is read as that of a view."""
    assert (await call("POST", "/baskets", ORDER)).json() == 3


async def test_metadata_of_fastapi_counts():
    """`Body(embed=True)` is not replaced."""
    assert (await call("PATCH", "/lines", {"line": {"itemNumber": "a", "count": 4}})).json() == 4


async def test_a_struct_may_be_optional():
    """A request without a body has the default."""
    assert (await call("POST", "/maybe", {"itemNumber": "a"})).json() is False
    assert (await call("POST", "/maybe", None)).json() is True


def test_the_schema_is_that_of_the_json():
    """OpenAPI has the names in JSON, constraints and tags."""
    document = app.openapi()
    body = document["paths"]["/orders"]["post"]["requestBody"]
    line = document["components"]["schemas"]["Line"]

    assert body["required"] is True
    order = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert document["components"]["schemas"][order]["additionalProperties"] is False
    assert line["required"] == ["itemNumber"]
    assert line["properties"]["itemNumber"]["maxLength"] == 8
    assert line["properties"]["count"]["minimum"] == 1
