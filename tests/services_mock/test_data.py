"""The data: as much of it, as varied, as consistent and as repeatable as promised."""

import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from services_mock.data import (
    categories,
    goods,
    order_index,
    orders,
    payments,
    prices,
    products,
    reviews,
    stock,
    users,
)

ROOT = Path(__file__).parents[2]

DIGEST = """
import hashlib, msgspec
from services_mock.data import carts, orders, payments, prices, products, reviews, stock, users
from services_mock.data import recommendations
records = [
    *(users.user(str(n)) for n in (1, 77, 320)),
    *(products.product(str(n), locale) for n in (2400, 42) for locale in ("fr", "en")),
    *(prices.price(str(n)) for n in (5, 6)), stock.stock("9", {}), carts.cart("1"),
    *(orders.order(str(n)) for n in (15600, 10001)), payments.payment("pay-10010"),
    *map(reviews.summary, ("1", "2")), recommendations.recommendations("3", "cart"),
]
print(hashlib.sha256(msgspec.json.encode(records)).hexdigest())
"""


def digest(**environment: str) -> str:
    """Build records in a fresh process and return their digest."""
    return subprocess.run(
        [sys.executable, "-c", DIGEST],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_data_is_the_same_in_every_process_and_differs_by_seed():
    """A run can be repeated, whatever the order of hashes; another seed is another shop."""
    first = digest(PYTHONHASHSEED="1")
    second = digest(PYTHONHASHSEED="2")
    other = digest(SERVICES_SEED="7")

    assert first == second
    assert other != first


def test_there_is_as_much_as_promised():
    """The shop is large enough to page, search and export."""
    rows = order_index.placed()

    assert len(goods.everything()) == 2400
    assert len(users.everyone()) == 320
    assert len(rows) == 5600
    assert len({row.customer_id for row in rows}) > 300
    assert sum(map(reviews.count, (item.id for item in goods.everything()))) > 10_000


def test_reviews_have_a_long_tail():
    """A few products have hundreds, the typical one a handful, some none."""
    counts = sorted(reviews.count(item.id) for item in goods.everything())

    assert counts[-1] >= 500
    assert 1 <= statistics.median(counts) <= 6
    assert counts.count(0) > 50
    assert sum(counts[-120:]) > sum(counts[:-120]) / 2


def test_ratings_differ_between_products():
    """Some products are loved, some divide, some are poor."""
    averages = [reviews.summary(item.id).average for item in goods.everything()]
    known = [average for average in averages if average is not None]

    assert min(known) < 3 < statistics.mean(known) < max(known)
    assert averages.count(None) == sum(reviews.count(item.id) == 0 for item in goods.everything())


def test_a_summary_adds_up():
    """The histogram is the count, and the average follows from it."""
    best = max(goods.everything(), key=lambda item: reviews.count(item.id))
    summary = reviews.summary(best.id)
    stars = Counter(row.rating for row in reviews.rows(best.id))

    assert summary.histogram == {str(rating): stars[rating] for rating in range(1, 6)}
    assert sum(summary.histogram.values()) == summary.count
    assert summary.average == round(sum(r * n for r, n in stars.items()) / summary.count, 1)


def test_names_come_from_many_places():
    """Screens meet umlauts, diacritics, apostrophes and names of two words."""
    people = [users.user(user_id) for user_id in users.everyone()]
    signs = set("".join(user.name.full for user in people))

    assert len({user.country for user in people}) >= 10
    assert {user.locale for user in people} == {"en", "de", "fr"}
    assert len({user.name.full for user in people}) > 280
    assert {"é", "ø", "ł", "ş", "ễ"} & signs >= {"é", "ł", "ş", "ễ"}
    assert all(user.email.isascii() and " " not in user.email for user in people)


def test_stock_and_prices_vary():
    """Some variants are gone, some nearly; some products are reduced."""
    skus = [variant.sku for item in goods.everything() for variant in item.variants]
    states = Counter(stock.status(stock.available(sku)) for sku in skus)
    reduced = [item.id for item in goods.everything() if prices.discount(item.id)]

    assert states["out_of_stock"] > 500
    assert states["low"] > 500
    assert states["in_stock"] > 10_000
    assert 200 < len(reduced) < 1000
    assert len(prices.deals()) > 100


@pytest.mark.parametrize("product_id", ["1", "42", "999", "2400"])
def test_prices_are_consistent(product_id):
    """The price is the cheapest variant's, below the list price by the stated discount."""
    price = prices.price(product_id)
    amounts = [variant.price.amount for variant in price.variants]

    assert price.price.amount == min(amounts)
    assert all(amount > 0 for amount in amounts)
    assert (price.list_price is None) == (price.discount_percent == 0)
    assert [variant.sku for variant in price.variants] == [
        variant.sku for variant in goods.good(product_id).variants
    ]


@pytest.mark.parametrize("row", order_index.placed()[::400], ids=lambda row: row.id)
def test_orders_add_up_and_were_paid(row):
    """Lines make the totals, totals the payment, and history leads to the status."""
    order = orders.order(row.id)
    totals = order.totals

    assert totals.subtotal.amount == sum(line.total.amount for line in order.lines)
    assert (
        totals.total.amount
        == totals.subtotal.amount - totals.discount.amount + totals.shipping.amount
    )
    assert all(line.unit_price.amount * line.quantity == line.total.amount for line in order.lines)
    assert all(goods.product_of(line.sku) == line.product_id for line in order.lines)
    assert order.history[-1].status == order.status
    assert [change.at for change in order.history] == sorted(change.at for change in order.history)
    assert order.payment_id is not None
    assert payments.payment(order.payment_id).amount == totals.total


def test_the_category_tree_has_three_levels():
    """Each product hangs on a leaf, and no leaf is empty."""
    levels = Counter(node.level for node in categories.NODES.values())
    filled = {item.category for item in goods.everything()}

    assert set(levels) == {1, 2, 3}
    assert filled == set(categories.LEAVES)


def test_payloads_are_of_realistic_sizes():
    """A product is some kilobytes, a page of a list some tens of them at most."""
    sizes = [len(msgspec.json.encode(products.product(str(n), "de"))) for n in range(1, 2400, 60)]
    listed = sum(len(msgspec.json.encode(products.summary(str(n), "de"))) for n in range(1, 21))

    assert min(sizes) > 4_000
    assert max(sizes) < 12_000
    assert 10_000 < listed < 30_000


HOME = [
    ("users", "/users/1"),
    ("orders", "/orders?customer_id=1&limit=5"),
    ("recommendations", "/recommendations?customer_id=1&limit=12"),
    ("cart", "/carts/1"),
    ("pricing", "/deals?limit=6"),
]


async def test_the_demo_viewers_home_is_worth_trimming(shop):
    """The services' data for one home screen is at least 40 KB, and none of it is empty."""
    answers = [await shop(name).get(target) for name, target in HOME]
    user, placed, recommended, cart, deals = (answer.json() for answer in answers)
    wanted = [item["product_id"] for item in recommended["items"] + deals["items"]]
    wanted += [line["product_id"] for line in cart["lines"]]
    joined = ",".join(dict.fromkeys(wanted))
    summaries = await shop("catalog").get("/products", params={"ids": joined})
    costs = await shop("pricing").get("/prices", params={"ids": joined})

    size = sum(len(answer.content) for answer in (*answers, summaries, costs))
    assert size >= 40_000
    assert user["loyalty"]["tier"] == "gold"
    assert placed["total"] >= 25
    assert cart["count"] >= len(cart["lines"]) >= 3
    assert len(deals["items"]) == 6
    assert summaries.json()["missing"] == costs.json()["missing"] == []


async def test_the_demo_viewer_can_pay_in_four_ways(shop):
    """One of them always fails, for the screens that show it."""
    page = (await shop("payments").get("/payment-methods", params={"customer_id": "1"})).json()

    assert [method["id"] for method in page["items"]] == ["pm-1-1", "pm-1-2", "pm-1-3", "pm-1-4"]
    assert [method["kind"] for method in page["items"]] == ["card", "paypal", "card", "sepa"]
    assert page["items"][2]["last4"] == "0002"
    assert page["items"][0]["is_default"]


def test_texts_are_text():
    """No placeholder is left in what a customer reads."""
    texts = json.dumps([str(products.product(str(n), "de")) for n in range(1, 200, 7)])

    assert "{" not in texts.replace("{'color'", "")
    assert "orem ipsum" not in texts
