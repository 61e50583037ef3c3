"""A gateway whose clients are tested: each way in which an answer can come, and fail."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from fastapi import Form, Header, Query, Request, Response, UploadFile
from fastapi.responses import PlainTextResponse, StreamingResponse
from msgspec import Struct

from bff_core import (
    ANYONE,
    BulkAnswer,
    Composition,
    Gateway,
    SignedIn,
    Views,
    bulk,
    bulk_answer,
    critical,
    early,
    gateway,
    optional,
)
from bff_core.errors import BFFError, NotFound
from bff_core.settings.model import Settings

sent: Counter[str] = Counter()
"""How often each route ran, by the name that the test gave the call."""


class Busy(BFFError):
    """The service behind this gateway is down for a moment."""

    status = 503
    code = "unavailable_now"
    title = "Unavailable"


class Stage(StrEnum):
    """How far an order is."""

    PAID = "paid"
    SENT = "sent"


@dataclass
class Order:
    """An order of the customer."""

    order_id: int
    stage: Stage
    note: str | None = None


@dataclass
class Home:
    """The home screen; `points` is null when they are unavailable."""

    name: str
    points: int | None
    orders: list[Order]


class Cat(Struct, tag="cat", rename="camel"):
    """A cat."""

    nine_lives: int


class Dog(Struct, tag="dog", rename="camel"):
    """A dog."""

    likes_walks: bool


class HomePage(Composition):
    """The parts of the home screen."""

    customer: SignedIn
    down: bool = False

    @critical
    async def profile(self) -> str:
        if self.customer.subject == "404":
            raise NotFound("There is no such customer.")
        return f"Customer {self.customer.subject}"

    @optional(timeout=0.05)
    async def points(self) -> int:
        if self.down:
            await asyncio.sleep(5)
        return 7

    @optional(fallback=())
    async def orders(self) -> tuple[Order, ...]:
        return (Order(1, Stage.PAID), Order(2, Stage.SENT, "fragile"))


views = Views(prefix="/v1")


def early_points(points: int | None, page: HomePage) -> dict[str, object]:
    """Show the points early."""
    return {"points": points}


@views.get("/home", progressive=[early(HomePage.points, early_points)])
async def get_home(page: HomePage) -> Home:
    """Show the home screen."""
    return Home(await page.profile(), await page.points(), list(await page.orders()))


@views.get("/items/{name:path}", access=ANYONE)
async def get_item(
    name: str,
    label: Annotated[list[str], Query()] = [],  # noqa: B006 # FastAPI copies it
    x_channel: Annotated[str, Header()] = "",
) -> dict[str, list[str]]:
    """Return what it got."""
    return {"got": [name, x_channel, *label]}


@views.get("/shelves/{shelf_id}", access=ANYONE)
async def get_shelf(shelf_id: str, at: Literal["top", "end"] | None = None) -> dict[str, str]:
    """Return what it got."""
    return {"shelf": shelf_id, "at": at or "-"}


@dataclass
class NewOrder:
    """An order to be placed."""

    sku: str
    note: str | None = None


@views.post("/orders", status=201)
async def post_order(body: NewOrder, customer: SignedIn, call: str = "") -> Order:
    """Place an order; the first attempt of each call fails."""
    sent[call] += 1
    if call and sent[call] == 1:
        raise Busy
    return Order(sent[call], Stage.PAID, body.note)


@views.get("/flaky", access=ANYONE)
async def get_flaky(call: str, failures: int = 1) -> int:
    """Fail so many times before it answers."""
    sent[call] += 1
    if sent[call] <= failures:
        raise Busy
    return sent[call]


@views.get("/pets", access=ANYONE)
async def get_pets() -> list[Cat | Dog]:
    """Return pets of two kinds."""
    return [Cat(9), Dog(likes_walks=True)]


@views.stream("/rows", access=ANYONE)
async def get_rows(count: int = 3, breaks_at: int = -1) -> AsyncIterator[Order]:
    """Stream orders; break off at one of them."""
    for number in range(count):
        if number == breaks_at:
            raise RuntimeError("the service is gone")
        yield Order(number, Stage.PAID)


@views.post("/pictures", access=ANYONE)
async def add_picture(picture: UploadFile, caption: Annotated[str, Form()] = "") -> str:
    """Take a file."""
    content = await picture.read()
    return f"{picture.filename} {len(content)} {caption}"


@views.delete("/orders/{order_id}", status=204, access=ANYONE)
async def delete_order(order_id: int) -> None:
    """Cancel an order."""


class Desk(Composition):
    """Changes many orders."""

    customer: SignedIn

    @bulk(key=lambda one: one.sku, most=5, concurrent=2)
    async def place(self, one: NewOrder) -> int:
        if one.sku == "gone":
            raise NotFound("There is no such article.")
        return len(one.sku)


@views.post("/orders/bulk", status=207)
async def place_orders(wanted: list[NewOrder], desk: Desk) -> BulkAnswer[int]:
    """Place many orders."""
    return bulk_answer(await desk.place(wanted), int)


def _event(name: str, data: object) -> str:
    return f"event: {name}\nid: {name}-1\ndata: {json.dumps(data)}\n\n"


class EventStream(StreamingResponse):
    """A stream of events, as OpenAPI describes it."""

    media_type = "text/event-stream"


def add_plain_routes(app: Gateway) -> None:
    """Add routes that are no views: events, text, a reply of another server."""

    @app.get("/v1/events", response_class=EventStream)
    async def get_events() -> EventStream:
        return EventStream(iter([_event("price", {"amount": 3}), ": pause\n\n", _event("end", 4)]))

    @app.get("/v1/text", response_class=PlainTextResponse)
    async def get_text() -> str:
        return "plain"

    @app.get("/v1/proxy-error")
    async def get_proxy_error() -> int:
        return Response("<html>", 502, media_type="text/html")  # type: ignore[return-value]

    @app.get("/v1/wrong")
    async def get_wrong(request: Request) -> int:
        return Response('{"a": 1}', media_type="application/json")  # type: ignore[return-value]


def kiosk() -> Gateway:
    """Return the gateway."""
    settings = Settings(env="development", auth="demo", log="off", gc_freeze=False)
    app = gateway("kiosk", faces=[views], settings=settings)
    add_plain_routes(app)
    return app


app = kiosk()
