"""The back office in Chromium: prices, orders, export and purchase, with services that fail."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect, sync_playwright

from tests.processes.ports import free_port
from tests.processes.settings import PATIENT

pytestmark = pytest.mark.needs("chromium")

SECONDS = 30.0
"""How long a busy machine may take for what is expected."""

STAFF, CUSTOMER, BUYER = "9", "1", "2"
"""Demo customers: who may change prices, one with 48 orders, one with 1,200."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        yield browser
        browser.close()
    expect.set_options(timeout=5000)


@pytest.fixture(scope="module")
def office_url(serve, served_mocks, run_module) -> Iterator[str]:
    """Serve the pages, and the desktop gateway without caches on another origin."""
    port = free_port()
    with serve("web", SHOP_DESKTOP_URL=f"http://127.0.0.1:{port}") as web:
        environ = {"BFF_CORS_ORIGINS": web.url, "BFF_CACHE_SIZE": "0"}
        command = ("uvicorn", "bffs.desktop.app:app", f"--port={port}", "--log-level=warning")
        environ = served_mocks.environment | PATIENT | environ
        path = f"/orders/export?customer_id={BUYER}"
        assert served_mocks._ask("orders", "GET", path).is_success  # made once, which takes a while
        with run_module(*command, ports=[port], path="/readyz", **environ):
            yield f"{web.url}/office/"


@pytest.fixture
def open_office(chromium, office_url):
    """Return a function that opens the back office as a customer, 1,280 pixels wide."""
    contexts = []

    def opened(customer: str, address: str = "#/", width: int = 1280) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, service_workers="block"
        )
        contexts.append(context)
        chosen = f"localStorage.setItem('shop:demo-customer', '{customer}')"
        context.add_init_script(chosen)
        page = context.new_page()
        page.goto(f"{office_url}{address}")
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def prices_put_back(served_mocks) -> Iterator[list[tuple[str, int]]]:
    """Put back what a test changes: a list of SKUs and amounts."""
    before: list[tuple[str, int]] = []
    yield before
    for sku, amount in before:
        wanted = {"amount": amount, "currency": "EUR"}
        assert served_mocks._ask("pricing", "PUT", f"/skus/{sku}/price", json=wanted).is_success


def fields(page: Page):
    """Return the fields of prices, once they are there."""
    found = page.locator("input.price-field")
    expect(found.first).to_be_visible()
    return found


def cents(text: str) -> int:
    """Return "91.90" in minor units."""
    return round(float(text) * 100)


def typed(amount: int) -> str:
    """Return minor units as somebody types them."""
    return f"{amount / 100:.2f}"


def sku_of(page: Page, row: int) -> str:
    """Return the SKU of a row of the recommended stock."""
    return (
        page.get_by_role("table", name="Recommended stock").locator("td.code").nth(row).inner_text()
    )


def posts(page: Page, path: str) -> list[Request]:
    """Return the list that each POST to a path will be appended to."""
    found: list[Request] = []
    page.on("request", lambda one: found.append(one) if _is_post(one, path) else None)
    return found


def _is_post(request: Request, path: str) -> bool:
    return request.method == "POST" and request.url.endswith(path)


def cut(route: Route) -> None:
    """Give a POST no answer."""
    if route.request.method == "POST":
        route.abort()
    else:
        route.continue_()


def end_early(route: Route) -> None:
    """Leave out the end of an export, from the middle of a row on."""
    if route.request.method != "GET":
        route.continue_()
        return
    response = route.fetch()
    body = response.body()
    route.fulfill(response=response, body=body[: body.index(b"}", len(body) // 3)])


def test_each_price_is_saved_or_refused_in_its_row(open_office, prices_put_back):
    """What is saved is the price now; what is refused stays as it was typed, with the reason."""
    page = open_office(STAFF)
    first, second, third = (fields(page).nth(row) for row in range(3))
    before = cents(first.input_value())
    prices_put_back.append((sku_of(page, 0), before))
    first.fill(typed(before + 100).replace(".", ","))
    second.fill("0.01")
    third.fill("1x")
    page.get_by_role("button", name="Save 2 prices").click()

    expect(page.get_by_text("1 saved, 1 refused.")).to_be_visible()
    expect(first).to_have_value(typed(before + 100))
    expect(page.get_by_text("a change of more than 50%")).to_be_visible()
    expect(page.get_by_text("“1x” is not a price.")).to_be_visible()
    page.reload()
    expect(fields(page).nth(0)).to_have_value(typed(before + 100))
    expect(fields(page).nth(1)).to_have_value("0.01")


def test_a_refresh_changes_nothing_that_is_typed(open_office):
    """Neither the text nor the place of the caret."""
    page = open_office(STAFF)
    field = fields(page).nth(1)
    field.fill("123.45")
    field.press("ArrowLeft")
    with page.expect_response(re.compile("/v1/dashboard")):
        page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator(".screen[aria-busy]")).to_have_count(0)

    assert page.evaluate("document.activeElement.value") == "123.45"
    assert page.evaluate("document.activeElement.selectionStart") == len("123.45") - 1


def test_a_save_without_an_answer_is_repeated_under_its_key(open_office, prices_put_back):
    """The same request has the same key, also after the page was loaded again."""
    page = open_office(STAFF)
    sent = posts(page, "/v1/prices/bulk")
    before = cents(fields(page).nth(0).input_value())
    prices_put_back.append((sku_of(page, 0), before))
    fields(page).nth(0).fill(typed(before + 200))
    page.route("**/v1/prices/bulk", cut)
    page.get_by_role("button", name="Save 1 price").click()
    expect(page.get_by_text("Not known whether prices were saved")).to_be_visible()
    page.unroute("**/v1/prices/bulk")
    page.reload()
    page.get_by_role("button", name="Retry 1 price").click()
    expect(page.get_by_text("1 saved.")).to_be_visible()

    first, second = (request.headers["idempotency-key"] for request in sent)
    assert first == second


def test_prices_are_read_only_without_their_scope(open_office):
    """A sentence says who may change them."""
    page = open_office(CUSTOMER)

    expect(page.get_by_text("only staff (customer 9) have the scope prices:write")).to_be_visible()
    expect(page.locator("input.price-field")).to_have_count(0)


@pytest.mark.parametrize("width", [525, 1280])
def test_what_is_missing_is_said_in_its_place(open_office, served_mocks, width):
    """Stock is not known, the other columns stay where they are."""
    page = open_office(STAFF, width=width)
    table = page.get_by_role("table", name="Recommended stock")
    expect(table.locator("td.code").first).to_be_visible()
    places = "[...document.querySelectorAll('th')].map((one) => one.getBoundingClientRect().x)"
    before = page.evaluate(places)
    with served_mocks.fault("inventory", kind="error", status=503):
        page.get_by_role("button", name="Reload").click()
        expect(table.get_by_text("not known").first).to_be_visible()

    assert page.evaluate(places) == before


def test_a_list_that_is_missing_is_not_called_empty(open_office, served_mocks):
    """The sentence names the part and the reason."""
    page = open_office(STAFF)
    with served_mocks.fault("orders", kind="error", status=503):
        page.get_by_role("button", name="Reload").click()
        expect(page.get_by_text("Orders are not known: orders failed")).to_be_visible()
    expect(page.get_by_text("No orders yet.")).to_have_count(0)


def test_a_failed_screen_is_dimmed_until_it_is_loaded_again(open_office, served_mocks):
    """The last screen stays; Try again brings the next one."""
    page = open_office(STAFF)
    fields(page)
    with served_mocks.fault("users", kind="error", status=503):
        page.get_by_role("button", name="Reload").click()
        expect(page.get_by_text("Home could not be loaded: profile failed")).to_be_visible()
        expect(page.locator(".is-dimmed td.code").first).to_be_visible()
    page.get_by_role("button", name="Try again").click()

    expect(page.locator(".is-dimmed")).to_have_count(0)
    expect(page.get_by_text("could not be loaded")).to_have_count(0)


def test_orders_are_sorted_turned_and_opened_by_keys(open_office):
    """Arrows move through rows, Enter opens one beside the list, Escape closes it."""
    page = open_office(CUSTOMER, "#/orders")
    links = page.locator("a.row-link")
    expect(links).to_have_count(25)
    page.get_by_role("button", name="Total €").click()
    totals = [
        float(one.replace(",", "")) for one in page.locator("td:last-child").all_inner_texts()
    ]
    links.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    number = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.locator("#order-title")).to_have_text(number)
    expect(page.get_by_text("Subtotal")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#order-title")).to_have_count(0)
    page.get_by_role("link", name="Next").click()

    expect(page.locator(".pager")).to_contain_text(re.compile("26.48 of 48"))
    assert totals == sorted(totals)


def test_an_export_goes_on_after_a_break(open_office, tmp_path: Path):
    """It says how many rows came, and the file has each row once."""
    page = open_office(BUYER, "#/export")
    expect(page.get_by_text("1,200 orders, newest first")).to_be_visible()
    page.route("**/v1/orders/export", end_early)
    page.get_by_role("button", name="Start the export").click()
    broken = re.compile(r"broke after \d+ of 1,200 rows: the stream ended within a row")
    expect(page.locator(".export-sentence")).to_contain_text(broken)
    page.unroute("**/v1/orders/export")
    page.get_by_role("button", name=re.compile("Go on from row")).click()
    expect(page.locator(".export-sentence")).to_contain_text("Complete: 1,200 rows")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "orders.csv")

    head, *rows = (tmp_path / "orders.csv").read_text().splitlines()
    assert head == "number,placed_at,status,total,currency,lines"
    assert len(set(rows)) == len(rows) == 1200


def test_an_export_can_be_cancelled(open_office, served_mocks):
    """What came stays, and can be saved."""
    page = open_office(BUYER, "#/export")
    expect(page.get_by_text("1,200 orders, newest first")).to_be_visible()
    with served_mocks.fault("orders", kind="drip", size=4000, interval=0.05):
        page.get_by_role("button", name="Start the export").click()
        expect(page.locator("td.code").first).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator(".export-sentence")).to_contain_text("Cancelled after")

    expect(page.get_by_role("button", name="NDJSON")).to_be_visible()


def test_a_purchase_without_an_answer_has_one_key_until_its_outcome_is_known(
    open_office, served_mocks
):
    """Finding out sends the same request; a refusal then says that nothing was bought."""
    page = open_office(STAFF, "#/cart")
    sent = posts(page, "/v1/checkout")
    page.route("**/v1/checkout", cut)
    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_text("Not known whether the order was placed")).to_be_visible()
    expect(page.get_by_role("radio").first).to_be_disabled()
    page.unroute("**/v1/checkout")
    with served_mocks.fault("payments", route="POST /charges", kind="error", status=402):
        page.get_by_role("button", name="Find out").click()
        expect(page.get_by_text("The payment was refused.")).to_be_visible()

    first, second = (request.headers["idempotency-key"] for request in sent)
    assert first == second
    expect(page.get_by_text("Nothing was bought.")).to_be_visible()
    expect(page.get_by_role("button", name="Place order")).to_be_enabled()
