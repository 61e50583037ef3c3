"""Each page in both themes: no violation of accessibility rules, no complaint of the browser."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.browser.pages import PAGES

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium", "node", "npm")]

pages = pytest.mark.parametrize("name", PAGES)


@pages
def test_a_page_has_no_violations_and_no_complaints(show, axe, name):
    """In both themes axe finds nothing; `SCREENSHOTS=folder` stores pictures."""
    opened = show(PAGES[name])
    opened.page.evaluate(axe)

    found = {}
    for theme in ("light", "dark"):
        opened.page.emulate_media(color_scheme=theme)
        found[theme] = violations(opened.page)
        store_picture(opened.page, f"{name}-{theme}.png")
    assert found == {"light": [], "dark": []}
    assert opened.complaints == []


def violations(page: Page) -> list[str]:
    """Return a line for each element that breaks a rule."""
    result = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['html'][:160]}: {node['failureSummary']}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def store_picture(page: Page, name: str) -> None:
    """Store a picture where `SCREENSHOTS` names a folder."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / name)


@pages
def test_a_page_is_whole_for_every_reader(show, name):
    """Landmarks, one title, a way around the navigation; 320 px are enough (400 % zoom)."""
    page = show(PAGES[name]).page

    for role in ("navigation", "banner", "main"):
        expect(page.get_by_role(role)).to_have_count(1)
    expect(page.locator("h1")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_shapes_take_the_colours_that_a_reader_sets(show):
    """With forced colours all shapes of states have the colour of text."""
    page = show("/console").page
    page.emulate_media(forced_colors="active")

    colors = page.evaluate(
        "[...document.querySelectorAll('svg.dot, svg.shape')].map((e) => getComputedStyle(e).color)"
    )
    assert len(colors) > 3
    assert len(set(colors)) == 1
