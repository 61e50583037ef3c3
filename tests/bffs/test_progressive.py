"""Progressive reads of the reference gateways: every view, line by line and in the end the same."""

import json
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from bff_core.testing import fail, slow
from tests.bffs.in_process import SCRIPTS

LINES = {"accept": "application/x-ndjson"}
READER = LINES | {"authorization": "Bearer demo-1"}
LEAVER = {**READER, "authorization": "Bearer demo-2"}
"""A viewer of whom nothing is cached yet."""


def reading_views(app) -> Iterator[str]:
    """Yield the path of each view that reads and has both forms."""
    for path, operations in app.openapi()["paths"].items():
        content = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if content.keys() == {"application/json", "application/x-ndjson"}:
            yield path


@pytest.fixture
def own_order(mocks) -> str:
    """Return an order of the viewer."""
    return mocks.get("orders", "/orders?customer_id=1&limit=1").json()["items"][0]["id"]


async def test_every_view_ends_with_its_plain_answer(open_gateway, own_order):
    """Byte for byte, whatever the view; and each of its parts has had a line before."""
    compared = []
    for name in ("mobile", "desktop"):
        async with open_gateway(name) as client:
            for template in reading_views(client.app):
                path = template.format(product_id="42", order_id=own_order)
                plain = await client.get(path)
                *parts, last = (await client.get(path, headers=LINES)).text.splitlines()
                ended = json.loads(last)["parts"].keys()

                assert plain.status_code == 200, path
                assert last.startswith('{"answer":' + plain.text + ',"parts":'), path
                assert {json.loads(line)["part"] for line in parts} == ended
                compared.append(path)

    assert len(compared) >= 11


async def test_home_greets_before_the_rest_is_there(open_gateway):
    """What a view shows early is a piece of its answer; a slow service holds only itself up."""
    async with open_gateway("mobile", recommendations=slow(0.3, SCRIPTS["recommendations"])) as c:
        answer = await c.get("/v1/home", headers=LINES)

    *parts, last = map(json.loads, answer.text.splitlines())
    shown: dict[str, object] = {}
    for line in parts:
        shown |= line.get("value", {})
    names = [line["part"] for line in parts]
    assert shown.keys() == {"name", "tier", "points", "cart_count", "orders"}
    assert last["answer"].items() >= shown.items()
    assert names.index("profile") < names.index("picks")


async def test_a_dashboard_whose_services_are_down_says_so_line_by_line(open_gateway):
    """Each line has its reason, and the end has them all."""
    async with open_gateway("desktop", orders=fail()) as client:
        answer = await client.get("/v1/dashboard", headers=LINES)

    lines = {line.get("part"): line for line in map(json.loads, answer.text.splitlines())}
    assert lines["orders"] == {
        "part": "orders",
        "status": "fallback",
        "reason": "unavailable",
        "value": {"orders": []},
    }
    assert lines[None]["parts"]["orders"] == {"status": "fallback", "reason": "unavailable"}


async def test_nobodys_home_is_refused_as_ever(open_gateway):
    """A 401 is a status, not a line."""
    async with open_gateway("mobile", viewer=None) as client:
        answer = await client.get("/v1/home", headers=LINES)

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_lines_arrive_while_a_service_still_works(desktop_url, served_mocks):
    """The customer is on the screen before the recommendations have been thought of."""
    latency = {"name": "constant", "seconds": 0.7}
    with (
        served_mocks.fault("recommendations", kind="latency", distribution=latency),
        httpx.stream("GET", f"{desktop_url}/v1/dashboard", headers=READER) as answer,
    ):
        lines = answer.iter_lines()
        first = json.loads(next(lines))
        working = served_mocks.calls("recommendations")["active"]
        *_, last = lines

    assert first["status"] == "ok"
    assert working == 1
    assert json.loads(last)["answer"]["customer"]["id"] == "1"


def test_a_reader_that_leaves_ends_the_calls(desktop_url, served_mocks):
    """Work for a client that has gone is stopped."""
    served_mocks.forget()
    with served_mocks.fault("recommendations", kind="hang"):
        with httpx.stream("GET", f"{desktop_url}/v1/dashboard", headers=LEAVER) as answer:
            next(answer.iter_lines())
        is_cancelled = until(
            lambda: served_mocks.calls("recommendations")["aborted"] == 1, seconds=0.6
        )

    assert is_cancelled


def until(is_true: Callable[[], bool], *, seconds: float) -> bool:
    """Return whether something came true in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if is_true():
            return True
        time.sleep(0.01)
    return False
