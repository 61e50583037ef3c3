"""The overview: the map, its table, and the way from a figure to its requests."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium", "node")]


def dimmed(page):
    """Return how many nodes and edges of the map are dimmed."""
    return page.locator(".map .dim").count()


def test_the_map_shows_what_belongs_to_a_node(show):
    """Focus on a degraded screen leaves its gateway and what is to blame; all else is dimmed."""
    page = show("/console").page
    page.get_by_role("link", name=re.compile("^Home on web")).focus()

    page.wait_for_selector(".map .dim", state="attached")  # level edges have no height
    lit = page.locator(".map a:not(.dim):not(.dim a)").evaluate_all(
        "all => all.map((a) => a.querySelector('title').textContent.split(':')[0].split(',')[0])"
    )
    assert lit == ["Home on web", "Gateway web", "Service reviews"]
    page.get_by_role("link", name=re.compile("^Home on web")).blur()
    page.wait_for_function("document.querySelectorAll('.map .dim').length === 0")


def test_the_table_has_all_that_the_map_has(show):
    """Each screen, gateway and service of the map is a row of a table."""
    page = show("/console?all=1").page
    nodes = page.locator(".map a").count()
    page.get_by_role("tab", name="Table").click()

    expect(page.locator("#dependencies tbody tr")).to_have_count(nodes)
    expect(page).to_have_url(re.compile("view=table"))


def test_a_screen_leads_to_its_requests(show):
    """A click on a degraded screen opens the degraded requests of its route."""
    page = show("/console").page
    page.get_by_role("link", name=re.compile("^ProductPage on mobile")).click()

    expect(page.locator("h1")).to_have_text("Requests")
    expect(page).to_have_url(re.compile("gateway=mobile.*state=degraded"))


def test_the_scope_is_one_gateway(show):
    """The filter by gateway leaves its screens, and is in the address."""
    page = show("/console").page
    page.get_by_label("Gateway", exact=True).select_option("desktop")

    expect(page.locator(".map a").filter(has_text=re.compile(" on desktop, "))).to_have_count(3)
    expect(page).to_have_url(re.compile("gateway=desktop"))


def test_what_is_folded_is_shown_by_a_click(show):
    """Screens without requests and other routes take one row for each gateway."""
    page = show("/console").page
    expect(page.locator(".map a", has_text="OrderList")).to_have_count(0)
    page.get_by_role("link", name=re.compile("^On mobile: 2 screens without requests")).click()

    expect(page.locator(".map a", has_text="OrderList")).to_contain_text("no requests")
    expect(page.locator(".map a", has_text="GET / on desktop")).to_have_count(1)
    page.get_by_role("button", name="Fewer rows").click()
    expect(page.locator(".map a", has_text="OrderList")).to_have_count(0)


def test_the_window_is_in_the_address(show):
    """Another window than the usual one is loaded for the page."""
    page = show("/console").page
    with page.expect_request(re.compile(r"/api/overview\?window=60$")):
        page.get_by_label("Time", exact=True).select_option("60")

    expect(page).to_have_url(re.compile("window=60"))
    expect(page.locator(".kpi dt")).to_have_count(6)


def test_a_phone_gets_the_table(show):
    """Where the map has no room its table stands."""
    page = show("/console", width=390, height=800).page

    expect(page.locator(".map")).to_have_count(0)
    expect(page.get_by_role("row", name=re.compile("reviews")).first).to_be_visible()
