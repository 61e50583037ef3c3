"""What the reference gateways answer while a service is down, slow, or sends garbage or nothing.

The outcomes are in `outcomes`; `pytest --bff-record tests/bffs/test_failures.py` records them.
"""

import json
from pathlib import Path

import pytest

from bff_core.testing import client, failure_matrix, reply
from bffs.compositions.cart import CartPage
from bffs.compositions.categories import CategoryList
from bffs.compositions.home import Home
from bffs.compositions.orders import OrderList
from bffs.compositions.product import ProductPage
from bffs.compositions.products import ProductList
from tests.bffs.in_process import SCRIPTS

MOBILE, DESKTOP, WEB = (f"bffs.{name}.app:app" for name in ("mobile", "desktop", "web"))
OUTCOMES = Path("outcomes")
PRODUCT_PAGE = """
query Page($id: ID!) {
  product(id: $id) {
    title price { price { amount } } stock { status } rating { average } reviews { title }
    related { id price { price { amount } } stock { status } rating { average } }
  }
}
"""


def matrix(name, app, screen, request, *not_called, allow=()):
    """Return the failure matrix of a screen, whose outcomes are recorded under a name."""
    return failure_matrix(
        app,
        screen,
        request=request,
        traffic=SCRIPTS,
        viewer="1",
        not_called=not_called,
        allow=allow,
        snapshot=OUTCOMES / f"{name}.json",
    )


test_home = matrix("home", MOBILE, Home, "GET /v1/home", "inventory", "payments", "reviews")
test_products = matrix(
    "products", MOBILE, ProductList, "GET /v1/products?limit=5", "inventory", "reviews"
)
test_product = matrix("product", MOBILE, ProductPage, "GET /v1/products/42")
test_cart = matrix(
    "cart", MOBILE, CartPage, "GET /v1/cart", "inventory", "orders", "payments", "reviews"
)
# Prices have the currency as well, so that the matrix can't tell that it is lost with the totals.
test_checkout = matrix(
    "checkout",
    MOBILE,
    CartPage,
    "GET /v1/checkout",
    *("inventory", "reviews"),
    allow=[f"orders-{failure}" for failure in ("down", "slow", "garbage", "empty")],
)
test_categories = matrix("categories", MOBILE, CategoryList, "GET /v1/categories")
test_dashboard = matrix("dashboard", DESKTOP, Home, "GET /v1/dashboard")
test_orders = matrix("orders", DESKTOP, OrderList, "GET /v1/orders?limit=5", "pricing", "reviews")
test_web_product = matrix(
    "web_product", WEB, ProductPage, lambda c: c.graphql(PRODUCT_PAGE, id="42")
)

OPTIONAL = {
    "home": {"catalog", "pricing", "orders", "cart", "recommendations"},
    "products": {"pricing"},
    "product": {"pricing", "inventory", "reviews"},
    "checkout": {"catalog", "pricing", "orders", "payments"},
    "dashboard": {"catalog", "pricing", "inventory", "orders", "cart", "payments", "reviews",
                  "recommendations"},
    "orders": {"catalog", "inventory", "payments", "users"},
}  # fmt: skip
"""The services without which a screen is shown."""


@pytest.mark.parametrize("screen", OPTIONAL)
def test_screens_outlive_what_they_only_show(screen):
    """Whatever is wrong with an optional service, the answer is a 200 that says what is missing."""
    path = Path(__file__).parent / OUTCOMES / f"{screen}.json"
    outcomes = json.loads(path.read_text())

    found = {
        service
        for failure, outcome in outcomes.items()
        for service, _, _ in [failure.rpartition("-")]
        if outcome.startswith("200 ") and outcome != "200 complete"
    }
    assert found == OPTIONAL[screen]


@pytest.mark.virtual_time
async def test_an_answer_without_a_part_is_not_stored():
    """A phone shows the missing part as soon as its service is back."""
    async with client(MOBILE, SCRIPTS, viewer="1", recommendations=reply(500)) as c:
        answer = await c.get("/v1/home")

    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["picks"] == []
