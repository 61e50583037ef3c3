"""The documentation site: it is built, its links lead somewhere, its search finds what is there."""

import functools
import importlib
import re
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from scripts.docs import site
from scripts.docs.api import PACKAGES, public_names
from scripts.docs.links import dead_links

FOUND_AT = {
    "load shedding": "how-to/load-shedding/",
    "admission control": "how-to/load-shedding/",
    "graceful shutdown": "how-to/graceful-shutdown/",
    "circuit breaker": "layers/breaker/",
    "single-flight": "layers/coalesce/",
    "concurrency limiter": "glossary/",
    "N+1 queries": "how-to/batching/",
    "token refresh": "how-to/browser-sign-in/",
    "N+1": "how-to/batching/",
    "reverse proxy": "how-to/reverse-proxies/",
    "trusted proxies": "how-to/reverse-proxies/",
    "caching": "how-to/caching/",
    "rate limit": "how-to/rate-limits/",
    "authorization": "how-to/authorization/",
    "csrf": "how-to/browser-sign-in/",
    "retries": "how-to/retries/",
    "timeouts": "how-to/timeouts/",
    "saga": "how-to/sagas/",
    "idempotency": "how-to/idempotent-writes/",
    "dead letter": "glossary/",
    "429 Too Many Requests": "how-to/rate-limits/",
    "cache invalidation": "how-to/caching/",
    "custom authenticator": "concepts/request-pipeline/",
    "health check": "how-to/health-checks/",
    "BFF_MAX_CONCURRENT": "reference/settings/",
    "BreakerChanged": "reference/events/",
    "bulkhead_full": "reference/problem-codes/",
    "ScriptedTransport": "reference/api/bff_core.testing/",
}
"""What people search for, and the page that is among the first ten results."""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site in a folder of its own."""
    folder = site.build(tmp_path_factory.mktemp("docs"))
    assert folder, "the output above says why"
    return folder


@pytest.fixture(scope="module")
def address(built: Path) -> Iterator[str]:
    """Serve the site."""
    handler = functools.partial(Quiet, directory=built)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run Debian's Chromium."""
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def search(address: str, browser: Browser) -> Page:
    """Open the site with its search."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    page.get_by_role("button", name="Search").click()
    return page


def test_every_link_of_the_site_leads_somewhere(built):
    """Pages, headings, images and the API reference are where links say."""
    assert dead_links(built) == []


def test_a_dead_link_is_found(tmp_path):
    """A missing page, a missing heading and a missing image are each reported."""
    (tmp_path / "there.html").write_text('<h1 id="title">There</h1>')
    links = ["there.html#title", "there.html#other", "gone.html", "https://shop.example/", "#top"]
    anchors = "".join(f'<a href="{link}">a</a>' for link in links)
    (tmp_path / "index.html").write_text(f'{anchors}<img src="gone.svg"><p id="top">')

    assert dead_links(tmp_path) == [
        "index.html: there.html#other",
        "index.html: gone.html",
        "index.html: gone.svg",
    ]


@pytest.mark.needs("chromium")
def test_a_page_loads_nothing_from_other_hosts(address, browser):
    """The site works offline, and no other host learns who reads it."""
    loaded: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: loaded.append(request.url))
    page.goto(f"{address}how-to/caching/", wait_until="networkidle")

    assert len(loaded) > 3
    assert [url for url in loaded if not url.startswith((address, "data:", "blob:"))] == []


@pytest.mark.needs("chromium")
@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_the_site_follows_the_colours_of_the_system(address, browser, scheme, is_dark):
    """A reader in dark mode is not blinded."""
    page = browser.new_page(color_scheme=scheme)
    page.goto(address)
    background = page.locator("body").evaluate("one => getComputedStyle(one).backgroundColor")
    red, green, blue = map(int, re.findall(r"\d+", background)[:3])

    assert (red + green + blue < 3 * 128) is is_dark


@pytest.mark.parametrize("package", PACKAGES)
def test_the_reference_has_every_public_name(built, package):
    """A class that users import is explained on the page of its package."""
    page = (built / "reference" / "api" / package / "index.html").read_text()
    names = public_names(importlib.import_module(package))

    assert names
    assert [name for name in names if f'id="{name}"' not in page] == []


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("term", FOUND_AT)
def test_the_search_finds(term, search):
    """What people call a thing leads them to its page."""
    box, results = search.get_by_role("combobox", name="Search"), search.get_by_role("option")
    box.fill("")
    expect(results).to_have_count(0, timeout=30_000)  # those of the term before
    box.fill(term)
    expect(results.first).to_be_visible(timeout=30_000)

    links = results.evaluate_all("all => all.map(one => one.href)")
    assert any(FOUND_AT[term] in link for link in links[:10]), links
