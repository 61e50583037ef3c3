"""The mobile gateway: small answers, and screens that outlive their services."""

import pytest

from bff_core.testing import assert_complete, assert_size, reply

pytestmark = pytest.mark.virtual_time

HOME_CALLS = {
    "users": 1,
    "catalog": 1,
    "pricing": 2,
    "orders": 1,
    "cart": 1,
    "recommendations": 1,
}


async def test_home_calls_only_what_it_shows(open_gateway):
    """Data that the phone does not show is not requested; what is shown comes in parallel."""
    async with open_gateway("mobile") as client:
        answer = await client.get("/v1/home")

    assert_complete(answer)
    assert_size(answer, at_most=6 * 1024)
    assert client.calls.counts == HOME_CALLS
    client.calls.assert_parallel("users", "orders", "cart", "recommendations")


@pytest.mark.parametrize("path", ["home", "orders", "orders/10001", "cart"])
async def test_personal_screens_need_somebody(open_gateway, path):
    """Without a sign-in, home is a 401: a problem with a challenge."""
    async with open_gateway("mobile", viewer=None) as client:
        answer = await client.get(f"/v1/{path}")

    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_products_are_found_page_by_page(open_gateway):
    """A cursor leads through all pages without repeating a product."""
    ids: list[str] = []
    async with open_gateway("mobile") as client:
        cursor: str | None = ""
        while cursor is not None and len(ids) < 60:
            page = (await client.get("/v1/products", params={"limit": 20, "cursor": cursor})).json()
            ids += [item["id"] for item in page["items"]]
            cursor = page["next"]

    assert len(ids) == len(set(ids)) == 60


async def test_products_speak_the_clients_language(open_gateway):
    """The answer is in the requested language, and varies by it."""
    async with open_gateway("mobile") as client:
        german = await client.get("/v1/products/42", headers={"accept-language": "de-AT, en;q=0.5"})
        english = await client.get("/v1/products/42", headers={"accept-language": "nl"})

    assert german.json()["text"] != english.json()["text"]
    assert "Accept-Language" in german.headers["vary"]


async def test_pictures_fit_the_declared_width(open_gateway):
    """A narrow phone gets narrow pictures."""
    async with open_gateway("mobile") as client:
        narrow = await client.get("/v1/products/42", headers={"sec-ch-viewport-width": "300"})
        wide = await client.get("/v1/products/42?width=1200")

    assert narrow.json()["images"][0].endswith("320w.svg")
    assert wide.json()["images"][0].endswith("1280w.svg")


async def test_unknown_product_is_404(open_gateway):
    """What the catalog does not have can't be shown."""
    async with open_gateway("mobile") as client:
        answer = await client.get("/v1/products/999999")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_orders_of_others_do_not_exist(open_gateway, mocks):
    """Another customer's order looks like one that was never placed."""
    other = mocks.get("orders", "/orders?customer_id=2&limit=1").json()["items"][0]["id"]
    own = mocks.get("orders", "/orders?customer_id=1&limit=1").json()["items"][0]["id"]

    async with open_gateway("mobile") as client:
        mine = await client.get(f"/v1/orders/{own}")
        theirs = await client.get(f"/v1/orders/{other}")
        nobodys = await client.get("/v1/orders/999999")

    assert mine.json()["order"]["id"] == own
    unlike = {"request_id", "trace_id"}
    actual, expected = (
        {name: value for name, value in answer.json().items() if name not in unlike}
        for answer in (theirs, nobodys)
    )
    assert actual == expected
    assert theirs.status_code == 404


async def test_cart_can_be_changed(open_gateway, mocks):
    """A quantity that is set is there, with what the thing is and costs."""
    stock = mocks.get("inventory", "/stock?ids=1,2,3,4,5,6,7,8").json()["items"]
    sku = next(one["sku"] for item in stock for one in item["skus"] if one["available"] > 5)

    async with open_gateway("mobile") as client:
        changed = await client.put(f"/v1/cart/items/{sku}", json={"quantity": 2})
        shown = await client.get("/v1/cart")

    assert changed.status_code == 200
    [line] = [line for line in shown.json()["lines"] if line["sku"] == sku]
    assert (line["quantity"], line["price"]["currency"]) == (2, "EUR")
    assert line["title"] != sku


async def test_a_product_can_be_bought_in_each_variant(open_gateway, mocks):
    """Each has a label in the viewer's language; the first one is shown."""
    product = mocks.get("catalog", "/products/42?locale=de").json()
    labels = {
        (option["name"], value["id"]): value["label"]
        for option in product["options"]
        for value in option["values"]
    }
    stock = {
        one["sku"]: one["status"] for one in mocks.get("inventory", "/stock/42").json()["skus"]
    }
    (price,) = mocks.get("pricing", "/prices?ids=42").json()["items"]
    costs = {one["sku"]: one["price"] for one in price["variants"]}

    async with open_gateway("mobile") as client:
        shown = (await client.get("/v1/products/42", headers={"accept-language": "de"})).json()

    assert shown["sku"] == product["default_sku"] == shown["variants"][0]["sku"]
    assert shown["variants"] == [
        {
            "sku": one["sku"],
            "label": ", ".join(labels[pair] for pair in one["options"].items()),
            "price": {**costs[one["sku"]], "discount_percent": price["discount_percent"]},
            "stock": stock[one["sku"]],
        }
        for one in product["variants"]
    ]


async def test_a_cart_adds_up_to_what_its_order_costs(open_gateway):
    """A line has the price of its variant, not of the cheapest one."""
    async with open_gateway("mobile") as client:
        cart = (await client.get("/v1/cart")).json()
        checkout = (await client.get("/v1/checkout")).json()

    total = sum(line["price"]["amount"] * line["quantity"] for line in cart["lines"])
    assert total == checkout["totals"]["subtotal"]["amount"]


async def test_variants_without_inventory_have_no_stock(open_gateway):
    """They can be put into the cart all the same."""
    async with open_gateway("mobile", inventory=reply(500)) as client:
        shown = (await client.get("/v1/products/42")).json()

    assert shown["stock"] is None
    assert shown["variants"]
    assert {one["stock"] for one in shown["variants"]} == {None}


async def test_a_variant_can_be_taken_out_of_the_cart(open_gateway, mocks):
    """The answer is the cart without it; a second time there is none to take out."""
    stock = mocks.get("inventory", "/stock?ids=1,2,3,4,5,6,7,8").json()["items"]
    sku = next(one["sku"] for item in stock for one in item["skus"] if one["available"] > 5)

    async with open_gateway("mobile", viewer="12") as client:
        filled = (await client.put(f"/v1/cart/items/{sku}", json={"quantity": 3})).json()
        left = await client.request("DELETE", f"/v1/cart/items/{sku}")
        again = await client.request("DELETE", f"/v1/cart/items/{sku}")

    assert left.status_code == 200
    assert left.json()["count"] == filled["count"] - 3
    assert sku not in {line["sku"] for line in left.json()["lines"]}
    assert again.status_code == 404


async def test_checkout_shows_costs_and_ways_to_pay(open_gateway, mocks):
    """What the purchase takes is there: the cart, its sums, stored payment methods."""
    methods = mocks.get("payments", "/payment-methods?customer_id=1").json()["items"]

    async with open_gateway("mobile") as client:
        shown = (await client.get("/v1/checkout")).json()
        cart = (await client.get("/v1/cart")).json()
    totals = {name: money["amount"] for name, money in shown["totals"].items()}

    assert shown["cart"] == cart
    assert totals["total"] == totals["subtotal"] + totals["shipping"]
    assert 0 < totals["tax"] < totals["total"]
    assert shown["payment_methods"] == [
        {name: method[name] for name in ("id", "label", "is_default")} for method in methods
    ]


async def test_checkout_of_an_empty_cart_costs_nothing_to_show(open_gateway, mocks):
    """There are no totals, and orders is not called."""
    mocks.send("cart", "DELETE", "/carts/13")

    async with open_gateway("mobile", viewer="13") as client:
        shown = await client.get("/v1/checkout")

    assert shown.json()["cart"] == {"count": 0, "lines": []}
    assert shown.json()["totals"] is None
    assert "orders" not in client.calls.counts


async def test_categories_are_where_browsing_starts(open_gateway):
    """Each has a picture, and its id finds products."""
    async with open_gateway("mobile", viewer=None) as client:
        found = (await client.get("/v1/categories?width=320")).json()["items"]
        totals = [
            (await client.get(f"/v1/products?limit=1&category={one['id']}")).json()["total"]
            for one in found
        ]

    assert [one["id"] for one in found][:2] == ["clothing", "footwear"]
    assert all(one["image"].endswith("/320w.svg") for one in found)
    assert all(total > 50 for total in totals)


@pytest.mark.parametrize(
    ("sku", "quantity", "status"),
    [("nothing", 1, 404), ("42", 0, 422), ("42", 100, 422)],
)
async def test_wrong_changes_of_the_cart_are_refused(open_gateway, sku, quantity, status):
    """An unknown thing is 404, a quantity out of range 422; nothing is sent on for the latter."""
    async with open_gateway("mobile") as client:
        answer = await client.put(f"/v1/cart/items/{sku}", json={"quantity": quantity})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_products_are_searched_and_browsed(open_gateway, mocks):
    """Words and categories narrow the list as the catalog would."""
    found = mocks.get("catalog", "/products?q=tent&limit=50").json()
    within = mocks.get("catalog", "/products?category=tents&limit=50").json()

    async with open_gateway("mobile") as client:
        searched = (await client.get("/v1/products?q=tent&limit=50")).json()
        browsed = (await client.get("/v1/products?category=tents&limit=50")).json()

    assert [card["id"] for card in searched["items"]] == [one["id"] for one in found["items"]]
    assert [card["id"] for card in browsed["items"]] == [one["id"] for one in within["items"]]
    assert 0 < browsed["total"] < 2000


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=51", "limit=many", "cursor=made-up", f"q={'x' * 101}"]
)
async def test_wrong_questions_are_422(open_gateway, query):
    """A page that can't be is refused, by us or by the service that made the cursor."""
    async with open_gateway("mobile") as client:
        answer = await client.get(f"/v1/products?{query}")

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_more_than_there_is_can_not_go_into_the_cart(open_gateway, mocks):
    """What the cart service refuses comes through with its status and its words."""
    stock = mocks.get("inventory", f"/stock?ids={','.join(map(str, range(1, 60)))}").json()
    sku = next(
        one["sku"] for item in stock["items"] for one in item["skus"] if one["available"] == 0
    )

    async with open_gateway("mobile") as client:
        answer = await client.put(f"/v1/cart/items/{sku}", json={"quantity": 5})

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_cart_of_one_is_not_the_cart_of_another(open_gateway, mocks):
    """Each viewer changes and sees a cart of their own."""
    before = mocks.get("cart", "/carts/7").json()["lines"]
    stock = mocks.get("inventory", "/stock?ids=90,91,92,93").json()["items"]
    sku = next(one["sku"] for item in stock for one in item["skus"] if one["available"] > 5)

    async with open_gateway("mobile", viewer="8") as client:
        await client.put(f"/v1/cart/items/{sku}", json={"quantity": 3})
        other = {"authorization": "Bearer demo-7"}
        shown = (await client.get("/v1/cart", headers=other)).json()

    assert [line["sku"] for line in shown["lines"]] == [line["sku"] for line in before]
