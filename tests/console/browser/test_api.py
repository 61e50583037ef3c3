"""The API page: the reference, the form that sends, and the GraphQL explorer under the policy."""

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console.browser.conftest import RECORDED
from tests.console.npm import SOURCES

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium", "node")]

REST = "/console/api?gateway=mobile"
GRAPHQL = "/console/api?gateway=web"


def test_an_operation_is_sent_and_its_parts_are_shown(show):
    """The form fills the path, the body and the token; the response shows what is degraded."""
    page = show(f"{REST}&op=put_item").page
    page.get_by_label("sku (path)").fill("MUG-RED")
    page.locator("#body-panel input").fill("3")
    with page.expect_request(re.compile("/gateways/mobile/send$")) as sent:
        page.keyboard.press("Control+Enter")
    body = json.loads(sent.value.post_data)
    assert (body["method"], body["path"]) == ("PUT", "/v1/cart/items/MUG-RED")
    assert ["Authorization", "Bearer demo-1"] in body["headers"]
    assert json.loads(body["body"]) == {"quantity": 3}

    expect(page.locator(".sent .parts")).to_contain_text("fallback timeout")
    expect(page.get_by_role("link", name="Open the request")).to_be_visible()


def test_a_token_is_not_written_into_code(show):
    """Other tokens than those of demo users are placeholders in the snippets."""
    page = show(REST).page
    page.get_by_label("bearer token").fill("eyJ-secret")

    expect(page.locator("#snippet")).to_contain_text("Bearer $TOKEN")
    for language in ("TypeScript", "Python"):
        page.get_by_role("tab", name=language).click()
        expect(page.locator("#snippet")).to_contain_text("token")
        expect(page.locator("#snippet")).not_to_contain_text("eyJ-secret")


def silence(page: Page, gateway: str) -> None:
    """Open the page again; once it has its document, the stream says that no process answers."""
    overview = json.loads((SOURCES / "fixtures" / "overview.json").read_text())
    for one in overview["installation"]["gateways"]:
        if one["name"] == gateway:
            one |= {"health": "failed", "workers": [], "kinds": "", "graphql": ""}
            one |= {"has_openapi": False, "credentials": []}
    streams: list[Route] = []

    def hold(route: Route) -> None:  # Playwright takes no bound methods of built-in types
        streams.append(route)

    page.route("**/console/api/live", hold)
    page.reload()
    page.locator("#try-form").wait_for()
    news = json.dumps({"time": RECORDED, "overview": overview})
    while not streams:
        page.wait_for_timeout(10)
    streams[0].fulfill(content_type="text/event-stream", body=f"data: {news}\n\n")


def test_the_page_stays_with_a_gateway_that_does_not_answer(show):
    """Its document stays, and nothing is sent: not to it, and not to another gateway."""
    page = show(f"{REST}&op=put_item").page
    silence(page, "mobile")

    expect(page.locator(".try")).to_contain_text("mobile does not answer")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    expect(page.get_by_label("Gateway", exact=True)).to_have_value("mobile")
    expect(page.locator(".routes")).to_contain_text("/v1/cart/items/{sku}")


def explorer(page: Page) -> Page:
    """Wait for the editor; put the cursor behind the field `count`."""
    page.get_by_label("GraphQL operation").wait_for()
    page.locator(".cm-line", has_text="count").click()
    page.keyboard.press("End")
    return page


def pass_seconds(page: Page) -> None:
    """Move the clock, which stands still, beyond the delays of the editor."""
    page.clock.set_fixed_time(RECORDED + 5)


def test_the_explorer_completes_and_obeys_the_policy(show):
    """Fields of the schema are offered, wrong ones underlined; its styles break no policy."""
    opened = show(GRAPHQL)
    page = explorer(opened.page)
    page.keyboard.press("Enter")
    page.keyboard.type("li")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("lines")
    page.keyboard.press("Escape")
    page.keyboard.type("xx")
    pass_seconds(page)

    expect(page.locator(".cm-lintRange-error")).to_have_text("lixx")
    assert page.locator("style").count() == 0
    assert opened.complaints == []


def test_typing_over_a_selection_obeys_the_policy(show):
    """A browser would keep the look of the old text by an inline style."""
    opened = show(GRAPHQL)
    page = explorer(opened.page)
    page.keyboard.press("Control+A")
    page.keyboard.type("{")
    page.keyboard.type(" cart")

    expect(page.locator(".main-editor .cm-content")).to_have_text("{ cart}")
    assert opened.complaints == []


def test_the_explorer_documents_a_field_on_hover(show):
    """The signature of a field, with its type."""
    page = explorer(show(GRAPHQL).page)
    page.locator(".cm-line", has_text="count").hover(position={"x": 45, "y": 8})
    pass_seconds(page)

    expect(page.locator(".cm-tooltip .cm-docs")).to_contain_text("Cart.count: Int!")


def test_the_explorer_sends_and_remembers(show):
    """Ctrl Enter sends operation and variables; the history has it after a reload, no token."""
    page = explorer(show(GRAPHQL).page)
    with page.expect_request(re.compile("/gateways/web/send$")) as sent:
        page.keyboard.press("Control+Enter")
    body = json.loads(sent.value.post_data)
    assert body["path"] == "/graphql"
    assert "cart" in json.loads(body["body"])["query"]
    expect(page.locator(".answerbox")).to_contain_text("Rémi")
    page.reload()
    expect(page.get_by_label("History").locator("option")).to_have_count(3)

    assert "demo-1" not in page.evaluate("JSON.stringify(localStorage)")


def test_letters_in_the_editor_are_no_commands(show):
    """Typing `g r` writes; `esc` leaves the editor, then `g r` opens another page."""
    page = explorer(show(GRAPHQL).page)
    page.keyboard.type(" gr")
    expect(page).to_have_url(re.compile("/console/api"))
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.type("gr")

    expect(page).to_have_url(re.compile("/console/requests"))
