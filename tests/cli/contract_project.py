"""A project whose views read some fields of a service, and the contract of that service."""

import json
from copy import deepcopy
from pathlib import Path

SHOP = '''
"""Two gateways over one service; each view reads other fields."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from bff_core import ANYONE, Composition, Gateway, Policy, Upstream, Views, critical, gateway
from bff_core import gather, loader, optional


class Status(StrEnum):
    ON_SALE = "on_sale"
    SOLD_OUT = "sold_out"


@dataclass(frozen=True)
class Money:
    amount: int
    currency: str


@dataclass(frozen=True)
class Maker:
    id: str
    name: str
    country: str = ""


@dataclass(frozen=True)
class Product:
    id: str
    title: str
    price: Money
    maker: Maker
    status: Status
    subtitle: str = ""
    weight: int | None = None

    @property
    def label(self) -> str:
        return f"{self.title} ({self.weight} g)"


@dataclass(frozen=True)
class Page:
    items: Sequence[Product]
    next_cursor: str | None = None
    total: int = 0


@dataclass(frozen=True)
class Order:
    number: str
    state: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Stock:
    product_id: str
    available: int
    depot: str = ""


class Catalog(Upstream):
    policy = Policy(timeout=1.0)

    async def product(self, product_id: str) -> Product:
        return await self.get("/products/{id}", Product, id=product_id)

    async def search(self, text: str) -> Page:
        return await self.get("/products", Page, query={"q": text, "limit": 20})

    async def stock(self, ids: tuple[str, ...]) -> dict[str, Stock]:
        found = await self.get("/stock", list[Stock], query={"ids": ",".join(ids)})
        return {one.product_id: one for one in found}

    async def order(self, product_id: str, quantity: int) -> Order:
        wanted = {"product_id": product_id, "quantity": quantity}
        return await self.post("/orders", Order, json=wanted)

    async def cancel(self, number: str) -> None:
        await self.delete("/orders/{number}", None, number=number)

    def export(self) -> AsyncIterator[Order]:
        return self.ndjson("/export", Order)


class ProductPage(Composition):
    catalog: Catalog
    product_id: str = ""

    @critical
    async def product(self) -> Product:
        return await self.catalog.product(self.product_id)

    @optional(fallback=())
    async def found(self) -> Sequence[Product]:
        return (await self.catalog.search(self.product_id)).items

    @loader(fallback=None)
    async def stock(self, ids: tuple[str, ...]) -> dict[str, Stock]:
        return await self.catalog.stock(ids)


@dataclass
class Card:
    title: str
    amount: int
    available: int


mobile_views = Views(prefix="/v1", access=ANYONE)
desktop_views = Views(prefix="/v1", access=ANYONE)


@mobile_views.get("/products/{product_id}")
async def get_product(page: ProductPage) -> Card:
    product, stock = await gather(page.product(), page.stock(page.product_id))
    return Card(product.title, product.price.amount, 0 if stock is None else stock.available)


@mobile_views.get("/search")
async def get_search(page: ProductPage) -> list[str]:
    return sorted(one.title for one in await page.found() if one.status is Status.ON_SALE)


@mobile_views.post("/orders")
async def post_order(product_id: str, page: ProductPage) -> str:
    return (await page.catalog.order(product_id, 1)).number


@mobile_views.delete("/orders/{number}", status=204)
async def delete_order(number: str, page: ProductPage) -> None:
    await page.catalog.cancel(number)


@desktop_views.get("/products/{product_id}/label")
async def get_label(page: ProductPage) -> str:
    return (await page.product()).label


@desktop_views.get("/makers/{product_id}")
async def get_maker(page: ProductPage) -> dict[str, str]:
    return asdict((await page.product()).maker)


@desktop_views.stream("/export")
async def get_export(page: ProductPage) -> AsyncIterator[str]:
    async for one in page.catalog.export():
        yield one.state


def mobile() -> Gateway:
    return gateway("mobile", faces=[mobile_views])


def desktop() -> Gateway:
    return gateway("desktop", faces=[desktop_views])
'''

TABLE = """
[tool.bff.gateways.mobile]
app = "{module}:mobile"
port = 8002

[tool.bff.gateways.desktop]
app = "{module}:desktop"
port = 8003

[tool.bff.services.catalog]
port = 9002
contract = "catalog.json"
contract_url = "/openapi.json"
"""


def _object(required, **properties):
    return {"type": "object", "required": required, "properties": properties}


def _reply(schema, media="application/json"):
    return {"200": {"description": "ok", "content": {media: {"schema": schema}}}}


def _query(name, kind="string", *, required=False):
    return {"name": name, "in": "query", "required": required, "schema": {"type": kind}}


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
PRODUCT, ORDER = {"$ref": "#/components/schemas/Product"}, {"$ref": "#/components/schemas/Order"}

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Catalog", "version": "1"},
    "paths": {
        "/products/{productId}": {
            "get": {
                "parameters": [
                    {"name": "productId", "in": "path", "required": True, "schema": TEXT}
                ],
                "responses": _reply(PRODUCT),
            }
        },
        "/products": {
            "get": {
                "parameters": [_query("q", required=True), _query("limit", "integer")],
                "responses": _reply(
                    _object(
                        ["items", "total"],
                        items={"type": "array", "items": PRODUCT},
                        next_cursor={"type": ["string", "null"]},
                        total=NUMBER,
                    )
                ),
            }
        },
        "/stock": {
            "get": {
                "parameters": [_query("ids", required=True), _query("depot")],
                "responses": _reply(
                    {
                        "type": "array",
                        "items": _object(
                            ["product_id", "available"],
                            product_id=TEXT,
                            available=NUMBER,
                            depot=TEXT,
                        ),
                    }
                ),
            }
        },
        "/orders": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": _object(
                                ["product_id"],
                                product_id=TEXT,
                                quantity=NUMBER,
                                gift={"type": "boolean"},
                            )
                        }
                    },
                },
                "responses": _reply(ORDER),
            }
        },
        "/orders/{number}": {
            "delete": {
                "parameters": [{"name": "number", "in": "path", "required": True, "schema": TEXT}],
                "responses": {"204": {"description": "gone"}},
            }
        },
        "/export": {"get": {"responses": _reply(ORDER, "application/x-ndjson")}},
        "/admin": {"get": {"responses": _reply(_object(["users"], users=NUMBER))}},
    },
    "components": {
        "schemas": {
            "Product": _object(
                ["id", "title", "price", "maker", "status", "subtitle"],
                id=TEXT,
                title=TEXT,
                price=_object(["amount", "currency"], amount=NUMBER, currency=TEXT),
                maker=_object(["id", "name"], id=TEXT, name=TEXT, country=TEXT),
                status={"type": "string", "enum": ["on_sale", "sold_out"]},
                subtitle=TEXT,
                weight={"type": ["integer", "null"]},
                colour=TEXT,
            ),
            "Order": _object(["number", "state"], number=TEXT, state=TEXT, comment=TEXT),
        }
    },
}


def changed(change) -> dict:
    """Return the contract after a change."""
    document = deepcopy(DOCUMENT)
    change(document)
    return document


def write_project(folder: Path, module: str) -> Path:
    """Write the project; its module has a name of its own, since modules are imported once."""
    (folder / "pyproject.toml").write_text(TABLE.format(module=module))
    (folder / f"{module}.py").write_text(SHOP)
    (folder / "catalog.json").write_text(json.dumps(DOCUMENT))
    return folder
