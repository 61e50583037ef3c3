"""The shop's pages in Chromium: three clients, while services stop and start; a purchase on each.

`SCREENSHOTS=folder` stores the pictures of the documentation (`make screenshots`).
"""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.bffs.pages.browser_shop import (
    COMPLETE,
    Shop,
    Visit,
    new_context,
    shop_with_sign_in,
    visit,
)
from tests.bffs.pages.small_png import shrink
from tests.console.browser.test_pages import RULES, violations
from tests.console.npm import SOURCES, installed

expect.set_options(timeout=20_000)
pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium", "node", "npm")]

CLIENTS = ("phone", "web", "office")
FAILED_PART = re.compile(r"status of 50[0-9] .*/(v1/home|v1/dashboard|graphql)")
"""What browsers log for an answer without a critical part; the page says it in words."""


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """Run the whole shop."""
    with shop_with_sign_in() as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def axe() -> Iterator[str]:
    """Return the script of axe-core."""
    script = Path("node_modules/axe-core/axe.min.js")
    if (SOURCES / script).exists():
        yield (SOURCES / script).read_text()
        return
    with installed() as folder:
        yield (folder / script).read_text()


@pytest.fixture(scope="module")
def start(shop: Shop, chromium: Browser) -> Iterator[Visit]:
    """Open the start page for the first time: a customer is signed in."""
    context = new_context(chromium)
    found = visit(shop, context)
    found.wait_for_story(COMPLETE)
    yield found
    context.close()


@pytest.fixture(autouse=True)
def all_services_run(shop: Shop) -> Iterator[None]:
    """Start what a test has stopped."""
    yield
    shop.start_all()


def picture(found: Visit, name: str) -> None:
    """Store a picture where `SCREENSHOTS` names a folder, with the port that readers have."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        found.page.evaluate(
            """() => { for (const one of document.querySelectorAll(".address"))
                one.textContent = "localhost:8001/store/"; }"""
        )
        found.page.mouse.move(0, 0)
        found.page.wait_for_timeout(500)
        found.page.screenshot(path=Path(folder) / f"{name}.png")
        shrink(Path(folder) / f"{name}.png")


def test_the_first_visit_shows_three_clients(start):
    """Without a click there are three home screens of one customer, and what each received."""
    for client in CLIENTS:
        assert re.search(r"[\d.]+ K?B out of [\d.]+ KB fetched", start.caption(client))
        assert re.search(r"(?s)1 request .*\d+ calls? to services", start.caption(client))
        expect(start.frame(client).get_by_role("heading", name="Rémi")).to_be_visible()
    assert "Signed in as Rémi Guérin" in start.page.locator("#links").inner_text()


def test_bytes_received_are_fewer_than_bytes_fetched(start):
    """The phone receives least, the back office most."""
    sizes = [start.page.locator(f"#{client} .big b").inner_text().split() for client in CLIENTS]
    received = [float(number) * (1024 if unit == "KB" else 1) for number, unit in sizes]

    assert received == sorted(received)


def test_a_start_page_has_no_violations(start, axe):
    """In both themes axe finds nothing."""
    start.wait_for_story(COMPLETE)
    found = {}
    for theme, rules in RULES.items():
        start.page.emulate_media(color_scheme=theme)
        picture(start, f"start-{theme}")
        start.page.evaluate(axe)
        found[theme] = violations(start.page, rules)
    start.page.emulate_media(color_scheme="light")

    assert found == {"light": [], "dark": []}


def test_a_stopped_service_is_said_within_a_second(start, record_property):
    """The badge, the words in the frames and the sentence; nothing moves; then all is complete."""
    before = start.places()
    began = time.monotonic()
    start.service("inventory")
    expect(start.page.locator("#web figcaption")).to_contain_text("stock: not available")
    record_property("seconds until the badge", round(time.monotonic() - began, 2))
    expect(start.frame("web").get_by_text("stock not known").first).to_be_visible()
    expect(start.frame("office").get_by_text("not known").first).to_be_visible()
    start.wait_for_story("the phone stays complete; the web page and the back office show no stock")
    seconds = time.monotonic() - began

    assert "degraded" in start.caption("web")
    assert "complete" in start.caption("phone")
    assert start.places() == before
    assert seconds < 2.0, "a second on an idle machine, two on a busy one"
    picture(start, "start-inventory-stopped")
    start.service("inventory")
    start.wait_for_story(COMPLETE)
    expect(start.frame("web").get_by_text("stock not known")).to_have_count(0)


def test_a_critical_service_leaves_the_last_screen(start):
    """Without users the screens stay, dimmed, with a sentence and Try again; then they are back."""
    start.service("users")
    start.wait_for_story("can't do without profile")
    for client in ("phone", "office"):
        assert "failed" in start.caption(client)
        frame = start.frame(client)
        expect(frame.get_by_text("could not be loaded").first).to_be_visible()
        expect(frame.get_by_text("2610-0015561").first).to_be_visible()
        frame.get_by_role("button", name="Try again").first.click()
        expect(frame.get_by_text("could not be loaded").first).to_be_visible()
    picture(start, "start-users-stopped")
    start.service("users")
    start.wait_for_story(COMPLETE)
    for client in CLIENTS:
        expect(start.frame(client).get_by_text("could not be loaded")).to_have_count(0)


def test_the_three_requests_are_listed_in_the_console(start):
    """The link leads to the requests of one refresh, and to no others."""
    start.wait_for_story(COMPLETE)
    with start.page.context.expect_page() as opened:
        start.page.get_by_role("link", name="These 3 requests").click()
    console = opened.value
    console.wait_for_selector("main")
    expect(console.locator(".rows li")).to_have_count(3)
    console.close()


@pytest.mark.parametrize(
    ("width", "columns"), [(1920, 3), (1280, 3), (1000, 2), (760, 1), (390, 1)]
)
def test_the_page_fits_its_window(start, width, columns):
    """Nothing is wider than the window; narrow windows have the clients below each other."""
    start.page.set_viewport_size({"width": width, "height": 900})
    lefts = start.page.evaluate(
        "[...document.querySelectorAll('.client')].map((n) => n.getBoundingClientRect().left)"
    )
    wide = start.page.evaluate("document.documentElement.scrollWidth")
    start.page.set_viewport_size({"width": 1440, "height": 900})

    assert wide <= width
    assert len(set(lefts)) == columns


@pytest.mark.parametrize(
    ("path", "width", "name"),
    [
        ("/store/", 1280, ""),
        ("/store/products/7", 1280, "store-product"),
        ("/store/cart", 1280, ""),
        ("/store/checkout", 1280, ""),
        ("/phone/", 390, "phone"),
        ("/phone/#/product/7", 390, ""),
        ("/phone/#/cart", 390, ""),
        ("/office/", 1280, "office"),
        ("/office/#/products", 1280, ""),
    ],
)
def test_a_page_alone_has_no_violations_and_no_complaints(start, axe, path, width, name):
    """Each client is a page of its own, too."""
    found = visit(start.shop, start.page.context, path)
    found.page.set_viewport_size({"width": width, "height": 844})
    found.page.wait_for_load_state("networkidle")
    if name:
        picture(found, name)
    found.page.evaluate(axe)
    broken = {}
    for theme, rules in RULES.items():
        found.page.emulate_media(color_scheme=theme)
        broken[theme] = violations(found.page, rules)
    wide = found.page.evaluate("document.documentElement.scrollWidth")
    found.page.close()

    assert broken == {"light": [], "dark": []}
    assert found.complaints == []
    assert wide <= width


def put_into_cart(found: Visit) -> None:
    """Open a product in the web shop, and put it into the cart."""
    web = found.frame("web")
    web.get_by_role("link", name="Kaskade Wren 2 Kitchen Knife").first.click()
    web.locator("#add").click()
    expect(web.get_by_text("in your cart").first).to_be_visible()


def test_a_customer_buys_in_the_web_shop(start):
    """From the home screen over product, cart and checkout to the order, all in its frame."""
    web = start.frame("web")
    put_into_cart(start)
    expect(web.get_by_role("heading", level=1)).to_have_text("Kaskade Wren 2 Kitchen Knife")
    assert "product" in start.caption("web")
    web.locator("#cart-link").click()
    expect(web.get_by_role("heading", name="Your cart")).to_be_visible()
    web.get_by_role("link", name="Go to checkout").click()
    web.locator("#place").click()
    number = web.locator("#order-number")
    expect(number).to_have_text(re.compile(r"\d{4}-\d{7}"))
    bought = number.inner_text()
    web.get_by_role("link", name="See the order").click()
    expect(web.get_by_text(bought).first).to_be_visible()
    web.locator(".logo").first.click()
    expect(web.get_by_role("heading", name="Rémi")).to_be_visible()


def test_a_customer_buys_on_the_phone(start):
    """The same with the phone's own screens."""
    phone = start.frame("phone")
    phone.get_by_role("link", name="Taiga Lab Sorrel").first.click()
    phone.locator("#add").click()
    phone.get_by_role("link", name="Open the cart").click()
    phone.get_by_role("link", name=re.compile("Check out")).click()
    phone.get_by_role("button", name=re.compile("Buy for")).click()
    expect(phone.get_by_role("heading", name="Bought")).to_be_visible()
    phone.get_by_role("link", name="Show the order").click()
    expect(phone.get_by_text("Taiga Lab Sorrel").first).to_be_visible()
    phone.get_by_role("link", name="Orders").click()
    expect(phone.get_by_text(re.compile(r"\d{4}-\d{7}")).nth(3)).to_be_visible()
    phone.get_by_role("link", name="Home").click()
    expect(phone.get_by_role("heading", name="Rémi")).to_be_visible()


def test_the_back_office_orders(start):
    """Orders, prices, cart and a purchase in the wide program."""
    put_into_cart(start)
    office = start.frame("office")
    office.get_by_role("link", name="Orders", exact=True).click()
    expect(office.get_by_text("2610-0015561").first).to_be_visible()
    office.get_by_role("link", name="Prices", exact=True).click()
    expect(office.get_by_role("heading", name="Products and prices")).to_be_visible()
    office.get_by_role("link", name="Cart", exact=True).click()
    office.locator("#buy").click()
    expect(office.get_by_text(re.compile(r"Order \d{4}-\d{7}")).first).to_be_visible()
    office.get_by_role("link", name="Home", exact=True).click()
    expect(office.get_by_role("heading", name="Rémi")).to_be_visible()


def test_the_browser_complained_of_nothing_else(start):
    """After all this its console has only what a stopped service explains."""
    assert [one for one in start.complaints if not FAILED_PART.search(one)] == []


def test_who_signs_out_stays_signed_out(shop, chromium, axe):
    """After a reload there is a button for each customer, and one of them signs in."""
    context = new_context(chromium)
    found = visit(shop, context)
    found.wait_for_story(COMPLETE)
    found.page.get_by_role("button", name="Sign out").click()
    heading = found.page.get_by_role("heading", name="Who is looking?")
    expect(heading).to_be_visible()
    found.page.reload()
    expect(heading).to_be_visible()
    found.page.evaluate(axe)
    assert [violations(found.page, rules) for rules in RULES.values()] == [[], []]
    found.page.get_by_role("button", name="Jonas Hofmann").click()
    found.wait_for_story(COMPLETE)

    assert "Signed in as Jonas Hofmann" in found.page.locator("#links").inner_text()
    expect(found.frame("phone").get_by_role("heading", name="Jonas")).to_be_visible()
    context.close()


def test_without_a_network_the_last_screens_are_there(shop, chromium):
    """The pages open from the cache of the service worker, with the age of what they show."""
    context = new_context(chromium)
    found = visit(shop, context)
    found.wait_for_story(COMPLETE)
    found.page.evaluate("navigator.serviceWorker.ready")
    found.page.wait_for_function("caches.match('/office/').then(Boolean)")
    found.page.reload()
    found.wait_for_story(COMPLETE)
    context.set_offline(True)
    found.page.reload()
    for client in CLIENTS:
        expect(found.page.locator(f"#{client} figcaption")).to_contain_text("offline")
        expect(found.frame(client).get_by_role("heading", name="Rémi")).to_be_visible()
    found.wait_for_story("No client reaches its gateway, so each shows its last screen")
    cached = found.page.evaluate(
        """async () => {
            const names = await caches.keys();
            const lists = await Promise.all(names.map(async (n) => (await caches.open(n)).keys()));
            return lists.flat().map((request) => new URL(request.url).pathname);
        }"""
    )
    context.close()

    allowed = re.compile(r"/(|store/|phone/|office/|pages/.+|pictures/.+)")
    assert [path for path in cached if not allowed.fullmatch(path)] == []


def test_without_a_console_the_page_says_how_a_service_is_stopped(shop, chromium):
    """Under Docker Compose there are no buttons."""
    context = new_context(chromium)
    configuration = {**context.request.get(f"{shop.web}/shop.json").json(), "console": None}
    context.route("**/shop.json", lambda route: route.fulfill(json=configuration))
    found = visit(shop, context)

    expect(found.page.get_by_text("docker compose stop inventory")).to_be_visible()
    expect(found.page.get_by_role("button", name="inventory")).to_have_count(0)
    context.close()


def test_a_service_that_no_screen_needs(start):
    """Sessions and tokens last for a while without their provider."""
    start.service("identity")
    start.wait_for_story("identity is stopped: all three screens stay complete")
