"""The console of `bff dev` over the whole shop, while a service is stopped and started again.

`SCREENSHOTS=folder` stores the pictures of the documentation (`make screenshots`).
"""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import httpx
import pytest

from tests.console.browser.test_pages import violations_in_both_themes
from tests.processes.running_shop import running_shop

pytestmark = [pytest.mark.needs("chromium", "node", "npm")]

ROOT = Path(__file__).parents[3]
SECONDS = 60.0
PAGE = {"x-bff-console": "1", "content-type": "application/json"}
HOME = "{home{cart{count} orders{number} picks{product{title rating{average}}}}}"
PRODUCT = "{product(id:%d){title rating{average} stock{status}}}"
PICTURES = {
    "overview-light",
    "overview-dark",
    *(f"{name}-light" for name in ("requests", "screens", "upstreams", "faults")),
    *(f"{name}-light" for name in ("api", "api-graphql")),
}
"""What the documentation shows."""

PICTURE_SECONDS = 50.0 if os.environ.get("SCREENSHOTS") else 0.0
"""How long customers come before pictures are taken, so that charts show something."""


@dataclass(frozen=True)
class Shop:
    """A run of the whole shop: the addresses of its console and gateways."""

    console: str
    web: str
    mobile: str
    desktop: str

    def visit(self, *customers: int) -> None:
        """Request the home screen of each client for some customers."""
        for customer in customers:
            headers = {"Authorization": f"Bearer demo-{customer}"}
            with httpx.Client(headers=headers, trust_env=False, timeout=20) as client:
                client.get(f"{self.mobile}/v1/home")
                client.get(f"{self.desktop}/v1/dashboard")
                client.post(f"{self.web}/graphql", json={"query": HOME})

    def visit_all(self, seconds: float) -> None:
        """Request several screens for two customers, for a while."""
        end = time.monotonic() + seconds
        for number in cycle(range(1, 9)):
            if time.monotonic() >= end:
                return
            customer = number % 2 + 1
            self.visit(customer)
            headers = {"Authorization": f"Bearer demo-{customer}"}
            with httpx.Client(headers=headers, trust_env=False, timeout=20) as client:
                client.get(f"{self.mobile}/v1/products/{number}")
                client.get(f"{self.desktop}/v1/products", params={"limit": 20})
                client.post(f"{self.web}/graphql", json={"query": PRODUCT % number})

    def send(self, path: str) -> None:
        """Send a command to the console, as a page does."""
        answer = httpx.post(
            f"{self.console}/console/api/{path}", headers=PAGE, json={}, trust_env=False, timeout=20
        )
        assert answer.status_code == 200, answer.text

    def newest(self, gateway: str, state: str) -> str:
        """Return the id of the newest request of a gateway that ended like this."""
        limit = time.monotonic() + SECONDS
        while time.monotonic() < limit:
            url = f"{self.console}/console/api/requests?gateway={gateway}&state={state}"
            rows = httpx.get(url, trust_env=False, timeout=20).json()["rows"]
            if rows:
                return rows[0]["id"]
            time.sleep(0.02)
        raise AssertionError(f"no request of {gateway} is {state}")


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """Run ten services and three gateways."""
    with running_shop(auth="demo") as addresses:
        yield Shop(addresses.console, addresses.web, addresses.mobile, addresses.desktop)


@pytest.fixture(scope="module")
def degraded(shop) -> Iterator[str]:
    """Stop reviews after some good requests; yield the id of a request that is degraded by it."""
    shop.visit(1, 2, 1)
    shop.visit_all(PICTURE_SECONDS)
    shop.send("processes/reviews/stop")
    shop.visit(3, 4, 5, 6, 7, 8)  # their ratings are not cached
    if PICTURE_SECONDS:
        shop.visit(*range(9, 60))
    yield shop.newest("desktop", "degraded")
    shop.send("processes/reviews/start")


def paths_of(degraded: str) -> dict[str, str]:
    return {
        "overview": "/console",
        "requests": f"/console/requests/{degraded}",
        "screens": "/console/screens/Home",
        "upstreams": "/console/upstreams",
        "faults": "/console/faults",
        "api": "/console/api?gateway=mobile",
        "api-graphql": "/console/api?gateway=web",
        "logs": "/console/logs",
        "sessions": "/console/sessions",
    }


@pytest.mark.parametrize("name", list(paths_of("")))
def test_a_page_of_the_running_shop(shop, degraded, show, axe, name):
    """In both themes: no violation of accessibility rules, no complaint of the browser."""
    opened = show(paths_of(degraded)[name], base=shop.console, is_frozen=False)
    opened.page.wait_for_timeout(700)  # live messages arrive meanwhile
    if PICTURE_SECONDS and name == "screens":
        opened.page.get_by_role("button", name="Compute all").click()
        opened.page.get_by_text("Not computed yet").wait_for(state="detached")
    found = violations_in_both_themes(opened.page, axe, name, PICTURES)

    assert found == {"light": [], "dark": []}
    assert opened.complaints == []


def test_the_service_to_blame_is_named(shop, degraded, show):
    """The first page names it, and so does the page of the request."""
    overview = show("/console", base=shop.console, is_frozen=False).page
    overview.wait_for_selector("text=reviews")
    assert re.search("degraded since .*reviews", overview.locator(".answer").inner_text())
    request = show(f"/console/requests/{degraded}", base=shop.console, is_frozen=False).page
    request.wait_for_selector("text=rating")
    assert "reviews" in request.locator(".answer").first.inner_text()


def test_a_service_that_starts_again(shop, degraded, show):
    """The page of faults shows the stop and the start, without a reload."""
    page = show("/console/faults", base=shop.console, is_frozen=False).page
    card = page.locator("section, article", has=page.get_by_role("heading", name="reviews")).last
    card.get_by_role("button", name="Start").click()
    card.get_by_text("healthy").wait_for(timeout=10_000)
    card.get_by_role("button", name="Stop").click()
    card.get_by_text("stopped").first.wait_for(timeout=10_000)
