"""The gateway `shop` of these tests, over two scripted services, with a view for each concern."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from fastapi import File, Form, Query, Response, UploadFile
from msgspec import Struct

from bff_core import (
    ANYONE,
    Composition,
    Gateway,
    Limit,
    Policy,
    Scope,
    Settings,
    SignedIn,
    Upstream,
    Viewer,
    Views,
    critical,
    early,
    gateway,
    gather,
    optional,
)
from bff_core.call import Call, Reply, find_header
from bff_core.errors import NotAuthenticated, Overloaded
from bff_core.events import Events
from bff_core.testing import Scripted, ScriptedTransport, reply

TENT = {"id": "tent", "title": "Zelt „Süd“", "price": "129.90"}


class Kind(StrEnum):
    """What a product is."""

    GEAR = "gear"
    BOOK = "book"


class Catalog(Upstream):
    """Products."""

    policy = Policy(timeout=2, retry=None)

    async def product(self, product_id: str) -> dict[str, str]:
        return await self.get("/products/{id}", dict[str, str], id=product_id)


class Reviews(Upstream):
    """Reviews, which are down."""

    policy = Policy(timeout=2, retry=None)

    async def stars(self, product_id: str) -> float:
        return await self.get("/stars/{id}", float, id=product_id)


class ProductPage(Composition):
    """A product and its rating."""

    catalog: Catalog
    reviews: Reviews
    product_id: str

    @critical
    async def product(self) -> dict[str, str]:
        return await self.catalog.product(self.product_id)

    @optional
    async def stars(self) -> float:
        return await self.reviews.stars(self.product_id)


class Account(Composition):
    """The viewer."""

    viewer: SignedIn

    @critical
    async def name(self) -> str:
        return f"Viewer {self.viewer.subject}"


@dataclass
class Product:
    """A product; `stars` is null if reviews are down."""

    id: str
    title: str
    price: Decimal
    kind: Kind
    since: date
    stars: float | None
    labels: dict[str, str] = field(default_factory=dict)


@dataclass
class Name:
    """The name of a viewer."""

    name: str


@dataclass
class Line:
    """A line of an order."""

    sku: str
    quantity: int


class Card(Struct, tag="card"):
    """A payment by card."""

    last_four: str


class Voucher(Struct, tag="voucher"):
    """A payment by voucher."""

    code: str


class Receipt(Struct):
    """An order as it was placed."""

    number: int
    paid_with: Card | Voucher


@dataclass
class Upload:
    """What was uploaded."""

    name: str
    size: int
    caption: str
    tags: list[str]


views = Views(prefix="/v1", access=ANYONE)


def early_title(product: dict[str, str], _: ProductPage) -> dict[str, object]:
    """Return the title as a piece of the answer."""
    return {"title": product["title"]}


@views.get("/products/{product_id}", progressive=[early(ProductPage.product, early_title)])
async def get_product(page: ProductPage) -> Product:
    """Show a product: */ alert(1) /*."""
    product, stars = await gather(page.product(), page.stars())
    price = Decimal(product["price"])
    return Product(product["id"], product["title"], price, Kind.GEAR, date(2026, 11, 30), stars)


@views.get("/account")
async def get_account(account: Account) -> Name:
    return Name(await account.name())


@views.get("/files/{path:path}")
async def get_file(path: str, tag: Annotated[list[str] | None, Query()] = None) -> list[str]:
    return [path, *(tag or [])]


@views.get("/tenants/{tenant}/names")
async def get_names(tenant: str) -> str:
    return tenant


placed: list[str] = []
refusals = {"busy": 1, "order": 1}


@views.get("/busy")
async def get_busy() -> str:
    """Refuse the first request."""
    refuse_once("busy")
    return "quiet"


def refuse_once(name: str) -> None:
    """Raise `Overloaded` the first time."""
    if refusals[name]:
        refusals[name] -= 1
        raise Overloaded("Too busy.", retry_after=2)


@views.post("/orders", status=201)
async def post_order(body: Line) -> Receipt:
    """Place an order; the first request is refused."""
    refuse_once("order")
    placed.append(body.sku)
    return Receipt(len(placed), Voucher("SPRING"))


@views.post("/uploads")
async def post_upload(
    picture: Annotated[UploadFile, File()],
    caption: Annotated[str, Form()] = "",
    tags: Annotated[list[str] | None, Form()] = None,
) -> Upload:
    content = await picture.read()
    return Upload(picture.filename or "", len(content), caption, tags or [])


@views.delete("/orders/{number}", status=204)
async def delete_order(number: int) -> None:
    """Forget an order."""


@views.stream("/lines")
async def stream_lines(count: int = 3) -> AsyncIterator[Line]:
    for number in range(count):
        yield Line(f"sku-ü-{number}", number)


@views.stream("/broken-lines")
async def stream_broken() -> AsyncIterator[Line]:
    """Break off after a line."""
    yield Line("first", 1)
    raise RuntimeError


@views.stream("/endless-lines")
async def stream_endless() -> AsyncIterator[Line]:
    """Send a line, and then nothing."""
    yield Line("first", 1)
    await asyncio.Event().wait()


@views.get("/page")
async def get_page() -> Response:
    """Answer as a proxy does whose gateway is gone."""
    return Response("<html>Bad gateway</html>", 502, media_type="text/html")


@views.get("/never")
async def get_never() -> str:
    """Never answer."""
    await asyncio.Event().wait()
    return ""


class Tokens:
    """Viewers by their tokens; `expired` is refused."""

    challenge = "Bearer"

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        field = find_header(scope.headers, b"authorization") or b""
        token = field.decode().removeprefix("Bearer ")
        if token == "expired":
            raise NotAuthenticated("The token has expired.")
        return Viewer(token, issuer="https://id.example") if token else None


async def products(call: Call) -> Reply:
    """Answer as the catalog, which has tents only."""
    if call.target != "/products/tent":
        return await reply(404)(call)
    return await reply(200, TENT)(call)


def _ignored(_: object) -> None:
    """Write no log."""


def shop() -> Gateway:
    """Return the gateway; its counters begin anew."""
    placed.clear()
    refusals.update(busy=1, order=1)
    scripts = {"10.0.0.1": Scripted(products), "10.0.0.2": Scripted(reply(503))}
    return gateway(
        "shop",
        faces=[views],
        settings=Settings(
            env="development",
            upstreams={"catalog": ("http://10.0.0.1",), "reviews": ("http://10.0.0.2",)},
        ),
        authenticator=Tokens(),
        limits=[Limit(quota=600, by="address", name="address")],
        events=Events(_ignored),
        transport=lambda *_: ScriptedTransport(scripts),
    )
