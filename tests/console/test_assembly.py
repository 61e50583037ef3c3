"""The pages, files and errors of the console's ASGI app."""

import json

import pytest
from starlette.requests import Request

from bff_core.console.answers import ConsoleProblem
from bff_core.console.assembly import POLICY
from bff_core.console.sources import GatewaySource
from bff_core.console.static_files import StaticFiles
from tests.console.conftest import browser


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/requests/4f"])
async def test_each_page_is_the_same_html(pages, path):
    """A page can be opened by its address; the browser's script shows what it names."""
    async with browser(pages.app()) as client:
        page = await client.get(path)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == POLICY
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"


async def test_the_page_has_the_prefix_and_the_snapshot(pages):
    """Behind a proxy's prefix the addresses begin with it, and names can't leave the snapshot."""
    name = "</script><b>shop"
    console = pages.console([GatewaySource(name=name)])

    async with browser(pages.app(console), root_path="/shop") as client:
        text = (await client.get("/shop/console/requests")).text

    assert '<html data-prefix="/shop" lang="en">' in text
    assert 'href="/shop/console/assets/app.css"' in text
    data = text.partition('id="snapshot">')[2].partition("</script>")[0]
    assert json.loads(data)["installation"]["gateways"][0]["name"] == name


async def test_a_file_is_revalidated(pages):
    """A browser that has a file gets 304, and compressed bytes before."""
    async with browser(pages.app()) as client:
        first = await client.get("/console/assets/app.css")
        again = await client.get(
            "/console/assets/app.css", headers={"if-none-match": first.headers["etag"]}
        )

    assert first.headers["content-type"] == "text/css; charset=utf-8"
    assert first.headers["content-encoding"] == "gzip"
    assert first.text == "body { color: black }\n" * 100
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name",
    [
        "../app.py",
        "%2e%2e/app.py",
        "..%2fapp.py",
        "fonts/../../secret",
        "/etc/passwd",
        "fonts",
        "app.css%00",
        "a" * 5000,
        "",
    ],
)
def test_only_files_of_the_folder_are_served(pages, name):
    """No path reaches a file outside of the assets."""
    (pages.folder.parent / "secret").write_text("secret")

    request = Request({"type": "http", "method": "GET", "headers": []})
    with pytest.raises(ConsoleProblem, match="No such file"):
        StaticFiles(pages.folder).answer(request, name)


async def test_an_absent_area_explains_itself(pages):
    """What a console can't do is an answer that pages can show, not an empty list."""
    async with browser(pages.app()) as client:
        absent = await client.get("/console/api/faults")
        unknown = await client.get("/console/api/nothing")
        wrong = await client.delete(
            "/console/api/installation",
            headers={"content-type": "application/json", "x-bff-console": "1"},
        )

    assert absent.status_code == 501
    assert absent.headers["content-type"] == "application/problem+json"
    assert absent.json()["detail"] == "Faults can be injected where `bff dev` runs the services."
    assert unknown.status_code == 404
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")
