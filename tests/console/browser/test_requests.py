"""The list of requests, one request as a waterfall, and 1,000 requests a second."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium", "node")]

ONE = "/console/requests/317787c320d9"

MAX_TASK_MS = 50
"""Longer ones delay what people do: a *long task* of the W3C."""


def longest_task(page: Page) -> float:
    """Return the most processor time that a task of the page takes within a second, in ms."""
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=["toplevel"])
    page.wait_for_timeout(1000)  # four messages arrive
    events = json.loads(browser.stop_tracing())["traceEvents"]
    main = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    return max(one.get("tdur", 0) / 1000 for one in events if (one["pid"], one["tid"]) in main)


def test_the_newest_request_is_open(show):
    """The page opens the first request, says what happened, and names the row to blame."""
    page = show("/console/requests").page

    expect(page).to_have_url(re.compile("317787c320d9"))
    expect(page.locator(".det .answer")).to_contain_text("Part rating waited 600 ms for reviews")
    expect(page.locator(".wf .sel")).to_contain_text("timeout after 0.6 s")


def test_keys_move_through_the_list(show):
    """`j` opens the next request, `k` the one before, `esc` closes it."""
    page = show(ONE).page
    first = page.locator(".rows [aria-current]")
    expect(first).to_contain_text("GET /v1/dashboard")
    page.keyboard.press("j")
    expect(first).to_contain_text("home")
    page.keyboard.press("k")
    expect(first).to_contain_text("GET /v1/dashboard")
    page.keyboard.press("Escape")

    expect(first).to_have_count(0)


def test_a_phone_shows_the_request_that_was_tapped(show):
    """It is below the list there: the page scrolls to it, and its heading has the focus."""
    page = show("/console/requests", width=390, height=800).page
    page.locator(".rows a").first.click()

    expect(page.locator(".det h2")).to_be_in_viewport()
    expect(page.locator("#request")).to_be_focused()
    assert page.locator("#request").bounding_box()["y"] < 20


def test_a_phone_names_the_pages(show):
    """Below their icons."""
    nav = show("/console/requests", width=390, height=800).page.locator(".nav")

    for word in ("Overview", "Requests", "Screens"):
        expect(nav.get_by_text(word, exact=True)).to_be_in_viewport()


def test_rows_fold_by_keys_and_buttons(show):
    """`←` folds all attempts into their parts, `→` unfolds them, the triangle does one."""
    page = show(ONE).page
    attempts = page.locator(".wf li.attempt")
    expect(attempts).to_have_count(5)
    page.keyboard.press("ArrowLeft")
    expect(attempts).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(attempts).to_have_count(5)
    page.get_by_role("button", name="orders: fold").click()

    expect(attempts).to_have_count(3)


def test_filters_are_in_the_address(show):
    """`d` and the chips change the address, and what the list requests."""
    page = show(ONE).page
    with page.expect_request(re.compile(r"/api/requests\?.*state=degraded")):
        page.keyboard.press("d")
    expect(page.get_by_role("button", name=re.compile("^degraded"))).to_have_attribute(
        "aria-pressed", "true"
    )
    with page.expect_request(re.compile(r"/api/requests\?.*text=home")):
        page.keyboard.press("f")
        page.keyboard.type("home")

    expect(page).to_have_url(re.compile("state=degraded&text=home"))
    with page.expect_request(re.compile(r"/api/requests\?.*screens=1")):
        page.get_by_role("button", name="screens", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?text=home&screens=1$"))


def test_an_empty_list_leads_to_the_form_that_sends_requests(show):
    """That of the first gateway, on a page of the console."""
    page = show("/console/logs").page
    empty = {"rows": [], "rate": 0, "sampled": 1, "degraded": 0, "older": ""}
    page.route(re.compile(r"/api/requests\?"), lambda route: route.fulfill(json=empty))
    page.get_by_role("link", name="Requests").click()
    page.get_by_role("link", name="Send a request").click()

    expect(page).to_have_url(re.compile(r"/console/api\?gateway=\w+$"))
    expect(page.get_by_role("heading", name="API", exact=True)).to_be_visible()


def test_the_json_names_its_parts(show):
    """A line has the part that it came from; a degraded one says so; items unfold."""
    page = show(ONE).page
    lines = page.locator(".json li")
    expect(lines.filter(has_text='"rating": null')).to_contain_text("rating · fallback")
    expect(lines.filter(has_text='"deals"')).to_contain_text("deals · 23 s old")
    count = lines.count()
    lines.get_by_role("button", name="}, +19 ]").click()

    expect(lines.filter(has_text='"rating": null')).to_have_count(20)
    assert lines.count() > count


def test_a_request_is_sent_again_and_compared(show):
    """Replay opens the new request beside the old one, with the differences by part."""
    page = show(ONE).page
    with page.expect_request(lambda sent: sent.method == "POST") as posted:
        page.keyboard.press("r")
    assert posted.value.headers["x-bff-console"] == "1"
    expect(page).to_have_url(re.compile("6d2f90ac8e01.*compare=317787c320d9"))

    table = page.get_by_role("table", name=re.compile("^Parts"))
    expect(table.get_by_role("row", name=re.compile("^whole request"))).to_contain_text("687")
    expect(page.locator(".wf .second").first).to_be_attached()


def test_compare_finds_the_request_itself(show):
    """The one before it with the same route; another one can be chosen, and Escape ends it."""
    page = show(ONE).page
    page.get_by_role("button", name=re.compile("^Compare")).click()

    expect(page).to_have_url(re.compile("317787c320d9.*compare=(?!317787c320d9)"))
    expect(page.get_by_text("Compared with 02:16:")).to_be_visible()
    expect(page.get_by_role("tab", name="Differences")).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="Choose another").click()
    expect(page.get_by_text("Choose the request to compare this one with")).to_be_visible()
    page.locator(".rows a:not(.first)").first.click()
    expect(page).to_have_url(re.compile("requests/(?!317787c320d9).*compare=317787c320d9"))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("compare="))


def test_curl_is_copied(show):
    """`c` copies the command, and the page says so."""
    page = show(ONE).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("c")

    expect(page.get_by_text("Copied as curl")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl -sD- http://localhost")


def test_a_log_line_leads_to_its_request(show):
    """The id at the end of a line opens the request with its log lines."""
    page = show("/console/logs").page
    page.get_by_role("link", name="Request 317787c320d9").first.click()

    expect(page.get_by_role("tab", name="Log lines 6")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel").get_by_text("part.degraded")).to_be_visible()


def test_a_thousand_requests_a_second_do_not_freeze_the_page(show, busy_console):
    """New rows wait while the list is scrolled, tasks stay short, and the list stays bounded."""
    page = show("/console/requests", base=busy_console).page
    page.locator(".rows").evaluate("box => box.scrollTo(0, 400)")
    milliseconds = longest_task(page)

    expect(page.get_by_role("button", name=re.compile(r"new$"))).to_contain_text("500 or more")
    assert page.locator(".rows li").count() < 60
    assert 0 < milliseconds < MAX_TASK_MS
