"""Lists: filters, orders and cursors."""

import pytest

LISTS = [
    ("users", "/users", {}, "id", 320),
    ("users", "/users", {"sort": "name"}, "id", 320),
    ("users", "/users", {"sort": "-created_at"}, "id", 320),
    ("catalog", "/products", {"category": "outdoor"}, "id", None),
    ("catalog", "/products", {"sort": "newest", "tag": "winter"}, "id", None),
    ("catalog", "/products", {"sort": "title", "locale": "fr", "category": "kitchen"}, "id", None),
    ("pricing", "/deals", {}, "id", None),
    ("pricing", "/deals", {"sort": "ends_at"}, "id", None),
    ("orders", "/orders", {"customer_id": "1"}, "id", 48),
    ("orders", "/orders", {"customer_id": "2", "sort": "placed_at"}, "id", 1200),
    ("payments", "/payments", {"customer_id": "2"}, "id", None),
    ("payments", "/payment-methods", {}, "id", None),
    ("reviews", "/reviews", {"product_id": "BEST", "sort": "-rating"}, "id", 900),
    ("reviews", "/reviews", {"product_id": "BEST", "locale": "de"}, "id", None),
    ("recommendations", "/recommendations", {"customer_id": "1"}, "product_id", 60),
    ("recommendations", "/trending", {"category": "outdoor"}, "product_id", 60),
]


async def walk(service, path, params, *, limit=37):
    """Follow cursors to the end; return all items and the totals of the pages."""
    items, totals, cursor = [], set(), None
    while True:
        query = {**params, "limit": limit} | ({"cursor": cursor} if cursor else {})
        page = (await service.get(path, params=query)).json()
        items += page["items"]
        totals.add(page["total"])
        cursor = page["next_cursor"]
        if cursor is None:
            return items, totals


async def best_seller(shop) -> str:
    """Return the id of the product with the most reviews."""
    page = (await shop("catalog").get("/products", params={"limit": 1})).json()
    return page["items"][0]["id"]


@pytest.mark.parametrize(("name", "path", "params", "field", "total"), LISTS)
async def test_cursors_lead_through_everything_exactly_once(
    *, shop, name, path, params, field, total
):
    """Pages join to the whole list: nothing twice, nothing left out."""
    if params.get("product_id") == "BEST":
        params = params | {"product_id": await best_seller(shop)}

    items, totals = await walk(shop(name), path, params)

    found = [item[field] for item in items]
    assert len(found) == len(set(found))
    assert totals == {len(found)}
    assert len(found) > 37
    assert total in {None, len(found)}


@pytest.mark.parametrize(
    ("name", "path", "params", "key"),
    [
        (
            "orders",
            "/orders",
            {"customer_id": "2", "sort": "placed_at"},
            lambda item: item["placed_at"],
        ),
        ("pricing", "/deals", {"sort": "ends_at"}, lambda item: item["ends_at"]),
        ("pricing", "/deals", {"sort": "-discount"}, lambda item: -item["discount_percent"]),
        ("users", "/users", {"sort": "name"}, lambda item: item["name"]["family"].casefold()),
        (
            "catalog",
            "/products",
            {"category": "home", "sort": "title"},
            lambda item: item["title"].casefold(),
        ),
    ],
)
async def test_lists_have_the_requested_order(shop, name, path, params, key):
    """Sorting is the service's, over all pages."""
    items, _ = await walk(shop(name), path, params)

    keys = [key(item) for item in items]
    assert keys == sorted(keys)
    assert len(set(keys)) > 3


async def test_the_newest_orders_come_first(shop):
    """Without a wish, orders are listed backwards in time."""
    page = (await shop("orders").get("/orders", params={"customer_id": "1", "limit": 100})).json()

    placed = [order["placed_at"] for order in page["items"]]
    assert placed == sorted(placed, reverse=True)
    assert {order["customer_id"] for order in page["items"]} == {"1"}


async def test_a_cursor_survives_an_order_that_is_placed_meanwhile(shop):
    """Somebody who pages while others buy sees each order once."""
    orders = shop("orders")
    query = {"customer_id": "1", "limit": 10}
    first = (await orders.get("/orders", params=query)).json()
    wanted = {"customer_id": "1", "lines": [{"sku": await any_sku(shop), "quantity": 1}]}
    placed = (await orders.post("/orders", json=wanted)).json()

    second = (await orders.get("/orders", params=query | {"cursor": first["next_cursor"]})).json()
    again = (await orders.get("/orders", params=query)).json()

    ids = [order["id"] for order in first["items"] + second["items"]]
    assert len(set(ids)) == 20
    assert placed["id"] not in ids
    assert again["items"][0] == placed
    assert again["total"] == first["total"] + 1


async def any_sku(shop) -> str:
    """Return a SKU that exists."""
    return (await shop("catalog").get("/products/42")).json()["default_sku"]


@pytest.mark.parametrize("cursor", ["nonsense", "", "bm8", "WyJ4IiwgWzFdXQ", "é"])
async def test_a_cursor_that_is_none_is_refused(shop, cursor):
    """What did not come from the list is no position in it."""
    answer = await shop("orders").get("/orders", params={"cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


async def test_a_cursor_belongs_to_its_filter_and_order(shop):
    """A position in one list is none in another."""
    page = (await shop("orders").get("/orders", params={"customer_id": "1"})).json()
    cursor = page["next_cursor"]

    other = await shop("orders").get("/orders", params={"customer_id": "2", "cursor": cursor})
    reverse = await shop("orders").get(
        "/orders", params={"customer_id": "1", "sort": "placed_at", "cursor": cursor}
    )

    assert [other.json()["code"], reverse.json()["code"]] == ["invalid_cursor"] * 2


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"sort": "x"}])
async def test_a_window_out_of_range_is_refused(shop, params):
    """The problem names the parameter."""
    answer = await shop("catalog").get("/products", params=params)

    [error] = answer.json()["errors"]
    assert answer.status_code == 422
    assert error["loc"] == f"query.{next(iter(params))}"


async def test_orders_are_filtered_by_status_and_time(shop):
    """A list can be narrowed to a state and a span; the later end is not part of it."""
    whole = (await shop("orders").get("/orders", params={"customer_id": "2", "limit": 100})).json()
    middle = whole["items"][50]["placed_at"]
    query = {"customer_id": "2", "status": "delivered", "since": middle, "limit": 100}

    since = (await shop("orders").get("/orders", params=query)).json()
    until = (
        await shop("orders").get("/orders", params={"customer_id": "2", "until": middle})
    ).json()

    expected = [
        order["id"]
        for order in whole["items"]
        if order["placed_at"] >= middle and order["status"] == "delivered"
    ]
    assert [order["id"] for order in since["items"]] == expected
    assert expected
    assert until["items"][0]["placed_at"] < middle


async def test_payments_are_found_by_their_orders(shop):
    """A list of orders is joined with its payments by one call."""
    page = (await shop("orders").get("/orders", params={"customer_id": "1"})).json()
    wanted = [order["id"] for order in page["items"]]

    found = (
        await shop("payments").get("/payments", params={"order_ids": ",".join([*wanted, "x"])})
    ).json()

    paid = [order["id"] for order in page["items"] if order["payment_id"]]
    assert [payment["order_id"] for payment in found["items"]] == paid
    assert found["missing"] == [*(one for one in wanted if one not in paid), "x"]


async def test_first_reviews_of_many_products_come_in_one_call(shop):
    """Twelve related products cost the review service one call."""
    best = await best_seller(shop)
    query = {"product_ids": f"42,{best},unknown", "per_product": 2, "sort": "-created_at"}

    page = (await shop("reviews").get("/reviews", params=query)).json()
    alone = (
        await shop("reviews").get(
            "/reviews", params={"product_id": best, "sort": "-created_at", "limit": 2}
        )
    ).json()

    of_best = [review for review in page["items"] if review["product_id"] == best]
    assert of_best == alone["items"]
    assert len(of_best) == 2
    assert page["missing"] == ["unknown"]


async def test_stock_is_found_by_sku(shop):
    """A cart requests exactly its variants, grouped by product."""
    product = (await shop("catalog").get("/products/42")).json()
    skus = [variant["sku"] for variant in product["variants"][:2]]

    page = (
        await shop("inventory").get("/stock", params={"skus": ",".join([*skus, "42-X"])})
    ).json()

    [stock] = page["items"]
    assert [item["sku"] for item in stock["skus"]] == skus
    assert stock["available"] == sum(item["available"] for item in stock["skus"])
    assert page["missing"] == ["42-X"]
