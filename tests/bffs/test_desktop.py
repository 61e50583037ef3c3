"""The desktop gateway: wide answers joined in few calls, and a stream of everything."""

import asyncio
import json
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest

DEMO = {"authorization": "Bearer demo-1"}
BESIDE_THE_CUSTOMER = (
    "catalog",
    "pricing",
    "inventory",
    "orders",
    "cart",
    "payments",
    "reviews",
    "recommendations",
)
WHOLESALE = {"authorization": "Bearer demo-2"}


async def test_dashboard_is_made_of_many_services(open_gateway, mocks):
    """One request of the client, one answer, out of more than six services."""
    async with open_gateway("desktop") as client:
        mocks.forget()
        answer = await client.get("/v1/dashboard")

    counted = mocks.counted()
    assert answer.status_code == 200
    assert "=fallback" not in answer.headers["part-status"]
    assert sum(1 for calls in counted.values() if calls) >= 6
    assert max(counted.values()) <= 2
    assert {"customer", "cart", "orders", "payment_methods", "deals", "picks"} <= set(answer.json())


@pytest.mark.parametrize("service", BESIDE_THE_CUSTOMER)
async def test_dashboard_answers_without_an_optional_service(open_gateway, mocks, service):
    """If any service but the profiles' is down, the rest is shown and the loss is reported."""
    async with open_gateway("desktop") as client:
        with mocks.fault(service, kind="reset"):
            answer = await client.get("/v1/dashboard")

    assert answer.status_code == 200
    assert answer.json()["customer"]["id"] == "1"
    assert ";reason=unavailable" in answer.headers["part-status"]


async def test_order_pages_join_without_a_call_per_row(open_gateway, mocks):
    """Twenty orders with all their lines cost each service one call."""
    async with open_gateway("desktop") as client:
        mocks.forget()
        answer = await client.get("/v1/orders?limit=20")

    page, counted = answer.json(), mocks.counted()
    lines = [line for item in page["items"] for line in item["lines"]]
    assert len(page["items"]) == 20
    assert all(line["product"]["id"] == line["line"]["product_id"] for line in lines)
    assert any(item["payment"] for item in page["items"])
    assert page["customer"]["id"] == "1"
    assert {counted[name] for name in ("orders", "users", "catalog", "inventory", "payments")} == {
        1
    }


async def test_order_pages_survive_what_they_only_show(open_gateway, mocks):
    """Without catalog, inventory and payments the orders are still there."""
    async with open_gateway("desktop") as client:
        with mocks.fault("catalog", kind="reset"), mocks.fault("inventory", kind="garbage"):
            answer = await client.get("/v1/orders?limit=5")

    assert answer.status_code == 200
    first = answer.json()["items"][0]["lines"][0]
    assert (first["product"], first["stock"]) == (None, None)
    assert "summary=fallback" in answer.headers["part-status"]


async def test_export_streams_all_orders(open_gateway, mocks):
    """Every order of a customer with many is a line, newest first."""
    total = mocks.get("orders", "/orders?customer_id=2&limit=1").json()["total"]

    async with (
        open_gateway("desktop", headers=WHOLESALE) as client,
        client.stream("GET", "/v1/orders/export") as answer,
    ):
        rows = [json.loads(line) async for line in answer.aiter_lines()]

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert len(rows) == total >= 1000
    placed = [row["placed_at"] for row in rows]
    assert placed == sorted(placed, reverse=True)


async def test_export_that_can_not_begin_is_a_problem(open_gateway, mocks):
    """A failure before the first row is reported like any other."""
    async with open_gateway("desktop") as client:
        with mocks.fault("orders", kind="error", status=503):
            answer = await client.get("/v1/orders/export")

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


def test_export_that_breaks_off_is_not_taken_for_complete(desktop_url, mocks):
    """A stream that its service cuts ends as a broken transfer, not as a short one."""
    broken = False
    with mocks.fault("orders", kind="truncated", fraction=0.5):
        try:
            httpx.get(f"{desktop_url}/v1/orders/export", headers=WHOLESALE, trust_env=False)
        except httpx.RemoteProtocolError:
            broken = True

    assert broken


def test_client_that_leaves_stops_the_export(desktop_url, mocks):
    """When the reader goes, the service sees its own reader go, soon."""
    mocks.forget()
    address = urlsplit(desktop_url)
    with (
        mocks.fault("orders", kind="drip", size=200, interval=0.05),
        socket.create_connection((address.hostname, address.port), timeout=5) as client,
    ):
        client.sendall(
            b"GET /v1/orders/export HTTP/1.1\r\nHost: localhost\r\n"
            b"Authorization: Bearer demo-2\r\n\r\n"
        )
        began = client.recv(65536)
        streaming = mocks.calls("orders")["active"]
        client.close()
        ended = _until(lambda: mocks.calls("orders")["aborted"] == 1, seconds=3)

    assert began.startswith(b"HTTP/1.1 200")
    assert streaming == 1
    assert ended


def _until(is_true, *, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_true():
            return True
        time.sleep(0.02)
    return False


async def test_gateways_serve_many_at_once(open_gateway, mocks):
    """Equal reads of the same moment are shared, and each client gets its whole answer."""
    async with open_gateway("desktop") as client:
        mocks.forget()
        answers = await asyncio.gather(*(client.get("/v1/products/42") for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert mocks.calls("catalog")["routes"]["GET /products/{product_id}"] < 20


async def test_pictures_fit_the_window(open_gateway):
    """A row shows one picture, as wide as its share of the window."""
    async with open_gateway("desktop", headers=DEMO | {"viewport-width": "2560"}) as client:
        products = (await client.get("/v1/products?limit=1")).json()
        dashboard = (await client.get("/v1/dashboard?width=1280")).json()

    assert products["items"][0]["product"]["image"].endswith("/640w.webp")
    assert dashboard["picks"][0]["product"]["image"].endswith("/320w.webp")
    assert dashboard["customer"]["avatar"].endswith("/160w.webp")


async def test_order_page_is_whole(open_gateway, mocks):
    """One order comes with its products, their stock and its payment."""
    own = mocks.get("orders", "/orders?customer_id=1&status=delivered&limit=1").json()["items"][0]

    async with open_gateway("desktop") as client:
        answer = await client.get(f"/v1/orders/{own['id']}")

    page = answer.json()
    assert [row["line"]["sku"] for row in page["lines"]] == [row["sku"] for row in own["lines"]]
    assert all(row["stock"]["product_id"] == row["product"]["id"] for row in page["lines"])
    assert page["payment"]["order_id"] == own["id"]


async def test_export_is_for_somebody(open_gateway):
    """Without a sign-in there is no export, no dashboard and no page of orders."""
    async with open_gateway("desktop", headers={}) as client:
        answers = [
            await client.get(f"/v1/{path}")
            for path in ("orders/export", "orders", "orders/10001", "dashboard")
        ]

    assert [answer.status_code for answer in answers] == [401] * 4


async def test_orders_of_others_are_in_no_answer(open_gateway, mocks):
    """Neither by id nor in the export."""
    theirs = mocks.get("orders", "/orders?customer_id=2&limit=100").json()["items"]
    numbers = {order["number"] for order in theirs}

    async with open_gateway("desktop") as client:
        by_id = await client.get(f"/v1/orders/{theirs[0]['id']}")
        export = await client.get("/v1/orders/export")

    exported = {json.loads(line)["number"] for line in export.text.splitlines()}
    assert by_id.status_code == 404
    assert len(exported) >= 40
    assert exported.isdisjoint(numbers)
