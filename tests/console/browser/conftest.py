"""The pages in Chromium, served with their fixtures instead of a gateway."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.console.npm import ASSETS, SOURCES

RECORDED = 1_789_957_000
"""When the fixtures were made, in Unix seconds: pages are shown as if it were then."""


@dataclass
class Opened:
    """A page, and what the browser complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        """Remember an error or a warning of the page's console."""
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


def serve(**environ: str) -> Iterator[str]:
    """Serve assets and fixtures on a free port; yield the address."""
    command = ["node", "serve.mjs", "0", str(ASSETS)]
    environment = {**os.environ, "FROZEN": "1", **environ}
    with subprocess.Popen(
        command, cwd=SOURCES, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.search(r"http://[\d.:]+", line)
        assert found, line
        yield found[0]
        server.terminate()


@pytest.fixture(scope="session")
def console() -> Iterator[str]:
    """Serve the pages."""
    yield from serve()


@pytest.fixture(scope="session")
def busy_console() -> Iterator[str]:
    """Serve the pages with 1,000 requests a second in the live stream."""
    yield from serve(RATE="1000")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium; its loop must be gone before another file runs tests of its own."""
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        yield browser
        browser.close()


Show = Callable[..., Opened]


@contextmanager
def windows(console: str, chromium: Browser) -> Iterator[Show]:
    """Yield what opens an address of the console in a window of its own; close all at the end."""
    with ExitStack() as opened_windows:

        def open_page(
            path: str,
            *,
            theme: str = "light",
            width: int = 1440,
            height: int = 900,
            base: str = "",
            is_frozen: bool = True,
        ) -> Opened:
            context = chromium.new_context(
                viewport={"width": width, "height": height},
                color_scheme=theme,
                reduced_motion="reduce",
                timezone_id="UTC",
            )
            opened_windows.callback(context.close)
            context.set_default_timeout(10_000)
            opened = Opened(context.new_page())
            if is_frozen:
                opened.page.clock.set_fixed_time(RECORDED)
            opened.page.on("console", opened.hear)
            opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
            opened.page.goto(f"{base or console}{path}")
            opened.page.wait_for_selector("main section, main .answer, main .panel, main table")
            expect(opened.page.locator("main .loading")).to_have_count(0)  # no panel still loads
            return opened

        yield open_page


@pytest.fixture
def show(console: str, chromium: Browser) -> Iterator[Show]:
    """Return what opens an address of the console in a window of its own."""
    with windows(console, chromium) as open_page:
        yield open_page


@pytest.fixture(scope="session")
def axe(npm_folder: Path) -> str:
    """Return the script of axe-core."""
    return (npm_folder / "node_modules" / "axe-core" / "axe.min.js").read_text()
