"""What the web shop shows of a variant: its words, its picture and its own price."""

import pytest

from bff_core.testing import reply

pytestmark = pytest.mark.virtual_time

LINES = "{ cart { lines { sku variant image { url } unitPrice { amount } product { id } } } }"
PRICES = (
    '{ product(id: "303") { price { price { amount } } variantPrices { sku price { amount } } } }'
)


async def answer_of(client, query):
    """Send a query; return the JSON of its answer."""
    answer = await client.post("/graphql", json={"query": query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def price_of(mocks, product_id, sku):
    """Return what the pricing service wants for a variant."""
    variants = mocks.get("pricing", f"/prices/{product_id}").json()["variants"]
    return next(one["price"]["amount"] for one in variants if one["sku"] == sku)


async def test_a_line_of_the_cart_shows_its_variant(open_gateway, mocks):
    """In words, in its colour, and with its own price instead of the cheapest."""
    async with open_gateway("web", viewer="21") as client:
        answer = await answer_of(client, LINES)
        called = client.calls.counts
    lines = answer["data"]["cart"]["lines"]
    products = {
        line["sku"]: mocks.get("catalog", f"/products/{line['product']['id']}").json()
        for line in lines
    }

    assert len(lines) > 1
    assert called["catalog"] == 2
    assert called["pricing"] == 1
    for line in lines:
        product, (_, colour, *_) = products[line["sku"]], line["sku"].split("-")
        label = next(one["label"] for one in product["options"][0]["values"] if one["id"] == colour)
        assert line["variant"].startswith(label)
        assert f"/{colour}/" in line["image"]["url"]
        assert line["unitPrice"]["amount"] == price_of(mocks, product["id"], line["sku"])


async def test_a_line_stays_without_what_is_not_known(open_gateway):
    """Words, picture and price are null while catalog and pricing are down; the line is there."""
    async with open_gateway("web", catalog=reply(500), pricing=reply(500), viewer="21") as client:
        answer = await answer_of(client, LINES)

    lines = answer["data"]["cart"]["lines"]
    parts = answer["extensions"]["parts"]
    assert len(lines) > 1
    for line in lines:
        assert [line[name] for name in ("variant", "image", "unitPrice")] == [None, None, None]
    assert {parts[name]["status"] for name in ("details", "price")} == {"fallback"}


async def test_each_variant_of_a_product_has_its_price(open_gateway, mocks):
    """The product's price is the lowest of them; both take one call."""
    async with open_gateway("web") as client:
        product = (await answer_of(client, PRICES))["data"]["product"]
        called = client.calls.counts
    amounts = {one["sku"]: one["price"]["amount"] for one in product["variantPrices"]}

    assert len(set(amounts.values())) > 1
    assert min(amounts.values()) == product["price"]["price"]["amount"]
    for sku, amount in amounts.items():
        assert amount == price_of(mocks, "303", sku)
    assert called["pricing"] == 1


async def test_prices_of_variants_are_an_empty_list_while_pricing_is_down(open_gateway):
    """The part says why."""
    async with open_gateway("web", pricing=reply(500)) as client:
        answer = await answer_of(client, PRICES)

    assert answer["data"]["product"] == {"price": None, "variantPrices": []}
    assert answer["extensions"]["parts"]["price"]["status"] == "fallback"
