"""Viewers with some of the scopes: each sees what it may, and is shown what is withheld."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import pytest
from fastapi import Depends

from bff_core import ANYONE, Composition, Views, compose, gateway
from bff_core.testing import assert_parts, parts_of
from bffs.compositions.cart import CartPage
from bffs.compositions.checkout import Checkout
from bffs.compositions.home import Home
from bffs.compositions.orders import OrderExport, OrderList, OrderPage, Purchases
from bffs.compositions.prices import PriceList
from bffs.services.carts import Carts
from bffs.services.catalog import Catalog
from bffs.services.inventory import Inventory
from bffs.services.orders import Orders
from bffs.services.payments import Payments
from bffs.services.pricing import PriceChange, Pricing
from bffs.services.recommendations import Recommendations
from bffs.services.reviews import Reviews
from bffs.services.users import Users
from bffs.services.values import Money

CUSTOMERS = {"users", "orders", "cart", "payments", "recommendations"}
"""The services that hold what belongs to a customer."""

HOME = """{ home {
  viewer { name } orders { number } cart { count } picks { trackingId } paymentMethods { id }
  deals { badge product { title price { price { amount } } } }
} }"""
WITHHELD = ("viewer", "orders", "cart", "picks", "paymentMethods")


def bearer(*scopes: str) -> dict[str, str]:
    """Return the header of customer 1, with these scopes."""
    return {"authorization": f"Bearer demo-1?scope={'+'.join(scopes)}"}


OPENID = bearer("openid")


async def test_openid_alone_sees_the_catalogue_over_graphql(open_gateway):
    """Deals and products are there; each field of a customer's is null with an error of its own."""
    async with open_gateway("web", headers=OPENID) as client:
        answer = (await client.graphql(HOME)).json()

    home = answer["data"]["home"]
    errors = {tuple(error["path"]): error["extensions"] for error in answer["errors"]}
    assert home["deals"][0]["product"]["price"]["price"]["amount"] > 0
    assert {name: home[name] for name in WITHHELD} == dict.fromkeys(WITHHELD)
    assert errors == {("home", name): {"code": "not_allowed", "status": 403} for name in WITHHELD}
    assert client.calls.counts.keys().isdisjoint(CUSTOMERS)


@pytest.mark.parametrize(
    ("gateway", "path"),
    [
        ("mobile", "/v1/products?limit=3"),
        ("mobile", "/v1/products/42"),
        ("desktop", "/v1/products?limit=3"),
        ("desktop", "/v1/products/42"),
    ],
)
async def test_openid_alone_sees_the_catalogue_over_rest(open_gateway, gateway, path):
    """It is the same that anonymous viewers see, down to the last byte."""
    async with open_gateway(gateway, viewer=None) as client:
        answers = [await client.get(path, headers=headers) for headers in ({}, OPENID)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert client.calls.counts.keys().isdisjoint(CUSTOMERS)


@pytest.mark.parametrize(
    ("gateway", "path"), [("mobile", "/v1/home"), ("desktop", "/v1/dashboard")]
)
async def test_a_home_screen_shows_the_parts_that_it_may(open_gateway, gateway, path):
    """With the profile alone it greets; the parts that take other scopes are `forbidden`."""
    async with open_gateway(gateway, headers=bearer("profile:read")) as client:
        answer = await client.get(path)

    parts = parts_of(answer)
    refused = {name for name, state in parts.items() if state.startswith("forbidden")}
    assert answer.status_code == 200
    assert {parts["profile"], parts["deals"]} == {"ok"}
    assert {"orders", "cart", "picks"} <= refused <= {"orders", "cart", "picks", "payment_methods"}
    assert answer.json()["orders"] == answer.json()["picks"] == []
    assert client.calls.counts.keys() & CUSTOMERS == {"users"}


async def test_a_whole_home_screen_is_not_given_to_a_token_with_less(open_gateway):
    """What one token of a customer was shown is never reused for another that may see less."""
    query = {"query": HOME}
    async with open_gateway("mobile", headers=bearer("profile:read")) as client:
        more = {"authorization": "Bearer demo-1"}
        whole = [await client.get("/v1/home", headers=more) for _ in range(2)][-1]
        less = await client.get("/v1/home")
    async with open_gateway("web", headers=OPENID) as client:
        tagged = {"params": query}
        all_fields = [await client.get("/graphql", headers=more, **tagged) for _ in range(2)][-1]
        few_fields = await client.get("/graphql", **tagged)

    assert whole.json()["orders"]
    assert less.json()["orders"] == []
    assert all_fields.json()["data"]["home"]["orders"]
    assert few_fields.json()["data"]["home"]["orders"] is None


async def test_orders_hide_what_takes_another_scope(open_gateway, mocks):
    """With orders alone: no payment and no customer beside them, and the answer names both."""
    bought = mocks.get("orders", "/orders?customer_id=1&limit=1").json()["items"][0]["id"]
    query = {"query": "{ orders(first: 1) { items { number payment { status } } } }"}
    headers = bearer("orders:read")
    async with open_gateway("mobile", headers=headers) as client:
        page = await client.get(f"/v1/orders/{bought}")
    async with open_gateway("desktop", headers=headers) as client:
        wide = await client.get("/v1/orders?limit=1")
    async with open_gateway("web", headers=headers) as client:
        answer = (await client.post("/graphql", json=query)).json()

    assert page.json()["paid_with"] is None
    assert_parts(page, payment="forbidden")
    assert wide.json()["customer"] is wide.json()["items"][0]["payment"] is None
    assert_parts(wide, customer="forbidden")
    assert answer["data"]["orders"]["items"][0]["number"]
    assert [error["path"][-1] for error in answer["errors"]] == ["payment"]
    assert answer["errors"][0]["extensions"] == {"code": "not_allowed", "status": 403}


async def test_who_is_signed_in_is_null_for_anonymous_viewers(open_gateway):
    """A page may look whether somebody is signed in without an error."""
    met = []
    async with open_gateway("web", viewer=None) as client:
        for headers in ({}, OPENID, bearer("profile:read")):
            request = {"json": {"query": "{ viewer { id } }"}, "headers": headers}
            answer = (await client.post("/graphql", **request)).json()
            codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
            met.append((answer["data"]["viewer"], codes))

    assert met == [(None, []), (None, ["not_allowed"]), ({"id": "1"}, [])]


async def test_a_refused_write_changes_nothing(open_gateway):
    """With every scope for reading a cart stays as it was, and nothing is bought."""
    headers = bearer("profile:read", "orders:read", "cart:read", "payments:read")
    change = 'mutation { setCartItem(sku: "1-BLK-M", quantity: 1) { count } }'
    buy = 'mutation { checkout(paymentMethodId: "pm-1-1") { id } }'
    async with open_gateway("mobile", headers=headers) as mobile, open_gateway("web") as web:
        answers = [
            await mobile.put("/v1/cart/items/1-BLK-M", json={"quantity": 1}),
            await mobile.post("/v1/checkout", json={"payment_method_id": "pm-1-1"}),
        ]
        replies = [
            (await web.post("/graphql", json={"query": query}, headers=headers)).json()
            for query in (change, buy)
        ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert [one["errors"][0]["extensions"]["code"] for one in replies] == ["not_allowed"] * 2
    assert not mobile.calls
    assert not web.calls


SERVICES = (
    *(Users, Catalog, Pricing, Inventory, Orders),
    *(Carts, Payments, Reviews, Recommendations),
)
CHANGE = [PriceChange("nonsense", Money(1, "EUR"))]


async def exported(export: OrderExport) -> list[str]:
    """Return the ids of all orders."""
    return [order.id async for order in export.orders()]


SCREENS: list[tuple[type[Composition], str, str, Callable[[Any], Awaitable[object]]]] = [
    (Home, "profile:read", "users", lambda one: one.profile()),
    (Home, "orders:read", "orders", lambda one: one.orders()),
    (Home, "cart:read", "cart", lambda one: one.cart()),
    (Home, "recommendations:read", "recommendations", lambda one: one.picks()),
    (Home, "payments:read", "payments", lambda one: one.payment_methods()),
    (Purchases, "profile:read", "users", lambda one: one.customer()),
    (Purchases, "payments:read", "payments", lambda one: one.payment("pay-10001")),
    (OrderList, "orders:read", "orders", lambda one: one.page()),
    (OrderPage, "orders:read", "orders", lambda one: one.order()),
    (OrderExport, "orders:read", "orders", exported),
    (CartPage, "cart:read", "cart", lambda one: one.cart()),
    (CartPage, "cart:write", "cart", lambda one: one.set_quantity("nonsense", 1)),
    (CartPage, "cart:write", "cart", lambda one: one.remove("nonsense")),
    (PriceList, "prices:write", "pricing", lambda one: one.change(CHANGE)),
    (Checkout, "orders:write", "cart", lambda one: one.run()),
]


@pytest.mark.parametrize(("screen", "scope", "service", "use"), SCREENS)
async def test_a_new_route_over_an_old_screen_is_not_open(
    open_gateway, screen, scope, service, use
):
    """Though the route is for anyone, the screen fetches nothing for who lacks the scope."""
    views = Views(access=ANYONE)

    path = "/screen/{order_id}" if screen is OrderPage else "/screen"

    @views.post(path)
    async def post_screen(one: Annotated[Any, Depends(compose(screen))]) -> str:
        await use(one)
        return "done"

    sagas = [Checkout] if screen is Checkout else []

    def make_app():
        return gateway("new", services=SERVICES, faces=[views], sagas=sagas)

    fetched = []
    for headers in ({}, OPENID, bearer(scope)):
        environ = {"BFF_AUTH": "demo"}
        async with open_gateway(make_app, headers=headers, environ=environ) as client:
            body = {"payment_method_id": "none"}
            await client.post(path.format(order_id="10001"), json=body)
        fetched.append(set(client.calls.counts))

    assert fetched[:2] == [set(), set()]
    assert service in fetched[2]
