"""What all pages share: keys, the command field, themes, and what is shown without a stream."""

import re

import pytest
from playwright.sync_api import expect

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
