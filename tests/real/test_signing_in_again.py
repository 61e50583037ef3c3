"""A real browser signs in again at a certified provider of another site, in one tab and in ten."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Request

from tests.real.test_browser import chromium, context  # noqa: F401 # fixtures
from tests.real.test_provider import Browser, Site, packages, site  # noqa: F401 # fixtures

pytestmark = pytest.mark.needs("node", "npm", "redis-server", "chromium")

PAGE = "/healthz"


@contextmanager
def running(site: Site) -> Iterator[str]:  # noqa: F811 # the fixture's value
    """Run a provider whose access tokens end at once, and the gateway; yield its address."""
    with site.provider(lifetime=5), site.gateway():
        yield site.web


def sign_in(page: Page, web: str) -> None:
    """Log in at the provider's page, and consent if that is not known yet."""
    page.goto(f"{web}/bff/login?prompt=login&returnUrl={PAGE}")
    page.fill("input[name=login]", "alice")
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    if not page.url.startswith(web):
        page.click("button[type=submit]")
    page.wait_for_url(f"{web}{PAGE}")


def status_of(page: Page, path: str = "/v1/me") -> int:
    """Return how a request of the page is answered."""
    return page.evaluate(
        "async (path) => (await fetch(path, { headers: { 'X-CSRF': '1' } })).status", path
    )


def cookie_of(context: BrowserContext) -> str:  # noqa: F811 # the fixture's value
    """Return the cookie of the session."""
    (found,) = [one["value"] for one in context.cookies() if one["name"] == "__Host-bff"]
    return found


def test_a_user_who_signs_in_again_stays_signed_in(site, context):  # noqa: F811 # fixtures
    """The provider (127.0.0.1) is another site than the gateway (localhost).

    The Strict cookie is not sent to the callback; the session of before ends nevertheless, and
    tokens of the new one are refreshed.
    """
    with running(site) as web:
        page = context.new_page()
        sign_in(page, web)
        before = cookie_of(context)
        sent: list[Request] = []
        page.on("request", lambda one: sent.append(one))  # noqa: PLW0108 # methods of lists take no attribute
        sign_in(page, web)
        after, me = cookie_of(context), status_of(page)
        time.sleep(1.2)  # a real gateway believes a session for a second
        again = status_of(page)
        headers = {"x-csrf": "1", "cookie": f"__Host-bff={before}"}
        old = httpx.get(f"{web}/v1/me", headers=headers, trust_env=False)
        (callback,) = [one for one in sent if "/bff/callback" in one.url]
        cookies = callback.all_headers()["cookie"]

    assert "__Host-bff-sign-in-" in cookies
    assert "__Host-bff=" not in cookies
    assert before != after
    assert (me, again) == (200, 200)
    assert old.json()["code"] == "session_ended"


def test_ten_tabs_sign_in_at_once(site, context):  # noqa: F811 # fixtures
    """All tabs return to their pages, none shows a JSON error, and the user stays signed in."""
    with running(site) as web:
        first = context.new_page()
        sign_in(first, web)
        context.clear_cookies(name="__Host-bff")
        tabs = [context.new_page() for _ in range(10)]
        for tab in tabs:
            tab.goto(f"{web}{PAGE}")
        for number, tab in enumerate(tabs):
            there = f"{web}/bff/login?returnUrl={PAGE}?tab={number}"
            tab.evaluate("(there) => { setTimeout(() => { location.href = there }) }", there)
        for number, tab in enumerate(tabs):
            tab.wait_for_url(f"{web}{PAGE}?tab={number}")
        statuses = [status_of(tab) for tab in tabs]
        left = [one for one in context.cookies() if "sign-in" in one["name"]]

    assert statuses == [200] * 10
    assert left == []


def test_the_back_button_shows_no_json(site, context):  # noqa: F811 # fixtures
    """The callback in the browser's history leads on to the page, and the user stays signed in."""
    with running(site) as web:
        page = context.new_page()
        found: list[str] = []
        page.on("request", lambda one: found.append(one.url))
        sign_in(page, web)
        (callback,) = [one for one in found if "/bff/callback" in one]
        page.goto(callback)
        there, me = page.url, status_of(page)

    assert there == f"{web}{PAGE}"
    assert me == 200


def test_a_second_sign_in_of_a_program_leaves_its_refresh_token_valid(site):  # noqa: F811 # fixture
    """The same without a browser, where the cookie is sent to the callback."""
    with running(site):
        browser = Browser(site)
        browser.sign_in("alice")
        for _ in range(3):
            browser.sign_in("alice")
            time.sleep(0.2)
            status = browser.fetch("/v1/me").status_code
            assert status == 200
