"""The requests of clients: every screen of the three gateways, some of them as lines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

JSON = {"content-type": "application/json"}
LINES = {"accept": "application/x-ndjson"}

HOME = """{ home { viewer { name email } cart { count } orders(first: 5) { number status }
  picks(first: 3) { trackingId product { title } } deals(first: 3) { badge product { title } }
  paymentMethods { label last4 } } }"""
PRODUCT = """query ($id: ID!) { product(id: $id) { title description price { listPrice { amount } }
  stock { available } rating { average } reviews(first: 2) { title }
  related(first: 3) { title } } }"""
ORDERS = """{ orders(first: 5) { total items { number status payment { status }
  lines { title quantity product { title } } } } viewer { email } }"""
SET_ITEM = """mutation ($sku: String!, $quantity: Int!) {
  setCartItem(sku: $sku, quantity: $quantity) { count lines { sku quantity } } }"""


Kind = Literal["read", "lines", "stream", "write", "buy", "bad"]


@dataclass(frozen=True)
class Request:
    """One request to a gateway; `name` identifies the screen.

    A `read` has the same whole answer each time, also as `lines`; a `stream` lasts as long as it
    takes and may be cut off; a `write` changes a cart and a `buy` places an order; a `bad` one is
    refused.
    """

    gateway: str
    name: str
    path: str
    kind: Kind = "read"
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    expected: object = None


def reads(products: tuple[int, ...]) -> list[Request]:
    """Return every screen that only reads; `products` are the ids of pages to look at."""
    rest = [
        Request("mobile", "home", "/v1/home"),
        Request("mobile", "orders", "/v1/orders"),
        Request("mobile", "cart", "/v1/cart"),
        Request("mobile", "list", "/v1/products?limit=5"),
        Request("desktop", "dashboard", "/v1/dashboard"),
        Request("desktop", "orders", "/v1/orders?limit=5"),
        Request("desktop", "list", "/v1/products?limit=5&q=light"),
        Request("desktop", "export", "/v1/orders/export", "stream"),
        Request("mobile", "home as lines", "/v1/home", "lines", headers=LINES),
        Request("desktop", "dashboard as lines", "/v1/dashboard", "lines", headers=LINES),
        _query("home", HOME),
        _query("orders", ORDERS),
    ]
    for one in products:
        rest += [
            Request("mobile", f"product {one}", f"/v1/products/{one}"),
            Request("desktop", f"product {one}", f"/v1/products/{one}"),
            _query(f"product {one}", PRODUCT, id=str(one)),
        ]
    return rest


def writes(sku: str, quantity: int) -> list[Request]:
    """Return the ways to put something into the cart."""
    path, body = f"/v1/cart/items/{sku}", json.dumps({"quantity": quantity}).encode()
    line = {"sku": sku, "quantity": quantity}
    over_rest = Request("mobile", "put", path, "write", "PUT", JSON, body, expected=line)
    over_graph = _query("set", SET_ITEM, kind="write", sku=sku, quantity=quantity)
    return [over_rest, Request(**{**vars(over_graph), "expected": line})]


BUY = """mutation ($method: ID!) { checkout(paymentMethodId: $method) { number } }"""


def purchases(method: str) -> list[Request]:
    """Return the ways to buy the contents of the cart."""
    body = json.dumps({"payment_method_id": method}).encode()
    over_rest = [
        Request(gateway, "checkout", "/v1/checkout", "buy", "POST", JSON, body)
        for gateway in ("mobile", "desktop")
    ]
    return [*over_rest, _query("checkout", BUY, kind="buy", method=method)]


TRAVERSALS = (
    "..%2f..%2fusers%2f1",
    "%2e%2e",
    "..%252fusers",
    "1%3fcustomer_id=1",
    "1%23",
    "%0d%0aX:1",
)


def bad() -> list[Request]:
    """Return malformed and forbidden requests; each of them is refused."""
    long = {"x-long": "a" * 40_000}
    deep = "{ home " + "{ viewer " * 60 + "}" * 60 + " }"
    return [
        Request("mobile", "nowhere", "/v1/nowhere", "bad"),
        Request("mobile", "method", "/v1/home", "bad", "DELETE"),
        Request(
            "mobile", "no JSON", "/v1/cart/items/1-BLK-M", "bad", "PUT", JSON, b'{"quantity": '
        ),
        Request("mobile", "out of range", "/v1/products?limit=999", "bad"),
        Request("mobile", "another's order", "/v1/orders/10001", "bad"),
        Request("desktop", "host", "/v1/dashboard", "bad", headers={"host": "evil.example"}),
        Request("desktop", "long", "/v1/dashboard", "bad", headers=long),
        Request("desktop", "timeout", "/v1/orders", "bad", headers={"request-timeout": "soon"}),
        Request(
            "desktop",
            "unknown token",
            "/v1/dashboard",
            "bad",
            headers={"authorization": "Bearer x"},
        ),
        Request("web", "no JSON", "/graphql", "bad", "POST", JSON, b"{"),
        _query("syntax", "{ home { ", kind="bad"),
        _query("deep", deep, kind="bad"),
        _query("unknown", "{ home { password } }", kind="bad"),
        *(Request("mobile", "traversal", f"/v1/products/{one}", "bad") for one in TRAVERSALS),
    ]


def _query(name: str, text: str, kind: Kind = "read", **variables: object) -> Request:
    body = json.dumps({"query": text, "variables": variables}).encode()
    return Request("web", name, "/graphql", kind, "POST", JSON, body)
