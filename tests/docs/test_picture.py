"""The picture of the README: the answer that it shows is what the example answers."""

import asyncio
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from markdown_pages import DOCS, ROOT, page

from bff_core import Settings, gateway
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, ScriptedTransport, hang, reply

PICTURE = DOCS / "images" / "partial-response.svg"


def lines_of(path: Path) -> list[str]:
    """Return the lines of text of a picture."""
    texts = re.findall(r"<text[^>]*>(.*?)</text>", path.read_text())
    return [re.sub(r"<[^>]*>", "", text) for text in texts]


@pytest.mark.virtual_time
async def test_the_picture_shows_what_a_client_receives(monkeypatch):
    """The reviews give no answer: the phone receives the product, and why the rating is missing."""
    shop = ModuleType("shop")
    monkeypatch.setitem(sys.modules, "shop", shop)
    [code] = [one.text for one in page(ROOT / "README.md").blocks if one.language == "python"]
    exec(code, vars(shop))
    addresses = {"catalog": "10.0.0.1", "reviews": "10.0.0.2"}
    product = reply(200, {"title": "Brightwater Kestrel Tent", "related": []})
    scripts = {"10.0.0.1": Scripted(product), "10.0.0.2": Scripted(hang())}
    app = gateway(
        "mobile",
        services=[shop.Catalog, shop.Reviews],
        faces=[shop.views],
        settings=Settings(
            env="development",
            upstreams={name: (f"http://{address}",) for name, address in addresses.items()},
        ),
        transport=lambda policy, runtime: ScriptedTransport(scripts),
        clock=asyncio.get_running_loop().time,
    )

    async with running(app) as client:
        answer = await client.get("/v1/products/8")

    shown = lines_of(PICTURE)
    assert f"HTTP/1.1 {answer.status_code} OK" in shown
    assert f"part-status: {answer.headers['part-status']}" in shown
    assert answer.text in shown
