"""The pages, files and errors of the console's ASGI app."""

import json
import re

import pytest
from starlette.requests import Request

from bff_core.console.answers import MAX_CHARACTERS, ConsoleProblem
from bff_core.console.console_app import PAGES, POLICY, ConsoleApp
from bff_core.console.sources import GatewaySource
from bff_core.console.static_files import StaticFiles
from tests.console.conftest import CHANGE, browser
from tests.console.npm import ROOT


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


async def test_the_built_page_has_the_snapshot_and_what_it_needs_first(pages):
    """The first paint waits for no other answer, and scripts are not fetched one after another."""
    console = pages.console([GatewaySource(name="shop")])
    async with browser(ConsoleApp(console)) as client:
        text = (await client.get("/console/requests/abc")).text
        scripts = re.findall(r'<link rel="modulepreload" href="(/console/assets/[^"]+)">', text)
        bodies = [(await client.get(one)).text for one in scripts]
    data = text.partition('id="snapshot">')[2].partition("</script>")[0]
    imported = {one for body in bodies for one in re.findall(r'(?:from|import)"\./([^"]+)"', body)}

    assert json.loads(data)["installation"]["gateways"][0]["name"] == "shop"
    assert {"/console/assets/main.js", "/console/assets/requests.js"} <= set(scripts)
    assert {f"/console/assets/{one}" for one in imported} <= set(scripts)
    assert '<link rel="preload" as="style" href="/console/assets/requests.css">' in text
    assert len(text) + sum(map(len, bodies)) < 200_000


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
        others = ("nothing", "overview/x", "sessions/none", "gateways/web", "screens/a/b", "sagas")
        unknown = [await client.get(f"/console/api/{one}") for one in others]
        wrong = await client.delete(
            "/console/api/installation",
            headers={"content-type": "application/json", "x-bff-console": "1"},
        )

    assert absent.status_code == 501
    assert absent.headers["content-type"] == "application/problem+json"
    assert absent.json()["detail"] == "Faults can be injected where `bff dev` runs the services."
    assert [one.status_code for one in unknown] == [404] * len(others)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", "/console"),
        ("/faults", "/console/faults"),
        ("/requests?state=failed", "/console/requests?state=failed"),
        ("//evil.example/", "/console//evil.example"),
        ("/é\r\nx: y", "/console/%C3%A9%0D%0Ax:%20y"),
        ("/console/login", "/console"),
    ],
)
async def test_addresses_beside_the_console_lead_to_it(pages, path, place):
    """At the port of `bff dev` somebody may type a page without /console before it."""
    sent = []

    async def send(message):
        sent.append(message)

    raw, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": raw,
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost:8000")],
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "server": ("localhost", 8000),
    }
    await pages.app()(scope, None, send)

    assert sent[0]["status"] == 307
    assert dict(sent[0]["headers"])[b"location"].decode() == place


async def test_an_unknown_page_is_not_found(pages):
    """The status says so; the script of the page says which pages there are."""
    async with browser(pages.app()) as client:
        unknown = await client.get("/console/nothing/8")
        known = [await client.get(f"/console/{name}") for name in sorted(PAGES)]

    assert (unknown.status_code, unknown.headers["content-type"]) == (
        404,
        "text/html; charset=utf-8",
    )
    assert {one.status_code for one in known} == {200}


def test_the_known_pages_are_those_of_the_scripts():
    """A page that is added to the router is found by the server."""
    router = (ROOT / "console" / "src" / "router.js").read_text()
    named = re.findall(r"^  (\w+): \{ title:", router, re.MULTILINE)

    assert {"", *named} == PAGES


async def test_browsers_get_an_icon(pages):
    """Also where nothing links to one."""
    async with browser(pages.app()) as client:
        icon = await client.get("/favicon.ico")

    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")
    assert "<svg" in icon.text


PARAMETERS = [
    ("GET", "/requests/{}"),
    ("GET", "/requests?text={}"),
    ("GET", "/requests?gateway={}"),
    ("POST", "/requests/{}/replay"),
    ("GET", "/screens/{}"),
    ("GET", "/screens/Home?viewer={}"),
    ("GET", "/screens/Home?product_id={}"),
    ("POST", "/screens/{}/matrix"),
    ("POST", "/screens/{}/break"),
    ("GET", "/upstreams?gateway={}"),
    ("GET", "/upstreams/{}"),
    ("POST", "/upstreams/{}/actions"),
    ("GET", "/sessions?gateway={}"),
    ("POST", "/sagas/shop/{}/resume"),
    ("POST", "/sagas/{}/1/resume"),
    ("GET", "/gateways/{}/openapi.json"),
    ("GET", "/gateways/{}/schema.graphql"),
    ("POST", "/gateways/{}/send"),
    ("GET", "/overview?gateway={}"),
]


@pytest.mark.parametrize(("method", "path"), PARAMETERS)
async def test_a_name_that_is_too_long_is_refused(pages, method, path):
    """With 422 and the most that is possible, before any process is called."""
    async with browser(pages.app(pages.console([GatewaySource(name="shop")]))) as client:
        address = f"/console/api{path.format('x' * (MAX_CHARACTERS + 1))}"
        refused = await client.request(method, address, json={}, headers=CHANGE)

    assert refused.status_code == 422
    assert "1,024 characters" in refused.json()["detail"]


async def test_a_parameter_is_given_once(pages):
    """Of two values none is chosen silently."""
    async with browser(pages.app()) as client:
        refused = await client.get("/console/api/requests?text=a&text=b")

    assert (refused.status_code, refused.json()["title"]) == (422, "text was given twice")
