"""Changing many prices at once on the desktop: each change's outcome is reported."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from bff_core.testing import hang, reply
from tests.bffs.in_process import SCRIPTS


def price_of(mocks, product_id: str) -> list[dict]:
    """Return what the variants of a product cost, as pricing says."""
    return mocks.get("pricing", f"/prices/{product_id}").json()["variants"]


def change(sku: str, amount: int, currency: str = "EUR") -> dict:
    """Return one item of a batch."""
    return {"sku": sku, "price": {"amount": amount, "currency": currency}}


@pytest.fixture
def variants(mocks) -> Iterator[list[dict]]:
    """Return variants whose prices are put back afterwards."""
    before = [variant for product in ("42", "43", "44") for variant in price_of(mocks, product)]
    yield before
    for variant in before:
        path = f"/skus/{variant['sku']}/price"
        assert mocks._ask("pricing", "PUT", path, json=variant["price"]).status_code == 200


async def test_each_change_is_reported(open_gateway, mocks, variants):
    """Done, unknown, too steep, no price at all, twice: in the order they were sent."""
    first, second = variants[0], variants[-1]
    cheaper = first["price"]["amount"] * 3 // 4
    wanted = [
        change(first["sku"], cheaper),
        change("nonsense", 100),
        change(second["sku"], 1),
        change(variants[1]["sku"], 100, "USD"),
        change(first["sku"], cheaper + 1),
    ]

    async with open_gateway("desktop", viewer="9") as client:
        answer = await client.post("/v1/prices/bulk", json={"items": wanted})

    report = answer.json()
    assert answer.status_code == 207
    assert [item["key"] for item in report["items"]] == [item["sku"] for item in wanted]
    assert [item["status"] for item in report["items"]] == [200, 404, 409, 422, 409]
    assert (report["done"], report["failed"], report["not_attempted"]) == (1, 4, 0)
    assert report["items"][0]["result"]["product_id"] == "42"
    assert "more than 50%" in report["items"][2]["problem"]["detail"]
    assert report["items"][4]["problem"]["code"] == "duplicate_item"
    assert price_of(mocks, "42")[0]["price"]["amount"] == cheaper


async def test_a_batch_is_done_in_a_bounded_number_of_calls(open_gateway, variants):
    """One call per change, and none for what is refused beforehand."""
    wanted = [change(one["sku"], one["price"]["amount"]) for one in variants]

    async with open_gateway("desktop", viewer="9") as client:
        answer = await client.post("/v1/prices/bulk", json={"items": wanted})
        called = [call.operation for call in client.calls]
        many = await client.post("/v1/prices/bulk", json={"items": (wanted * 200)[:201]})

    assert answer.json()["done"] == len(variants)
    assert called == ["PUT /skus/{sku}/price"] * len(variants)
    assert many.status_code == 422


async def test_changes_after_the_deadline_are_reported(open_gateway):
    """A service that hangs costs the items under way, and those behind them are not attempted."""
    wanted = [change(f"nonsense-{number}", 100) for number in range(20)]
    async with open_gateway("desktop", viewer="9", pricing=hang()) as client:
        answer = await client.post(
            "/v1/prices/bulk", json={"items": wanted}, headers={"Request-Timeout": "0.5"}
        )

    report = answer.json()
    codes = [item["problem"]["code"] for item in report["items"]]
    assert (answer.status_code, report["done"]) == (207, 0)
    assert codes == ["timeout"] * 8 + ["not_attempted"] * 12


async def test_a_batch_is_safe_to_send_again(open_gateway, variants):
    """Under its key: what was open is tried again, then what is settled is said again."""
    wanted = {"items": [change(variants[0]["sku"], variants[0]["price"]["amount"])]}
    key = {"Idempotency-Key": str(uuid4())}
    async with open_gateway("desktop", viewer="9") as client:
        client.services["pricing"].then(reply(503))
        broken = await client.post("/v1/prices/bulk", json=wanted, headers=key)
        client.services["pricing"].then(SCRIPTS["pricing"])
        again = await client.post("/v1/prices/bulk", json=wanted, headers=key)
        client.calls.clear()
        replayed = await client.post("/v1/prices/bulk", json=wanted, headers=key)

    assert [answer.json()["done"] for answer in (broken, again, replayed)] == [0, 1, 1]
    assert replayed.headers["idempotency-replayed"] == "true"
    assert not client.calls


async def test_prices_are_changed_by_somebody(open_gateway):
    """An anonymous caller changes nothing."""
    async with open_gateway("desktop", viewer=None) as client:
        answer = await client.post("/v1/prices/bulk", json={"items": [change("42-BLK-M", 1)]})

    assert answer.status_code == 401


async def test_a_row_shows_the_price_of_its_own_variant(open_gateway, mocks, variants):
    """Who makes a variant dearer sees it, although other variants are still cheaper."""
    sku = mocks.get("catalog", "/products/42").json()["default_sku"]
    before = next(one["price"]["amount"] for one in variants if one["sku"] == sku)
    dearer = before * 5 // 4
    async with open_gateway("desktop", viewer="9") as client:
        rows = (await client.get("/v1/products/42")).json()["facts"]
        await client.post("/v1/prices/bulk", json={"items": [change(sku, dearer)]})
        changed = (await client.get("/v1/products/42")).json()["facts"]

    assert (rows["sku"], rows["price"]["price"]["amount"]) == (sku, before)
    assert changed["price"]["price"]["amount"] == dearer
    assert mocks.get("pricing", "/prices/42").json()["price"]["amount"] < dearer
