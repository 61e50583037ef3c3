"""The web page with demo users, in a real browser: what is missing is said."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """Open a page in Debian's Chromium."""
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        yield browser.new_page(viewport={"width": 900, "height": 700})
        browser.close()


def test_the_page_works_with_demo_users_and_says_what_is_missing(page, serve, served_mocks):
    """A customer is chosen by number; a part that is down is named, and the others are there."""
    with serve("web", BFF_CACHE_SIZE="0") as web:
        with served_mocks.fault("recommendations", kind="error", status=503):
            page.goto(web.url)
            expect(page.locator("#who")).to_contain_text("demo users")
            expect(page.get_by_role("link", name="Sign in")).to_be_hidden()
            page.get_by_role("button", name="Show the home screen").click()
            expect(page.locator("#picks-note")).to_have_text("not available just now (bad_status)")
            expect(page.locator("#orders li")).to_have_count(3)
            expect(page.locator("#orders-note")).to_be_hidden()
            expect(page.locator("#trouble")).to_be_hidden()
            first = page.locator("#who").inner_text()
        page.locator("#customer").fill("2")
        page.get_by_role("button", name="Show the home screen").click()
        expect(page.locator("#picks li")).to_have_count(5)
        expect(page.locator("#picks-note")).to_be_hidden()
        expect(page.locator("#who")).not_to_have_text(first)
