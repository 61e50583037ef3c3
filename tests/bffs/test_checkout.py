"""Buying: stock, money and order together, or nothing of it, and the answer says which."""

import re

import pytest

from bff_core import gateway
from bff_core.auth import DemoAuthenticator
from bffs.compositions.checkout import Checkout
from bffs.mobile.checkout import views
from bffs.scopes import demo_viewer
from bffs.services.carts import Carts
from bffs.services.inventory import Inventory
from bffs.services.orders import Orders
from bffs.services.payments import Payments

SERVICES = (Carts, Inventory, Payments, Orders)
CART = "/carts/3"
DECLINED = "0002"


@pytest.fixture
def cart(mocks):
    """Lay something that is in stock into the cart of customer 3."""
    found = mocks.get("inventory", "/stock?ids=1001,1002,1003,1004,1005,1006").json()["items"]
    sku = next(one["sku"] for stock in found for one in stock["skus"] if one["available"] > 20)
    mocks.send("cart", "DELETE", CART)
    mocks.send("cart", "PUT", f"{CART}/items/{sku}", json={"quantity": 2})
    return sku


def method(mocks, *, declining=False):
    """Return one of the customer's ways to pay."""
    methods = mocks.get("payments", "/payment-methods?customer_id=3").json()["items"]
    return next(one["id"] for one in methods if (one["last4"] == DECLINED) is declining)


def available(mocks, sku):
    """Return how much of a variant can be bought."""
    (stock,) = mocks.get("inventory", f"/stock?skus={sku}").json()["items"]
    return next(one["available"] for one in stock["skus"] if one["sku"] == sku)


def money(mocks):
    """Return what customer 3 has paid by charges, less refunds."""
    payments = mocks.get("payments", "/payments?customer_id=3&limit=100").json()["items"]
    taken = [one for one in payments if one["id"].startswith("pay-c")]
    return sum(one["amount"]["amount"] - one["refunded"]["amount"] for one in taken)


async def test_a_cart_is_bought(mocks, open_gateway, cart):
    """The order is placed, paid with its total, and its stock is taken."""
    before, paid = available(mocks, cart), money(mocks)
    async with open_gateway("mobile", viewer="3") as client:
        answer = await client.post("/v1/checkout", json={"payment_method_id": method(mocks)})

    assert answer.status_code == 201, answer.text
    order = mocks.get("orders", f"/orders/{answer.json()['id']}").json()
    assert order["customer_id"] == "3"
    assert [(line["sku"], line["quantity"]) for line in order["lines"]] == [(cart, 2)]
    assert money(mocks) - paid == order["totals"]["total"]["amount"]
    assert available(mocks, cart) == before - 2


async def test_a_purchase_reports_what_it_costs(mocks, open_gateway, cart):
    """The steps of the saga are calls of the request, too; a replayed answer costs nothing."""
    body = {"payment_method_id": method(mocks)}
    headers = {"Idempotency-Key": "checkout-costs-0123456789"}
    async with open_gateway("mobile", viewer="3") as client:
        answer = await client.post("/v1/checkout", json=body, headers=headers)
        again = await client.post("/v1/checkout", json=body, headers=headers)
    costs, replayed = (
        dict(re.findall(r'(calls|fetched);desc="(\d+)"', one.headers["server-timing"]))
        for one in (answer, again)
    )

    assert answer.status_code == 201, answer.text
    assert int(costs["calls"]) >= 4
    assert int(costs["fetched"]) > len(answer.content) / 2
    assert replayed == {"calls": "0", "fetched": "0"}


@pytest.mark.parametrize("name", ["mobile", "desktop"])
async def test_the_cart_is_empty_when_it_is_bought(mocks, open_gateway, cart, name):
    """What was bought is not offered for sale a second time."""
    async with open_gateway(name, viewer="3") as client:
        answer = await client.post("/v1/checkout", json={"payment_method_id": method(mocks)})

    assert answer.status_code == 201, answer.text
    assert mocks.get("cart", CART).json()["lines"] == []


async def test_a_purchase_does_not_fail_with_the_emptying_of_the_cart(mocks, open_gateway, cart):
    """It is bought, and the cart stays as it was."""
    async with open_gateway("mobile", viewer="3") as client:
        with mocks.fault("cart", kind="error", status=503, route="DELETE /carts/{customer_id}"):
            answer = await client.post("/v1/checkout", json={"payment_method_id": method(mocks)})

    assert answer.status_code == 201, answer.text
    assert [line["sku"] for line in mocks.get("cart", CART).json()["lines"]] == [cart]


async def test_one_key_buys_once(mocks, open_gateway, cart):
    """A repeated request gets the same answer, and nothing is bought again."""
    paid = money(mocks)
    body = {"payment_method_id": method(mocks)}
    headers = {"Idempotency-Key": "checkout-once-0123456789"}
    async with open_gateway("desktop", viewer="3") as client:
        first = await client.post("/v1/checkout", json=body, headers=headers)
        again = await client.post("/v1/checkout", json=body, headers=headers)

    assert first.status_code == 201, first.text
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert money(mocks) - paid == first.json()["payment"]["amount"]["amount"]


async def test_a_declined_card_leaves_nothing_behind(mocks, open_gateway, cart):
    """The stock that was held is put back, and the answer says so step by step."""
    before, paid = available(mocks, cart), money(mocks)
    async with open_gateway("mobile", viewer="3") as client:
        with mocks.fault("payments", kind="error", status=402, route="POST /charges"):
            answer = await client.post("/v1/checkout", json={"payment_method_id": method(mocks)})

    assert answer.status_code == 402, answer.text
    assert answer.json()["steps"] == [
        {"step": "quote", "state": "done"},
        {"step": "reserve", "state": "undone"},
        {"step": "charge", "state": "failed"},
        {"step": "place", "state": "not-started"},
    ]
    assert available(mocks, cart) == before
    assert money(mocks) == paid


async def test_an_order_that_is_refused_is_refunded(mocks, open_gateway, cart):
    """Money and stock go back when the order service refuses."""
    before, paid = available(mocks, cart), money(mocks)
    async with open_gateway("mobile", viewer="3") as client:
        with mocks.fault("orders", kind="error", status=409, route="POST /orders"):
            answer = await client.post("/v1/checkout", json={"payment_method_id": method(mocks)})

    assert answer.status_code == 409, answer.text
    states = {step["step"]: step["state"] for step in answer.json()["steps"]}
    assert states == {"quote": "done", "reserve": "undone", "charge": "undone", "place": "failed"}
    assert available(mocks, cart) == before
    assert money(mocks) == paid


async def test_an_empty_cart_is_not_bought(mocks, open_gateway, cart):
    """The answer is a 422, and no service got a write."""
    mocks.send("cart", "DELETE", CART)
    async with open_gateway("mobile", viewer="3") as client:
        answer = await client.post("/v1/checkout", json={"payment_method_id": "pm-3-1"})

    assert answer.status_code == 422
    assert answer.json()["detail"] == "The cart is empty."


async def test_buying_requires_a_sign_in(open_gateway):
    """An anonymous caller gets a 401."""
    async with open_gateway("mobile", viewer=None) as client:
        answer = await client.post("/v1/checkout", json={"payment_method_id": "pm-3-1"})

    assert answer.status_code == 401


async def test_the_journal_holds_no_secrets(mocks, open_gateway, cart, tmp_path):
    """It knows who bought what, and nothing by which somebody could buy again."""
    token, key, path = "Bearer demo-3", "checkout-secret-0123456789", tmp_path / "journal.sqlite3"

    def make_app():
        authenticator = DemoAuthenticator(env="development", viewer=demo_viewer)
        return gateway(
            "shop",
            services=SERVICES,
            faces=[views],
            sagas=[Checkout],
            authenticator=authenticator,
            demo=demo_viewer,
        )

    environ = {"BFF_JOURNAL_URL": f"sqlite:///{path}"}
    async with open_gateway(make_app, viewer="3", environ=environ) as client:
        answer = await client.post(
            "/v1/checkout",
            json={"payment_method_id": method(mocks)},
            headers={"authorization": token, "idempotency-key": key},
        )
        held = b"".join(one.read_bytes() for one in tmp_path.iterdir())

    assert answer.status_code == 201
    assert b'"subject":"3"' in held.replace(b"\\", b"")
    assert not any(secret in held for secret in (b"demo-3", b"Bearer", key.encode()))


CHECKOUT = "mutation ($m: ID!) { checkout(paymentMethodId: $m) { id totals { total { amount } } } }"


async def test_a_browser_buys_by_mutation(mocks, open_gateway, cart):
    """The mutation returns the order, or an error that says what became of each step."""
    query = {"query": CHECKOUT, "variables": {"m": method(mocks)}}
    async with open_gateway("web", viewer="3") as client:
        bought = await client.post("/graphql", json=query)
        mocks.send("cart", "PUT", f"{CART}/items/{cart}", json={"quantity": 1})
        with mocks.fault("payments", kind="error", status=409, route="POST /charges"):
            refused = await client.post("/graphql", json=query)

    assert bought.json()["data"]["checkout"]["totals"]["total"]["amount"] > 0, bought.text
    (error,) = refused.json()["errors"]
    assert error["extensions"]["status"] == 409
    assert {"step": "reserve", "state": "undone"} in error["extensions"]["steps"]
