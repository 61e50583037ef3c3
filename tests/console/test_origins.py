"""Which part each place of a composed response comes from, and how many bytes each part has."""

import json
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from bff_core import ANYONE, Composition, Views, critical, gateway, loader, optional
from bff_core.console.origins.cached import LearnedOrigins
from bff_core.console.origins.exchange import FoundOrigins, OriginsRequest
from bff_core.console.origins.stored_response import find_origins
from bff_core.console.sandbox.sandbox import SandboxRequest, open_sandbox
from bff_core.observe.request_records import records_of
from bff_core.testing import client, fail
from tests.bffs.in_process import SCRIPTS
from tests.console.conftest import browser


@asynccontextmanager
async def opened(app: Any, services: Any = SCRIPTS):
    """Open a gateway, and yield how to find the origins of an answer of it."""
    async with client(app, services, viewer="1") as sending:
        learned = LearnedOrigins(sending.app)

        async def find(method: str, target: str, body: Any = None) -> tuple[FoundOrigins, bytes]:
            answer = await sending.request(method, target, json=body)
            text = "" if body is None else json.dumps(body)
            stored = OriginsRequest(
                method=method,
                target=target,
                body=text,
                response=answer.text,
                span_id=span_of(sending.app, answer),
            )
            return await find_origins(sending.app, stored, learned), answer.content

        yield find


def span_of(app: Any, answer: Any) -> str:
    """Return the id of the span of a request, from its record."""
    line = records_of(app.events).get(answer.headers["x-request-id"])
    return json.loads(line)["span_id"]


def part_at(found: FoundOrigins, pointer: str) -> str:
    """Return the part of a place: that of the longest pointer that covers it."""
    around = pointer.split("/")
    for length in range(len(around), 0, -1):
        part = found.origins.get("/".join(around[:length]))
        if part is not None:
            return part
    return ""


async def test_the_phones_home_screen():
    """Each field of the phone's home screen has the part that loads it, items in their place."""
    async with opened("bffs.mobile.app:app") as find:
        found, body = await find("GET", "/v1/home")

    parts = {
        "/name": "profile",
        "/points": "profile",
        "/cart_count": "cart",
        "/orders": "orders",
        "/orders/2/status": "orders",
        "/deals": "deals",
        "/deals/0/title": "summary",
        "/deals/0/price/amount": "price",
        "/picks": "picks",
        "/picks/9/id": "summary",
        "/picks/9/image": "summary",
        "/picks/9/price": "price",
    }
    assert {pointer: part_at(found, pointer) for pointer in parts} == parts
    assert sum(found.sent.values()) == len(body)
    assert found.sent["cart"] == len('"cart_count":10')


async def test_the_desktops_dashboard():
    """A value that a view passes on as it is belongs to its part as a whole."""
    async with opened("bffs.desktop.app:app") as find:
        found, body = await find("GET", "/v1/dashboard")

    parts = {
        "/customer/loyalty/tier": "profile",
        "/cart/lines/0/title": "cart",
        "/cart_products": "cart",
        "/cart_products/0/sku": "summary",
        "/cart_products/0/product/brand": "summary",
        "/cart_products/0/stock/skus/0/available": "stock",
        "/orders/9/lines": "orders",
        "/payment_methods/0/kind": "payment_methods",
        "/deals/9/badge": "deals",
        "/picks/19": "picks",
        "/picks/19/rating/average": "rating",
        "/picks/19/price/list_price": "price",
    }
    assert {pointer: part_at(found, pointer) for pointer in parts} == parts
    assert sum(found.sent.values()) == len(body)


QUERY = """query Start {
  home {
    ...Person
    mine: orders(first: 2) { status }
    picks(first: 3) { trackingId product { ...Card } }
  }
}
fragment Person on Home { viewer { name loyalty { tier } } }
fragment Card on ProductCard { title brand { name } price { discountPercent } rating { count } }"""


async def test_the_webs_home_screen():
    """A field of GraphQL has the part of its declaration, also below aliases and fragments."""
    async with opened("bffs.web.app:app") as find:
        found, body = await find("POST", "/graphql", {"query": QUERY})

    assert found.origins == {
        "/data/home/viewer": "profile",
        "/data/home/mine": "orders",
        "/data/home/picks": "picks",
        **{f"/data/home/picks/{index}/product": "summary" for index in range(3)},
        **{f"/data/home/picks/{index}/product/price": "price" for index in range(3)},
        **{f"/data/home/picks/{index}/product/rating": "rating" for index in range(3)},
    }
    assert sum(found.sent.values()) == len(body)


async def learned_of_home(services: Any) -> dict[str, str]:
    """Return what is learned of the phone's home screen over these services."""
    request = SandboxRequest(method="GET", target="/v1/home", viewer="1")
    async with (
        client("bffs.mobile.app:app", services, viewer="1") as sending,
        open_sandbox(sending.app) as sandbox,
    ):
        composed = (await sandbox.send(request)).composed
        found = await LearnedOrigins(sending.app).of_request("home", sandbox, request, composed)
    return {} if found is None else dict(found.parts)


async def test_the_same_is_learned_while_services_fail():
    """A part that failed has a sample of its type, so that what is null has its part."""
    usual = await learned_of_home(SCRIPTS)
    failing = ("pricing", "recommendations", "catalog", "cart", "orders", "users")

    for service in failing:
        assert await learned_of_home(SCRIPTS | {service: fail(is_sent=False)}) == usual, service


async def test_what_is_missing_has_the_part_that_failed():
    """While a service is down, its nulls belong to the part that could not load it."""
    services = SCRIPTS | {"pricing": fail(is_sent=False)}
    async with opened("bffs.mobile.app:app", services) as find:
        found, body = await find("GET", "/v1/home")

    assert json.loads(body)["picks"][3]["price"] is None
    assert part_at(found, "/picks/3/price") == "price"
    assert part_at(found, "/deals") == "deals"


@dataclass(frozen=True, slots=True)
class Product:
    """What a service knows."""

    id: str
    title: str
    weight: int
    is_new: bool
    since: date
    note: str | None
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client gets."""

    label: str
    label_and_stock: str
    grams: int
    is_old: bool
    since: date
    note: str | None
    tag_count: int
    stars: float | None
    version: str


class Shelf(Composition):
    """Products, their stock and their stars."""

    @critical
    async def products(self) -> Sequence[Product]:
        """Two products."""
        return [
            Product(name, f"Tent {name}", 2, True, date(2026, 1, 2), None, ("a", "b"))
            for name in ("7", "8")
        ]

    @optional
    async def stock(self) -> int:
        """How many there are."""
        return 5

    @loader(missing=None, fallback=None)
    async def stars(self, ids: tuple[str, ...]) -> Mapping[str, float]:
        """Ratings of some."""
        return {"7": 4.5}


class Map(Composition):
    """Zones by their ids, and where they are."""

    @critical
    async def zones(self) -> tuple[str, ...]:
        """List the ids."""
        return ("n", "s", "x")

    @loader(missing=None, fallback=None)
    async def areas(self, ids: tuple[str, ...]) -> Mapping[str, str]:
        """Name two of them."""
        return {"n": "North", "s": "South"}


views = Views()


@views.get("/map", access=ANYONE)
async def get_map(page: Map) -> dict[str, Any]:
    """Leave out what has no name."""
    ids = await page.zones()
    names = await page.areas.many(ids)
    first = {"id": ids[0], "last": ids[-1], "kind": "zone", "gone": None}
    return {"names": [one for one in names if one], "first": first}


@views.get("/shelf", access=ANYONE)
async def get_shelf(shelf: Shelf) -> list[Shown]:
    """Compute most fields."""
    products, stock = await shelf.products(), await shelf.stock()
    return [
        Shown(
            label=one.title.upper()[:20],
            label_and_stock=f"{one.title}: {stock}",
            grams=one.weight * 1000,
            is_old=not one.is_new,
            since=one.since,
            note=one.note,
            tag_count=len(one.tags),
            stars=await shelf.stars(one.id),
            version="v1",
        )
        for one in products
    ]


@views.post("/shelf", access=ANYONE)
async def change_shelf(shelf: Shelf) -> list[str]:
    """Change something."""
    return [one.title for one in await shelf.products()]


def make_app():
    """Return a gateway with one screen."""
    return gateway("shelf", faces=[views])


async def test_computed_fields():
    """A field that is computed of one part belongs to it; one of two parts, or of none, to none."""
    async with opened(make_app, {}) as find:
        found, body = await find("GET", "/shelf")

    assert {name: part_at(found, f"/1/{name}") for name in json.loads(body)[1]} == {
        "label": "products",
        "label_and_stock": "",
        "grams": "products",
        "is_old": "products",
        "since": "products",
        "note": "",
        "tag_count": "products",
        "stars": "stars",
        "version": "",
    }
    assert sum(found.sent.values()) == len(body)


async def test_lists_and_constants():
    """A list is of the part that decides what is listed; a constant beside a part is of none."""
    async with opened(make_app, {}) as find:
        found, _ = await find("GET", "/map")

    assert found.origins == {
        "/names": "zones",
        "/names/0": "areas",
        "/names/1": "areas",
        "/first": "zones",
        "/first/kind": "",
    }


async def test_a_request_that_may_change_something():
    """The response of a write has no origins."""
    async with opened(make_app, {}) as find:
        found, _ = await find("POST", "/shelf")
        mutation, _ = await find("POST", "/shelf", {"query": "mutation { x }"})

    assert (found.origins, mutation.origins) == ({}, {})


async def test_each_answer_is_learned_from_its_own_parts():
    """No service is called for it."""
    async with client("bffs.mobile.app:app", SCRIPTS, viewer="1") as sending:
        learned = LearnedOrigins(sending.app)
        answers = [await sending.get(f"/v1/products/{number}") for number in ("8", "9")]
        calls = len(sending.calls)
        for answer in answers:
            stored = OriginsRequest(
                method="GET",
                target="/v1/products/8",
                span_id=span_of(sending.app, answer),
                response=answer.text,
            )
            found = await find_origins(sending.app, stored, learned)

            assert part_at(found, "/title") == "product"
            assert part_at(found, "/stars") == "rating"
    assert len(sending.calls) == calls


@pytest.mark.parametrize(
    ("app", "method", "target", "body", "expected"),
    [
        ("mobile", "GET", "/v1/home", None, {"/picks": "picks", "/picks/0/price": "price"}),
        (
            "web",
            "POST",
            "/graphql",
            {"query": "{ home { cart { count } } }"},
            {"/data/home/cart": "cart"},
        ),
    ],
)
async def test_a_request_in_the_console(app, method, target, body, expected):
    """The page of a request has its origins and the bytes of each part."""
    async with (
        client(f"bffs.{app}.app:app", SCRIPTS, viewer="1") as sending,
        browser(sending.app) as console,
    ):
        sent = await sending.request(method, target, json=body)
        rows = (await console.get("/console/api/requests")).json()["rows"]
        found = (await console.get(f"/console/api/requests/{rows[0]['id']}")).json()
        again = (await console.get("/console/api/requests")).json()["rows"]

    assert found["origins"].items() >= expected.items()
    known = sum(one["sent"] for one in found["bytes"])
    assert 0 < known <= len(sent.content)
    assert "" not in {one["part"] for one in found["bytes"]}
    assert len(again) == len(rows)
