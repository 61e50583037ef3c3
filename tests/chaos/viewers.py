"""Loads what each viewer sees before any failure: private data and whole screens."""

import asyncio
from collections.abc import Iterable

from tests.chaos.checks import Viewer
from tests.chaos.clients import PRODUCTS
from tests.chaos.purchases import all_of
from tests.chaos.screens import reads
from tests.processes.client import ask
from tests.processes.site import Shop

CHEAP = 10_000
"""Cents: a full cart of such products stays within the limit of a card."""


async def load_viewers(shop: Shop, numbers: tuple[int, ...], *, screens: bool) -> list[Viewer]:
    """Return viewers with their private data; with `screens` also each of their screens."""
    viewers = []
    for number in numbers:
        viewer = Viewer(number, await asyncio.to_thread(_marks_of, shop, number))
        if screens:
            viewer.screens = await _screens_of(shop, viewer)
        viewers.append(viewer)
    return viewers


def cheap_skus(shop: Shop, readers: Iterable[Viewer]) -> tuple[str, ...]:
    """Return cheap SKUs with much stock, none of which is on a reader's screen."""
    shown = b"".join(body for reader in readers for body in reader.screens.values())
    ids = ",".join(str(one) for one in range(2001, 2101) if f'"{one}"'.encode() not in shown)
    prices = shop.services["pricing"].ask("GET", f"/prices?ids={ids}")["items"]
    cheap = {one["product_id"] for one in prices if one["price"]["amount"] <= CHEAP}
    stock = shop.services["inventory"].ask("GET", f"/stock?ids={','.join(sorted(cheap))}")["items"]
    skus = [sku for product in stock for sku in product["skus"]]
    skus.sort(key=lambda sku: -sku["available"])
    return tuple(sku["sku"] for sku in skus[:3])


async def _screens_of(shop: Shop, viewer: Viewer) -> dict[tuple[str, str], bytes]:
    found = {}
    for request in reads(PRODUCTS):
        answer = await ask(
            shop.gateways[request.gateway].port,
            request.path,
            method=request.method,
            headers={**viewer.headers, **request.headers},
            body=request.body,
        )
        assert answer.status == 200, f"{request.name}: {answer.body!r}"
        found[request.gateway, request.name] = answer.body
    return found


def _marks_of(shop: Shop, number: int) -> frozenset[bytes]:
    user = shop.services["users"].ask("GET", f"/users/{number}")
    orders = all_of(shop.services["orders"], f"/orders?customer_id={number}")
    return frozenset({user["email"].encode(), *(order["number"].encode() for order in orders)})
