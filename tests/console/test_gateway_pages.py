"""The pages of a gateway in development: `/`, `/docs`, `/redoc`, and GraphQL in a browser."""

import base64
import hashlib
import re

import pytest
import strawberry

from bff_core import ANYONE, Composition, Require, Settings, Views, gateway
from bff_core.graphql import GraphQL
from bff_core.testing import running

CONSOLE = "http://localhost:8000/console"
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PRODUCTION = {"env": "production", "allowed_hosts": ("localhost",)}


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def hello(self) -> str:
        return "hello"


class Shelf(Composition):
    """A screen."""

    shelf_id: str


def app(*, docs_url: str | None = None, **settings):
    """Return a gateway with views and GraphQL."""
    views = Views(prefix="/v1", access=ANYONE)

    @views.get("/shelves/{shelf_id}")
    async def get_shelf(shelf: Shelf) -> str:
        """Show a <shelf>.

        More about it.
        """
        return shelf.shelf_id

    @views.post("/orders", access=Require("orders:write"))
    async def post_order() -> str:
        return "1"

    chosen = Settings(**{"env": "development", "auth": "demo", "log": "off", **settings})
    options = {} if docs_url is None else {"docs_url": docs_url}
    faces = [views, GraphQL(strawberry.Schema(Query))]
    return gateway("shop", settings=chosen, faces=faces, **options)


@pytest.fixture
def with_console(monkeypatch):
    """Let `bff dev` run the gateway."""
    monkeypatch.setenv("BFF_DEV_CONSOLE", CONSOLE)


async def fetched(path: str, made=None, **headers: str):
    """Return the answer to a GET."""
    async with running(made or app()) as client:
        return await client.get(path, headers=headers)


@pytest.mark.usefixtures("with_console")
async def test_the_index_lists_routes_and_leads_to_the_console():
    """A route has its summary, its screen and its rule, and leads to the page that can call it."""
    page = await fetched("/", **BROWSER)
    links = re.findall(r'<a href="([^"]*)"', page.text)
    rows = re.findall("<tr><td>.*</tr>", page.text)
    cells = [re.sub("(<[^>]*>)+", "|", row).strip("|").split("|") for row in rows]

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert links[:4] == [CONSOLE, f"{CONSOLE}/api?gateway=shop", "/openapi.json", "/readyz"]
    assert links[4] == (f"{CONSOLE}/api?gateway=shop&amp;kind=rest&amp;op=get_shelf")
    assert cells[0] == [
        "GET /v1/shelves/{shelf_id}", "Show a &lt;shelf&gt;.", "Shelf", "anyone"
    ]  # fmt: skip
    assert [row[0] for row in cells[1:]] == ["POST /v1/orders", "GET POST /graphql"]
    assert "orders:write" in rows[1]


async def test_the_index_allows_its_own_style_only():
    """It has no scripts, loads nothing, and its policy has the hash of its style."""
    page = await fetched("/", **BROWSER)
    style = re.search("<style>(.*)</style>", page.text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policies = page.headers.get_list("content-security-policy")
    wanted = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )

    assert policies == [wanted]
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "//" not in re.sub('href="[^"]*"', "", page.text)


@pytest.mark.usefixtures("with_console")
@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/docs", f"{CONSOLE}/api?gateway=shop"),
        ("/redoc", f"{CONSOLE}/api?gateway=shop"),
        ("/graphql", f"{CONSOLE}/api?gateway=shop&kind=graphql"),
        ("/console", CONSOLE),
        ("/console/requests?state=failed", f"{CONSOLE}/requests?state=failed"),
        ("/console/requests/4f", f"{CONSOLE}/requests/4f"),
    ],
)
async def test_pages_lead_to_the_console_of_the_run(path, location):
    """The redirect is not stored: the next run may have another port."""
    answer = await fetched(path, **BROWSER)

    assert (answer.status_code, answer.headers["location"]) == (307, location)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/graphql"])
async def test_without_a_run_they_lead_to_the_gateways_own_console(path):
    """It is at `/console` of the gateway, below the path of its public URL."""
    alone = await fetched(path, **BROWSER)
    below = await fetched(path, app(public_url="http://localhost/shop"), **BROWSER)
    kind = "&kind=graphql" if path == "/graphql" else ""

    assert alone.headers["location"] == f"/console/api?gateway=shop{kind}"
    assert below.headers["location"] == f"/shop/console/api?gateway=shop{kind}"


async def test_clients_of_graphql_get_what_they_request():
    """A query is answered in a browser as well; without one, a client gets a problem."""
    signed_in = {"authorization": "Bearer demo-1", **BROWSER}
    query = await fetched("/graphql?query={hello}", **signed_in)
    client = await fetched("/graphql", accept="application/json")

    assert query.json() == {"data": {"hello": "hello"}}
    assert client.status_code == 400


async def test_routes_of_the_application_win():
    """Its own `/`, and FastAPI's documentation where it is wanted."""
    made = app(docs_url="/docs")

    @made.get("/", include_in_schema=False)
    async def get_index() -> str:
        return "mine"

    own = await fetched("/", made, authorization="Bearer demo-1", **BROWSER)
    docs = await fetched("/docs", made, **BROWSER)
    written = await fetched("/docs", app(), accept="text/html")

    assert own.json() == "mine"
    assert "swagger" in docs.text
    assert written.status_code == 307


async def test_only_reads_are_answered():
    """A POST to these paths is what it was: not there."""
    async with running(app()) as client:
        answers = [await client.post(path) for path in ("/", "/docs", "/redoc")]
        head = await client.head("/")

    assert [one.status_code for one in answers] == [404, 404, 404]
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.usefixtures("with_console")
@pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/console"])
async def test_production_has_none_of_them(path):
    """Nor does it read the variable."""
    answer = await fetched(path, app(**PRODUCTION, auth="none"), **BROWSER)

    assert answer.status_code == 404
