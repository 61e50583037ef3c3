"""The whole shop with sign-in, and a browser at its pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, FrameLocator, Page, expect

from tests.processes.running_shop import running_shop

SECONDS = 60.0
COMPLETE = "all three screens are complete"


@dataclass(frozen=True)
class Shop:
    """A run of the whole shop: the addresses of its web gateway and of its console."""

    web: str
    console: str

    def start_all(self) -> None:
        """Start the services that a test has stopped."""
        url = f"{self.console}/console/api/services"
        headers = {"x-bff-console": "1", "content-type": "application/json"}
        with httpx.Client(trust_env=False, timeout=20, headers=headers) as client:
            services = client.get(url).json()["services"]
            for service in services:
                if service["state"] != "running":
                    client.post(f"{url}/{service['name']}/start", json={})


@contextmanager
def shop_with_sign_in() -> Iterator[Shop]:
    """Run ten services and three gateways, with sign-in at the mock provider."""
    with running_shop(auth="none") as addresses:
        yield Shop(addresses.web, addresses.console)


@dataclass
class Visit:
    """A browser at the start page, and what its console complained of."""

    page: Page
    shop: Shop
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        """Remember errors and warnings; a refused request has its address."""
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")

    def caption(self, client: str) -> str:
        """Return the words above a client: "phone", "web" or "office"."""
        return self.page.locator(f"#{client} figcaption").inner_text()

    def frame(self, client: str) -> FrameLocator:
        """Return the page of a client."""
        return self.page.frame_locator(f"#{client} iframe")

    def service(self, name: str) -> None:
        """Press the button of a service."""
        self.page.get_by_role("button", name=name).click()

    def wait_for_story(self, text: str) -> None:
        """Wait until the sentence about all clients has these words."""
        expect(self.page.locator("#story")).to_contain_text(text, timeout=SECONDS * 1000)

    def places(self) -> object:
        """Return where buttons and frames are, in pixels."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll(".service, figcaption, .phone, .window")]
                .map((node) => JSON.stringify(node.getBoundingClientRect()))"""
        )


def new_context(chromium: Browser, **options: object) -> BrowserContext:
    """Return a browser that has been nowhere yet."""
    settings = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}
    context = chromium.new_context(**{**settings, **options})
    context.set_default_timeout(SECONDS * 1000)
    return context


def visit(shop: Shop, context: BrowserContext, path: str = "/") -> Visit:
    """Open a page of the shop, and listen to its complaints."""
    found = Visit(context.new_page(), shop)
    found.page.on("console", found.hear)
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.goto(f"{shop.web}{path}")
    return found
