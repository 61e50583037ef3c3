"""The desktop gateway: wide answers joined in few calls, and a stream of everything."""

import asyncio
import json
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest

from bff_core.testing import assert_complete, assert_parts, reply

DEMO = {"authorization": "Bearer demo-1"}
WHOLESALE = {"authorization": "Bearer demo-2"}


async def test_dashboard_is_made_of_many_services(open_gateway):
    """One request of the client, one answer, out of more than six services."""
    async with open_gateway("desktop") as client:
        answer = await client.get("/v1/dashboard")

    counted = client.calls.counts
    assert_complete(answer)
    assert len(counted) >= 6
    assert max(counted.values()) <= 2
    assert {"customer", "cart", "orders", "payment_methods", "deals", "picks"} <= set(answer.json())


async def test_order_pages_join_without_a_call_per_row(open_gateway):
    """Twenty orders with all their lines cost each service one call."""
    async with open_gateway("desktop") as client:
        answer = await client.get("/v1/orders?limit=20")

    page = answer.json()
    lines = [line for item in page["items"] for line in item["lines"]]
    assert len(page["items"]) == 20
    assert all(line["product"]["id"] == line["line"]["product_id"] for line in lines)
    assert any(item["payment"] for item in page["items"])
    assert page["customer"]["id"] == "1"
    services = ("orders", "users", "catalog", "inventory", "payments")
    assert client.calls.counts == dict.fromkeys(services, 1)


async def test_export_streams_all_orders(open_gateway, mocks):
    """Every order of a customer with many is a line, newest first."""
    total = mocks.get("orders", "/orders?customer_id=2&limit=1").json()["total"]

    async with (
        open_gateway("desktop", viewer="2") as client,
        client.stream("GET", "/v1/orders/export") as answer,
    ):
        rows = [json.loads(line) async for line in answer.aiter_lines()]

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert len(rows) == total >= 1000
    placed = [row["placed_at"] for row in rows]
    assert placed == sorted(placed, reverse=True)


async def test_export_that_can_not_begin_is_a_problem(open_gateway):
    """A failure before the first row is reported like any other."""
    async with open_gateway("desktop", orders=reply(503)) as client:
        answer = await client.get("/v1/orders/export")

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset"},
        {"kind": "truncated"},
        {"kind": "garbage"},
        {"kind": "gzip_bomb"},
        {"kind": "hang"},
        {"kind": "wrong_length"},
        {"kind": "unavailable", "retry_after": 30},
    ],
    ids=lambda fault: fault["kind"],
)
def test_dashboard_answers_whatever_a_service_does(desktop_url, served_mocks, fault):
    """No misbehaviour of an optional service, on its socket either, is a failure of the answer."""
    viewer = {"authorization": f"Bearer demo-{20 + len(fault['kind'])}"}
    with served_mocks.fault("recommendations", **fault):
        answer = httpx.get(f"{desktop_url}/v1/dashboard", headers=viewer, trust_env=False)

    assert answer.status_code == 200
    assert answer.json()["picks"] == []
    assert_parts(answer, picks="fallback")


def test_export_that_breaks_off_is_not_taken_for_complete(desktop_url, served_mocks):
    """A stream that its service cuts ends as a broken transfer, not as a short one."""
    broken = False
    with served_mocks.fault("orders", kind="truncated", fraction=0.5):
        try:
            url = f"{desktop_url}/v1/orders/export"
            httpx.get(url, headers=WHOLESALE, trust_env=False, timeout=30)
        except httpx.RemoteProtocolError:
            broken = True

    assert broken


def test_client_that_leaves_stops_the_export(desktop_url, served_mocks):
    """When the reader goes, the service sees its own reader go, soon."""
    served_mocks.forget()
    address = urlsplit(desktop_url)
    with (
        served_mocks.fault("orders", kind="drip", size=200, interval=0.05),
        socket.create_connection((address.hostname, address.port), timeout=5) as client,
    ):
        client.sendall(
            b"GET /v1/orders/export HTTP/1.1\r\nHost: localhost\r\n"
            b"Authorization: Bearer demo-2\r\n\r\n"
        )
        began = client.recv(65536)
        streaming = served_mocks.calls("orders")["active"]
        client.close()
        ended = _until(lambda: served_mocks.calls("orders")["aborted"] == 1, seconds=3)

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


async def test_gateways_serve_many_at_once(open_gateway):
    """Equal reads of the same moment are shared, and each client gets its whole answer."""
    async with open_gateway("desktop") as client:
        answers = await asyncio.gather(*(client.get("/v1/products/42") for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(client.calls["catalog"]) < 20


async def test_pictures_fit_the_window(open_gateway):
    """A row shows one picture, as wide as its share of the window."""
    async with open_gateway("desktop", headers=DEMO | {"viewport-width": "2560"}) as client:
        products = (await client.get("/v1/products?limit=1")).json()
        dashboard = (await client.get("/v1/dashboard?width=1280")).json()

    assert products["items"][0]["product"]["image"].endswith("/640w.svg")
    assert dashboard["picks"][0]["product"]["image"].endswith("/320w.svg")
    assert dashboard["customer"]["avatar"].endswith("/160w.svg")


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
    async with open_gateway("desktop", viewer=None) as client:
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
