"""What all pages share: keys, the command field, themes, and what is shown without a stream."""

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console.npm import SOURCES

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium", "node")]


def test_letters_open_pages_and_switch_the_theme(show):
    """`g r` opens Requests, `.` switches the theme, `space` pauses, `?` lists the keys."""
    page = show("/console").page
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.locator("h1")).to_have_text("Requests")
    page.keyboard.press(".")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.keyboard.press("Space")
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def serve_elsewhere(page: Page) -> None:
    """Show the pages as a gateway in production serves them: `bff dev` does not run."""
    fixture = (SOURCES / "fixtures" / "installation.json").read_text()
    shown = {**json.loads(fixture), "is_development": False, "processes": [], "shop": ""}
    document = page.request.get(page.url).text()
    snapshot = json.dumps({"installation": shown})
    body = re.sub(r'(?<=id="snapshot">).*?(?=<)', lambda _: snapshot, document)
    page.route(
        "**/console/screens*", lambda route: route.fulfill(content_type="text/html", body=body)
    )
    page.goto(re.sub("/console.*", "/console/screens", page.url))


def test_only_what_works_is_offered(show):
    """In production there are no faults and logs, and no matrix is computed."""
    page = show("/console").page
    expect(page.get_by_role("link", name="Logs")).to_be_visible()
    page.route("**/console/api/screens/*", without_matrix)
    serve_elsewhere(page)

    expect(page.get_by_text("That is possible in development only.")).to_be_visible()
    expect(page.get_by_role("button", name="Compute all")).to_have_count(0)
    expect(page.locator("nav").get_by_role("link")).to_have_count(6)


def without_matrix(route: Route) -> None:
    """Answer with a screen whose matrix is not computed."""
    screen = json.loads((SOURCES / "fixtures" / "screens.Home.json").read_text())
    route.fulfill(json={**screen, "has_matrix": False})


def test_the_command_field_stops_a_service(show):
    """In development; the page of faults shows what follows."""
    page = show("/console").page
    page.keyboard.press("/")
    page.keyboard.type("stop pay")
    with page.expect_request("**/console/api/processes/payments/stop"):
        page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text("Faults")


def test_letters_are_text_in_fields(show):
    """In the command field `g r` are letters; enter runs what was found, escape leaves it."""
    page = show("/console").page
    page.keyboard.press("/")
    page.keyboard.type("revie")
    expect(page.get_by_role("option", name="reviews service")).to_be_visible()
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(r"/console/upstreams/reviews$"))


def test_single_letters_can_be_switched_off(show):
    """WCAG 2.1.4: without single letters `g l` does nothing, and the choice is remembered."""
    page = show("/console").page
    page.keyboard.press("?")
    page.get_by_label("Single letters are commands").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("g")
    page.keyboard.press("l")

    expect(page.locator("h1")).to_have_text("Overview")


def test_a_broken_stream_has_a_bar_with_its_time(show):
    """The bar says since when the page is not live; the figures stay."""
    page = show("/console").page
    page.route("**/console/api/live", lambda route: route.abort())
    page.reload()

    expect(page.get_by_text("Not live since 02:16:40.")).to_be_visible()
    expect(page.get_by_role("button", name="Retry now")).to_be_visible()
    expect(page.get_by_text("612", exact=True)).to_be_visible()


def test_one_panel_fails_alone(show):
    """Where an answer is an error the panel says what to do; Retry loads it again."""
    page = show("/console").page
    problem = '{"title": "mobile did not answer", "detail": "Start it again."}'
    page.route("**/console/api/logs*", lambda route: route.fulfill(status=503, body=problem))
    page.keyboard.press("g")
    page.keyboard.press("l")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The log lines could not be loaded")
    expect(alert).to_contain_text("mobile did not answer. Start it again.")
    page.unroute("**/console/api/logs*")
    page.get_by_role("button", name="Retry").click()

    expect(alert).to_have_count(0)
    expect(page.locator(".lines li").first).to_be_visible()
