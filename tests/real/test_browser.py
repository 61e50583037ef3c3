"""The reference shop in a real browser: sign in, read, resist attacks, sign out."""

import http.server
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Response,
    expect,
    sync_playwright,
)

from tests.processes.settings import shop_environment
from tests.real.test_provider import free_ports, wait_for

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}")

pytestmark = pytest.mark.needs("chromium")

EVIL = """<!doctype html><title>evil</title><script>
const web = "%s", results = {};
const tries = {
  form: () => fetch(web + "/bff/logout",
    { method: "POST", mode: "no-cors", credentials: "include" }),
  json: () => fetch(web + "/graphql", { method: "POST", mode: "no-cors", credentials: "include",
    headers: { "Content-Type": "text/plain" }, body: '{"query": "{ home { viewer { id } } }"}' }),
  header: () => fetch(web + "/bff/user", { credentials: "include", headers: { "X-CSRF": "1" } }),
  read: () => fetch(web + "/bff/user", { credentials: "include" }),
};
async function attack() {
  for (const [name, run] of Object.entries(tries)) {
    try { const answer = await run(); results[name] = answer.type + " " + answer.status; }
    catch (error) { results[name] = "blocked"; }
  }
  document.title = JSON.stringify(results);
}
attack();
</script>"""


@dataclass(frozen=True)
class Shop:
    """Where the shop's web gateway and its provider are."""

    web: str
    issuer: str


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """Run the whole shop, with real sign-in, on ports of its own."""
    web_port, mobile_port, desktop_port, first, *_ = free_ports(13)
    ports = {"WEB_PORT": web_port, "MOBILE_PORT": mobile_port, "DESKTOP_PORT": desktop_port}
    ports = {name: str(port) for name, port in ports.items()}
    environ = shop_environment(**ports, SERVICES_PORT=str(first), BFF_AUTH="none")
    command = [sys.executable, "-m", "bff_core", "dev"]
    running = subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        web = f"http://localhost:{ports['WEB_PORT']}"
        wait_for(f"{web}/readyz", running)
        yield Shop(web, f"http://localhost:{first + 9}")
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """Return a browser that has been nowhere yet."""
    fresh = chromium.new_context()
    yield fresh
    fresh.close()


def sign_in(page: Page, shop: Shop) -> None:
    """Press the buttons that a user presses, in the web shop."""
    page.goto(f"{shop.web}/store/")
    page.get_by_role("banner").get_by_role("link", name="Sign in").click()
    page.get_by_role("button").first.click()
    page.wait_for_url(f"{shop.web}/store/")
    expect(greeting_of(page)).to_be_visible()


def greeting_of(page: Page) -> Locator:
    """Return what the shop shows only to a customer who is signed in."""
    return page.get_by_role("heading", name="Welcome back", level=1)


def open_account(page: Page) -> Locator:
    """Open the menu of the account."""
    page.get_by_role("button", name="account of").click()
    return page.locator("#account")


def user_of(page: Page) -> dict | None:
    """Return who is signed in, as a script of the page learns it; None without a session."""
    return page.evaluate(
        """async () => {
            const answer = await fetch("/bff/user", { headers: { "X-CSRF": "1" } });
            return answer.ok ? answer.json() : null;
        }"""
    )


def home_of(page: Page) -> dict:
    """Return the home screen, as a script of the page reads it."""
    return page.evaluate(
        """async () => {
            const headers = { "X-CSRF": "1", "Content-Type": "application/json" };
            const body = JSON.stringify({ query: "{ home { viewer { id } orders { id } } }" });
            const answer = await fetch("/graphql", { method: "POST", headers, body });
            return (await answer.json()).data.home;
        }"""
    )


def test_a_user_signs_in_and_sees_the_home_screen(shop, context):
    """From the first click to the orders; then out again, here and at the provider."""
    page = context.new_page()
    sign_in(page, shop)
    user, home = user_of(page), home_of(page)
    greeting = page.locator(".hello").inner_text()
    open_account(page).get_by_role("link", name="Your orders").click()
    expect(page.get_by_role("heading", name="Your orders", level=1)).to_be_visible()
    orders = page.locator("main .orders li").count()
    open_account(page).get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{shop.web}/")
    page.goto(f"{shop.web}/store/")
    page.get_by_role("banner").get_by_role("link", name="Sign in").wait_for()
    is_greeted, left = greeting_of(page).is_visible(), user_of(page)
    page.get_by_role("banner").get_by_role("link", name="Sign in").click()

    assert "points" in greeting
    assert user is not None
    assert home["viewer"]["id"] == user["subject"]
    assert len(home["orders"]) == 3
    assert orders >= len(home["orders"])
    assert (is_greeted, left) == (False, None)
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()


@pytest.mark.parametrize("customer", ["3", "9"])
def test_a_demo_customer_signs_in_with_one_click(shop, context, customer):
    """The address that a button of the start page leads to; the second replaces the first."""
    page = context.new_page()
    sign_in(page, shop)
    page.goto(f"{shop.web}/bff/login?login_hint={customer}&returnUrl=/phone/")
    page.wait_for_url(f"{shop.web}/phone/")
    user = user_of(page)

    assert user is not None
    assert user["subject"] == customer


DEMO_TOKEN = """async (url) => {
    const body = new URLSearchParams({ client_id: "mobile", customer: "1" });
    try { return (await fetch(url, { method: "POST", body })).status; }
    catch (error) { return "blocked"; }
}"""


def test_pages_of_the_shop_get_demo_tokens_and_others_do_not(shop, context):
    """A page that stands for the phone holds a token; a second origin gets none."""
    page = context.new_page()
    page.goto(f"{shop.web}/phone/")
    ours = page.evaluate(DEMO_TOKEN, f"{shop.issuer}/demo/token")
    with second_origin(shop) as port:
        evil = context.new_page()
        evil.goto(f"http://localhost:{port}/")
        theirs = evil.evaluate(DEMO_TOKEN, f"{shop.issuer}/demo/token")

    assert ours == 200
    assert theirs == "blocked"


def test_no_token_is_anywhere_in_the_browser(shop, context):
    """Not in the page, its storage, its address, nor in anything that went over the network."""
    page = context.new_page()
    found: list[str] = []
    page.on("response", lambda answer: found.append(everything_of(answer)))
    sign_in(page, shop)
    assert user_of(page) is not None
    assert home_of(page)["orders"]
    stored_text = page.evaluate(
        "() => JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage},"
        " location.href, document.documentElement.outerHTML])"
    )
    cookies = {one["name"]: one for one in context.cookies() if one["name"].startswith("__Host-")}

    assert len(found) > 20
    assert [one for one in (*found, stored_text) if TOKEN.search(one)] == []
    assert json.loads(stored_text)[0] == ""
    assert cookies["__Host-bff"]["httpOnly"]
    assert cookies["__Host-bff"]["secure"]
    assert cookies["__Host-bff"]["sameSite"] == "Strict"


def everything_of(answer: Response) -> str:
    """Return what went over the network: addresses, headers, bodies."""
    request = answer.request
    parts = [request.url, str(request.headers), request.post_data or "", str(answer.headers)]
    is_text = answer.ok and "text" in answer.headers.get("content-type", "text")
    return "\n".join([*parts, answer.text() if is_text else ""])


@contextmanager
def second_origin(shop: Shop) -> Iterator[int]:
    """Serve a page of an attacker's on another port of this machine."""
    body = (EVIL % shop.web).encode()

    class Evil(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log no requests."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Evil) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_requests_that_a_second_origin_forges_fail(shop, context, host):
    """Of the same site, whose requests carry the cookie, and of another.

    Nothing can be read, and what would have ended the session has not.
    """
    page = context.new_page()
    sign_in(page, shop)
    with second_origin(shop) as port:
        evil = context.new_page()
        evil.goto(f"http://{host}:{port}/")
        evil.wait_for_function("document.title.startsWith('{')")
        body = json.loads(evil.title())
    page.reload()
    expect(greeting_of(page)).to_be_visible()

    assert user_of(page) is not None
    assert body["header"] == body["read"] == "blocked"
    assert {body["form"], body["json"]} <= {"opaque 0", "blocked"}
