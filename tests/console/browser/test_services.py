"""Screens, services, faults and sagas: what a click or a key does."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.console.npm import SOURCES

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium", "node")]


def test_the_plan_of_a_screen_is_drawn(show):
    """A node for each part, the longest chain by p95 in amber, and a link to each service."""
    page = show("/console/screens/Home").page

    expect(page.locator(".plan .node")).to_have_count(10)
    expect(page.locator(".plan .node.critical")).to_contain_text("profile")
    expect(page.locator(".plan path.k-fallback")).to_have_count(1)
    expect(page.locator(".plan path.k-work")).to_have_count(2)
    expect(page.locator(".plan a", has_text="rating")).to_have_attribute(
        "href", "/console/upstreams/reviews"
    )


def test_a_service_is_broken_in_the_page(show):
    """A click in the matrix shows each client without the service; `esc` ends the trial."""
    page = show("/console/screens/Home?viewer=2").page
    with page.expect_request(re.compile(r"/screens/Home/break\?viewer=2$")) as sent:
        page.get_by_role("button", name="inventory").click()
    assert json.loads(sent.value.post_data) == {"broken": ["inventory"]}
    assert sent.value.headers["x-bff-console"] == "1"
    expect(page.locator(".experiment")).to_contain_text("inventory fails")
    expect(page.locator(".sbs")).to_contain_text("was 6.7 KB")
    page.keyboard.press("Escape")

    expect(page.locator(".experiment")).to_have_count(0)


def test_keys_move_through_the_services(show):
    """The worst service is open first; `j` opens the next one."""
    page = show("/console/upstreams").page
    chosen = page.locator("tr[aria-current]")
    expect(chosen).to_contain_text("reviews")
    expect(page.get_by_role("img", name=re.compile("Histogram of latency: 24 %"))).to_be_visible()
    page.keyboard.press("j")

    expect(chosen).to_contain_text("recommendations")
    expect(page).to_have_url(re.compile("/upstreams/recommendations$"))


def test_only_what_refuses_traffic_is_confirmed(show):
    """Opening a circuit needs a second click; the result stands in its row."""
    page = show("/console/upstreams/reviews").page
    page.get_by_role("button", name="Open for 60 s").click()
    question = page.get_by_role("group", name="Confirm: Open the circuit")
    expect(question).to_contain_text("Calls of reviews are refused for 60 s.")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    with page.expect_request(re.compile("/upstreams/reviews/actions$")) as sent:
        question.get_by_role("button", name="Open for 60 s").click()
    assert json.loads(sent.value.post_data)["action"] == "open"
    expect(page.locator(".act")).to_contain_text("Circuit of reviews opened for 60 s")
    with page.expect_request(re.compile("/upstreams/reviews/actions$")) as sent:
        page.get_by_role("button", name="Eject for 60 s").click()

    assert json.loads(sent.value.post_data)["endpoint"] == "10.0.9.3:9008"


def test_sliders_apply_after_the_last_movement(show):
    """Several steps are one request; a typed value may be beyond the slider's end."""
    page = show("/console/faults").page
    bodies = []
    page.on("request", lambda one: bodies.append(one.post_data) if one.method == "PUT" else None)
    slider = page.get_by_label("users: errors", exact=True)
    with page.expect_request(lambda one: one.method == "PUT"):
        slider.evaluate("""one => [1, 2, 3, 4, 5].forEach((step) => {
            one.value = step;
            one.dispatchEvent(new Event("input", { bubbles: true }));
        })""")
    with page.expect_request(lambda one: one.method == "PUT"):
        slider.press("ArrowRight")
    typed = page.get_by_label("users: latency, typed")
    with page.expect_request(lambda one: one.method == "PUT"):
        typed.fill("3.5 s")
        typed.press("Enter")

    found = [json.loads(body) for body in bodies]
    assert found[0]["errors"] == 0.05
    assert found[-1]["latency"] == 3.5
    assert len(found) == 3


def test_faults_are_reset_after_a_question(show):
    """`0` needs a second press, `esc` takes it back; services that were stopped are started."""
    page = show("/console/faults").page
    page.get_by_label("users: errors", exact=True).focus()  # a slider takes no letters
    page.keyboard.press("0")
    sure = page.get_by_role("button", name="Reset 3 services")
    expect(sure).to_be_focused()
    page.keyboard.press("Escape")
    expect(sure).to_have_count(0)
    sent = []
    page.on("request", lambda one: sent.append((one.method, one.url)) if one.method != "GET" else 0)
    page.keyboard.press("0")
    sure.click()
    expect(sure).to_have_count(0)

    assert sorted((method, url.partition("/api/")[2]) for method, url in sent) == [
        ("DELETE", "faults/orders"),
        ("DELETE", "faults/reviews"),
        ("POST", "processes/recommendations/start"),
    ]


def test_scenarios_stay_about_the_same_services(show):
    """Also while one of them has stopped; what can't be done then is off."""
    page = show("/console/faults").page
    scenarios = page.get_by_role("article", name="Scenarios").get_by_role("button")

    assert [one.inner_text().split("\n") for one in scenarios.all()] == [
        ["One down", "stop recommendations"],
        ["Slow reviews", "0.4 s, a long tail"],
        ["Peak load", "all +150 ms, 2 % errors"],
        ["Critical hang", "users never answers"],
        ["Garbage", "pricing sends HTML"],
        ["Flapping", "orders: 5 s up, 5 s down"],
    ]
    expect(scenarios.first).to_be_disabled()
    with page.expect_request(re.compile("/faults/users$")) as sent:
        scenarios.nth(3).click()
    assert json.loads(sent.value.post_data)["hang"] == 1


def test_flapping_ends_with_the_page(show):
    """It breaks a service at once; a page that is left lets it answer again."""
    page = show("/console/faults").page
    sent = []
    page.context.on("request", lambda one: sent.append(one.post_data) if one.method == "PUT" else 0)
    with page.expect_request(re.compile("/faults/orders$")):
        page.get_by_role("button", name="Flapping").click()
    expect(page.get_by_role("button", name="Stop flapping")).to_be_visible()
    with page.expect_request(re.compile("/faults/orders$")):
        page.get_by_role("link", name="Overview").click()

    assert [json.loads(one)["errors"] for one in sent] == [1, 0]


def test_a_page_of_many_clients_is_scrolled_within_its_card(show):
    """The matrix is not cut: the window does not scroll sideways, the card does."""
    page = show("/console/screens/Home", width=390).page
    card = page.get_by_role("region", name="Failure matrix")
    sizes = card.evaluate("one => [one.scrollWidth, one.clientWidth, document.body.scrollWidth]")

    assert sizes[0] > sizes[1]
    assert sizes[2] <= 390
    assert card.get_attribute("tabindex") == "0"


def test_a_stopped_service_is_started(show):
    """Its card has no sliders to move, and a button that starts it."""
    page = show("/console/faults").page
    expect(page.get_by_label("recommendations: latency", exact=True)).to_be_disabled()

    with page.expect_request(re.compile("/processes/recommendations/start$")):
        page.get_by_role("button", name="Start recommendations").click()


def test_a_stuck_saga_is_first_and_can_be_retried(show):
    """Its steps are open; the button resumes it and says what happened."""
    page = show("/console/sessions").page
    expect(page.locator("tr[aria-current]")).to_contain_text("stuck")
    expect(page.locator(".steps")).to_contain_text("inventory answered 409: reservation is gone")

    page.get_by_role("button", name="Retry the step").click()
    expect(page.locator(".resume")).to_contain_text("release_stock is tried again now.")


def test_a_session_links_to_its_viewers_requests(show):
    """By the hash that names the viewer there."""
    page = show("/console/sessions").page
    page.get_by_role("table", name="Sessions").get_by_role("link").first.click()

    expect(page).to_have_url(re.compile(r"/console/requests.*\?text=[0-9a-f]+$"))


def test_a_phone_shows_broken_services_first(show):
    """What is stopped, then what has faults; a wide page has the order of the project."""
    page = show("/console/faults", width=390).page
    names = page.locator(".fc h2")
    expect(names.first).to_have_text("recommendations")
    expect(names.nth(1)).to_have_text("orders")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.reload()

    expect(names.first).to_have_text("users")


def test_a_computed_matrix_stays(show):
    """Also when the page is loaded or opened again; the keyboard goes on at the first service."""
    page = show("/console/screens/ProductPage").page
    page.clock.install()
    fixture = json.loads((SOURCES / "fixtures" / "screens.detail.json").read_text())
    cells = [
        {"gateway": c["gateway"], "route": c["route"], "is_used": False} for c in fixture["clients"]
    ]
    matrix = [{"upstream": "reviews", "parts": ["rating"], "cells": cells}]
    found = {**fixture, "has_matrix": True, "matrix": matrix}
    page.route("**/matrix*", lambda route: route.fulfill(json=found))
    page.reload()
    page.get_by_role("button", name="Compute all").click()
    expect(page.locator(".mx")).to_contain_text("not used")
    expect(page.get_by_role("button", name="reviews")).to_be_focused()
    with page.expect_response(re.compile("/api/screens/ProductPage")):
        page.clock.run_for(11_000)
    expect(page.locator(".mx")).to_contain_text("not used")
    page.get_by_role("link", name="Logs").click()
    page.go_back()

    expect(page.locator(".mx")).to_contain_text("not used")
