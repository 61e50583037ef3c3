"""A console over gateways of this process, and a client that is a browser on this machine."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bff_core.console.console import Console
from bff_core.console.console_app import ConsoleApp
from bff_core.console.sign_in.access import Access
from bff_core.console.sources import GatewaySource, Sources
from bff_core.console.static_files import StaticFiles
from tests.console.npm import installed

INDEX = (
    '<!doctype html><html lang="en"><head><link rel="stylesheet" href="/console/assets/app.css">'
    '</head><body><script type="application/json" id="snapshot">{}</script></body></html>'
)

CHANGE = {"content-type": "application/json", "x-bff-console": "1"}
"""The headers of an unsafe request of a page."""


def browser(app, *, url: str = "http://localhost", root_path: str = "") -> httpx.AsyncClient:
    """Return a client that calls an ASGI app as a browser on this machine."""
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 50000), root_path=root_path)
    return httpx.AsyncClient(transport=transport, base_url=url)


@dataclass
class Pages:
    """Builds consoles whose pages are these files."""

    folder: Path

    def console(self, sources: Iterable[GatewaySource] = ()) -> Console:
        """Return a console in development."""
        return Console(Sources(sources), is_development=True, access=Access(is_development=True))

    def app(self, console: Console | None = None):
        """Return the ASGI app of a console."""
        return ConsoleApp(console or self.console(), StaticFiles(self.folder))


@pytest.fixture
def pages(tmp_path) -> Pages:
    """Pages of three files."""
    (tmp_path / "index.html").write_text(INDEX)
    (tmp_path / "app.css").write_text("body { color: black }\n" * 100)
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "mark.svg").write_text("<svg/>")
    return Pages(tmp_path)


@pytest.fixture(scope="session")
def npm_folder() -> Iterator[Path]:
    """Return a copy of the sources of the pages, with their packages; gone after the session."""
    with installed() as folder:
        yield folder
