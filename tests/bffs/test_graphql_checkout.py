"""Buying through GraphQL alone: what a client needs for it is in the schema, errors included."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

DECLINED = "0002"

SHELF = """{ products(search: "tent", first: 50) { items {
  title stock { variants { sku status available } } price { price { amount } } } } }"""
PUT = """mutation ($sku: String!, $n: Int!) {
  setCartItem(sku: $sku, quantity: $n) { count lines { sku quantity product { title } } } }"""
REMOVE = "mutation ($sku: String!) { removeCartItem(sku: $sku) { count } }"
CART = "{ cart { count lines { sku } } }"
METHODS = "{ home { paymentMethods { id kind label last4 } } }"
BUY = """mutation ($method: ID!) { checkout(paymentMethodId: $method) {
  id number status lines { sku quantity } totals { total { amount currency } }
  payment { status amount { amount } method { id label } } } }"""
ORDER = """query ($id: ID!) {
  order(id: $id) { id number lines { sku } payment { method { id } } }
  orders(first: 1) { items { id } } }"""


class Browser:
    """A client that knows nothing but the schema."""

    def __init__(self, client):
        self._client = client

    async def ask(self, query: str, key: str = "", **variables):
        """Send an operation; return its data and its errors."""
        headers = {"idempotency-key": key} if key else {}
        body = {"query": query, "variables": variables}
        answer = await self._client.post("/graphql", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return body["data"], body.get("errors", [])

    async def empty_cart(self) -> None:
        """Take everything out of the cart."""
        data, _ = await self.ask(CART)
        for line in data["cart"]["lines"]:
            await self.ask(REMOVE, sku=line["sku"])

    async def fill_cart(self, quantity: int = 1) -> str:
        """Put a tent that is in stock into the empty cart; return what it is."""
        await self.empty_cart()
        data, _ = await self.ask(SHELF)
        variants = [one for tent in data["products"]["items"] for one in tent["stock"]["variants"]]
        sku = next(one["sku"] for one in variants if one["available"] > 20)
        data, errors = await self.ask(PUT, sku=sku, n=quantity)
        assert not errors
        assert data["setCartItem"]["lines"][0]["sku"] == sku
        return sku

    async def method(self, *, declining: bool = False) -> str:
        """Return the id of a way to pay."""
        data, _ = await self.ask(METHODS)
        methods = data["home"]["paymentMethods"]
        return next(one["id"] for one in methods if (one["last4"] == DECLINED) is declining)


def failed(error) -> list[str]:
    """Return the steps that an error calls failed."""
    steps = error["extensions"]["steps"]
    return [one["step"] for one in steps if one["state"] == "failed"]


@contextmanager
def taken(mocks, sku: str) -> Iterator[None]:
    """Reserve all that there is of a variant for somebody else, for a while."""
    (stock,) = mocks.get("inventory", f"/stock?skus={sku}").json()["items"]
    left = next(one["available"] for one in stock["skus"] if one["sku"] == sku)
    portions = [min(99, left - start) for start in range(0, left, 99)]
    held = [
        mocks.send(
            "inventory",
            "POST",
            "/reservations",
            json={"lines": [{"sku": sku, "quantity": portion}]},
        ).json()["id"]
        for portion in portions
    ]
    yield
    for reservation in held:
        mocks.send("inventory", "DELETE", f"/reservations/{reservation}")


async def test_a_client_buys_through_graphql_alone(open_gateway):
    """From the shelf to the order's page, with the id of a payment method from the schema."""
    async with open_gateway("web", viewer="4") as client:
        browser = Browser(client)
        sku, method = await browser.fill_cart(2), await browser.method()
        data, errors = await browser.ask(BUY, key=str(uuid4()), method=method)
        bought = data["checkout"]
        shown, more = await browser.ask(ORDER, id=bought["id"])

    assert errors == more == []
    assert bought["lines"] == [{"sku": sku, "quantity": 2}]
    assert bought["payment"]["status"] == "captured"
    assert bought["payment"]["amount"]["amount"] == bought["totals"]["total"]["amount"]
    assert bought["payment"]["method"]["id"] == method
    assert shown["order"]["number"] == bought["number"]
    assert shown["orders"]["items"][0]["id"] == bought["id"]


async def test_one_key_buys_once(open_gateway):
    """A repeated mutation returns the same order, though the cart still holds the goods."""
    key = str(uuid4())
    async with open_gateway("web", viewer="4") as client:
        browser = Browser(client)
        await browser.fill_cart()
        method = await browser.method()
        client.calls.clear()
        first, _ = await browser.ask(BUY, key=key, method=method)
        again, errors = await browser.ask(BUY, key=key, method=method)

    assert errors == []
    assert again == first
    assert [call.operation for call in client.calls["payments"]].count("POST /charges") == 1


async def test_a_declined_payment_is_an_error_with_a_code(open_gateway):
    """The failed step distinguishes it from other conflicts; the message is for people."""
    async with open_gateway("web", viewer="1") as client:
        browser = Browser(client)
        await browser.fill_cart()
        declining = await browser.method(declining=True)
        data, errors = await browser.ask(BUY, key=str(uuid4()), method=declining)

    assert data == {"checkout": None}
    assert errors[0]["path"] == ["checkout"]
    assert "insufficient_funds" in errors[0]["message"]
    assert (errors[0]["extensions"]["code"], errors[0]["extensions"]["status"]) == ("conflict", 409)
    assert failed(errors[0]) == ["charge"]


async def test_goods_that_are_gone_are_an_error_with_a_code(open_gateway, mocks):
    """Somebody else was quicker between the cart and the checkout: no money is taken."""
    async with open_gateway("web", viewer="4") as client:
        browser = Browser(client)
        sku, method = await browser.fill_cart(), await browser.method()
        with taken(mocks, sku):
            client.calls.clear()
            data, errors = await browser.ask(BUY, key=str(uuid4()), method=method)

    assert data == {"checkout": None}
    assert (errors[0]["extensions"]["code"], errors[0]["extensions"]["status"]) == ("conflict", 409)
    assert failed(errors[0]) == ["reserve"]
    assert not client.calls["payments"]
