"""Each page in both themes: no violation of accessibility rules, no complaint of the browser."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.browser.conftest import Opened, windows
from tests.console.browser.pages import PAGES

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium", "node", "npm")]

RULES = {"light": {}, "dark": {"runOnly": ["color-contrast", "link-in-text-block"]}}
"""What axe looks for in each theme: only colours differ between the two."""


@pytest.fixture(scope="module", params=list(PAGES))
def named(
    request: pytest.FixtureRequest, console: str, chromium: Browser
) -> Iterator[tuple[str, Opened]]:
    """Open each page once, for all tests of it; yield its name and the page."""
    with windows(console, chromium) as open_page:
        yield request.param, open_page(PAGES[request.param])


def test_a_page_has_no_violations_and_no_complaints(named, axe):
    """In both themes axe finds nothing; `SCREENSHOTS=folder` stores pictures."""
    name, opened = named
    pictures = {f"{name}-{theme}" for theme in RULES}
    found = violations_in_both_themes(opened.page, axe, name, pictures)

    assert found == {"light": [], "dark": []}
    assert opened.complaints == []


def violations_in_both_themes(
    page: Page, axe: str, name: str, pictures: Collection[str]
) -> dict[str, list[str]]:
    """Return what axe finds in each theme; store the pictures among `name-theme`."""
    page.evaluate(axe)
    found = {}
    for theme, rules in RULES.items():
        page.emulate_media(color_scheme=theme)
        found[theme] = violations(page, rules)
        if f"{name}-{theme}" in pictures:
            store_picture(page, f"{name}-{theme}.png")
    return found


def violations(page: Page, rules: dict[str, list[str]]) -> list[str]:
    """Return a line for each element that breaks a rule."""
    result = page.evaluate("rules => axe.run({resultTypes: ['violations'], ...rules})", rules)
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


def test_a_page_is_whole_for_every_reader(named):
    """Landmarks, one title, a way around the navigation; 320 px are enough (400 % zoom)."""
    page = named[1].page

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
