"""`bff routes`, `bff graph` and `bff explain`: what a gateway does, without starting it."""

import json

import pytest

from tests.cli.projects import write_shop

SIGNED = """
from bff_core import Views, gateway
from bff_core.auth import BearerAuthenticator

views = Views()


@views.get("/a")
async def get_a() -> str:
    return "a"


def app():
    return gateway("signed", faces=[views], authenticator=BearerAuthenticator())
"""

PAGED = """
from bff_core import Composition, Policy, Upstream, Views, critical, gateway
from bff_core.service_clients import pages_by_cursor


class Ratings(Upstream):
    policy = Policy(timeout=0.5)

    def all_ratings(self, pages=100):
        async def read_page(cursor):
            found = await self.get("/ratings", dict, query={"cursor": cursor})
            return found["items"], found["next"]

        return pages_by_cursor(read_page, pages=pages)


class Page(Composition):
    ratings: Ratings

    @critical
    async def some(self) -> int:
        return len([one async for one in self.ratings.all_ratings(pages=4)])

    @critical
    async def other(self, source: object) -> int:
        return len([one async for one in source])


views = Views()


@views.get("/some")
async def get_some(page: Page) -> int:
    return await page.some()


@views.get("/other")
async def get_other(page: Page) -> int:
    return await page.other(None)


def app():
    return gateway("paged", faces=[views], services=[Ratings])
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Write the shop once."""
    return write_shop(tmp_path_factory.mktemp("shop"), "inspected_shop")


@pytest.fixture
def here(project, monkeypatch):
    """Work in its folder."""
    monkeypatch.chdir(project)
    return project


def test_routes_have_what_is_declared_on_them(here, bff):
    """Method, path, function, screens, access, limits, criticality and cache of each route."""
    routes = {
        f"{' '.join(one['methods'])} {one['path']}".strip(): one
        for one in json.loads(bff("routes", "mobile", "--json").out)
    }
    product, review = routes["GET /v1/products/{product_id}"], routes["POST /v1/reviews"]

    assert product == {
        "gateway": "mobile",
        "kind": "view",
        "methods": ["GET"],
        "path": "/v1/products/{product_id}",
        "function": "inspected_shop.get_product",
        "screens": ["ProductPage"],
        "access": "anyone",
        "authenticators": [],
        "criticality": "critical",
        "limits": ["600 requests a minute by viewer"],
        "cache": "shared by all viewers",
        "uncached_services": ["reviews"],
        "fast_path": True,
        "route": "",
        "to": "",
    }
    assert (review["access"], review["criticality"]) == (
        "signed in, with reviews:write",
        "sheddable",
    )
    assert review["limits"][1] == "60 requests a minute by viewer"
    assert routes["GET /plain"]["kind"] == "route"
    assert routes["GET HEAD /openapi.json"]["kind"] == "fastapi"


def test_fields_of_graphql_are_listed_as_well(here, bff):
    """A root field has its screen, its access rule and its cache."""
    fields = [
        one for one in json.loads(bff("routes", "web", "--json").out) if one["kind"] == "field"
    ]

    assert [(one["path"], one["screens"], one["access"]) for one in fields] == [
        ("Query.product", ["ProductPage"], "anyone")
    ]


def test_routes_are_a_table_for_people(here, bff):
    """FastAPI's own routes stand apart; a limit of all routes stands above them."""
    out = bff("routes").out

    assert "mobile  inspected_shop:mobile, port 8002\n  limit: 600 requests a minute" in out
    assert "GET     /v1/products/{product_id}  ProductPage  anyone" in out
    assert "FastAPI's own: /openapi.json\n" in out
    assert "  Query.product" in out


def test_a_service_without_a_cache_is_noted(here, bff, monkeypatch):
    """The list of routes does not promise a cache that `bff explain` denies."""
    monkeypatch.setenv("COLUMNS", "200")

    assert "cached without replies of reviews only" in bff("routes", "mobile").out
    explained = bff("explain", "GET /v1/products/{product_id}", "--gateway", "mobile").out
    assert "stores no answer that has a reply of reviews" in explained


def test_a_gateway_has_its_authenticator_of_production(tmp_path, bff, monkeypatch):
    """`BFF_AUTH=demo` hides no authenticator; one that can't be made here is replaced by it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BFF_AUTH", "demo")
    (tmp_path / "signed_shop.py").write_text(SIGNED)
    monkeypatch.setenv("BFF_ISSUER", "https://login.example")
    monkeypatch.setenv("BFF_AUDIENCE", "shop")
    monkeypatch.setenv("BFF_UPSTREAM_IDENTITY", "https://login.example")
    known = json.loads(bff("explain", "/a", "--gateway", "signed_shop:app", "--json").out)
    monkeypatch.delenv("BFF_ISSUER")
    replaced = bff("explain", "/a", "--gateway", "signed_shop:app").out

    assert known["authenticators"] == ["Bearer"]
    assert "by Demo (BFF_AUTH=demo, in development only)" in replaced


def test_nothing_is_written(here, bff):
    """Looking at a project leaves no file behind, not even compiled modules."""
    bff("routes")

    assert sorted(one.name for one in here.iterdir()) == ["inspected_shop.py", "pyproject.toml"]


def test_a_gateway_outside_the_table_is_named_by_module(here, bff):
    """`module:attribute` works without an entry in [tool.bff]."""
    assert json.loads(bff("routes", "inspected_shop:web", "--json").out)


def test_a_graph_shows_parts_and_calls(here, bff):
    """A screen is a tree of its parts, with their calls and the routes that build it."""
    out = bff("graph", "ProductPage").out

    assert out.splitlines()[:4] == [
        "ProductPage  inspected_shop.py",
        "mobile: GET /v1/titles",
        "mobile: GET /v1/products/{product_id}",
        "web: Query.product",
    ]
    assert "├── product  critical\n│   └── catalog  GET /products/{id}\n" in out
    assert "├── stars  optional, else None, 0.4 s\n│   └── reviews  GET /stars/{id}\n" in out


def test_a_graph_for_mermaid_is_a_flowchart(here, bff):
    """Parts, services and routes are nodes, calls are edges with method and path."""
    lines = bff("graph", "mobile", "--format", "mermaid").out.splitlines()

    assert lines[0] == "flowchart LR"
    assert '  part__ProductPage__product -- "GET /products/{id}" --> service__catalog' in lines
    assert '  service__catalog[("catalog")]' in lines


def test_an_explanation_has_order_policies_and_worst_case(here, bff):
    """Parts run in stages; options have their source; the worst case adds up the longest chain."""
    done = bff("explain", "GET /v1/products/8")
    found = json.loads(bff("explain", "GET /v1/products/{product_id}", "--json").out)

    assert [(one["stage"], one["part"], one["at_most"]) for one in found["parts"]] == [
        (1, "product", 1.5),
        (1, "stars", 0.4),
        (2, "title", 1.5),
    ]
    assert found["parts"][0]["calls"] == [
        {
            "service": "catalog",
            "client_method": "product",
            "method": "GET",
            "path": "/products/{id}",
            "is_stream": False,
            "most_calls": 1,
            "once_per": [],
        }
    ]
    assert (found["worst_case"], found["critical_path"]) == (3.0, ["product", "title"])
    assert found["policies"]["catalog"]["timeout"] == {"value": "1.5", "source": "code"}
    assert found["policies"]["catalog"]["attempt_timeout"]["source"] == "default"
    assert "worst case  3 s = product 1.5 s + title 1.5 s, of 10 s for the request" in done.out
    assert "stores no answer that has a reply of reviews, whose policy has no cache" in done.out
    assert "1  product  the answer fails  catalog  GET /products/{id}  1.5 s" in done.out


def test_a_policy_file_is_a_source(here, bff, tmp_path, monkeypatch):
    """An option that the policy file sets is reported as such, and counts in the worst case."""
    file = tmp_path / "policies.toml"
    file.write_text("[catalog]\ntimeout = 0.5\n[reviews.cache]\nttl = 9\n")
    monkeypatch.setenv("BFF_POLICIES", str(file))
    found = json.loads(bff("explain", "GET /v1/products/8", "--gateway", "mobile", "--json").out)
    text = bff("explain", "GET /v1/products/8").out

    assert found["policies"]["catalog"]["timeout"] == {"value": "0.5", "source": "file"}
    assert found["policies"]["catalog"]["public"] == {"value": "on", "source": "code"}
    assert found["policies"]["reviews"]["cache.ttl"] == {"value": "9", "source": "file"}
    assert found["worst_case"] == 1.0
    assert "timeout=0.5  " in text
    assert str(file) in text


def test_the_timeout_of_requests_has_a_source(here, bff, monkeypatch):
    """BFF_TIMEOUT limits the worst case, and the explanation says where the limit comes from."""
    monkeypatch.setenv("BFF_TIMEOUT", "2")
    out = bff("explain", "GET /v1/products/8").out

    assert "timeout      2 s (BFF_TIMEOUT)" in out
    assert "worst case  1.95 s = product 1.5 s + title 0.45 s, of 2 s for the request" in out


def test_a_field_of_graphql_is_explained(here, bff):
    """All parts below the field are listed, since a query may select any of them."""
    found = json.loads(bff("explain", "Query.product", "--json").out)

    assert [(one["stage"], one["part"]) for one in found["parts"]] == [(1, "stars"), (1, "product")]
    assert found["worst_case"] == 1.5


def test_a_stream_has_a_limit_until_its_first_line(here, bff):
    """A stream may last longer than requests do, once it has begun."""
    out = bff("explain", "GET /v1/titles").out

    assert "worst case  1.5 s until the first line; after that the stream has no limit" in out


@pytest.mark.parametrize(
    "words", [("GET", "/v1/products/8"), ("get /v1/products/8",), ("/v1/products/8",)]
)
def test_a_request_may_be_written_without_quotes(here, bff, words):
    """The method is in any case, and GET may be left out."""
    assert bff("explain", *words).out.startswith("GET /v1/products/{product_id}  mobile")


def test_a_path_is_served_by_its_own_route(here, bff):
    """The exact route wins over a template that matches its path as well."""
    assert bff("explain", "GET /v1/products/all").out.startswith("GET /v1/products/all  mobile")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("routes", "mobil"), "there is no gateway 'mobil'"),
        (("routes", "nowhere:app"), "there is no module 'nowhere'"),
        (("routes", "inspected_shop:views"), "is not an application"),
        (("graph", "ProductPag"), "did you mean ProductPage?"),
        (("explain", "GET /v1/product"), "or 'GET /v1/products/{product_id}'"),
        (("explain", "Query.produc"), "did you mean 'Query.product'"),
        (("explain", "PUT /v1/products/8"), "there is no route 'PUT /v1/products/8'"),
    ],
)
def test_a_misspelt_name_is_corrected(here, bff, words, complaint):
    """The nearest names are suggested, with status 2."""
    done = bff(*words)

    assert (done.status, done.out) == (2, "")
    assert complaint in done.err


def test_a_folder_without_a_project_is_explained(tmp_path, bff, monkeypatch):
    """The error says how to make a project."""
    monkeypatch.chdir(tmp_path)

    assert "there is no pyproject.toml" in bff("routes").err


def test_pages_are_explained_and_what_is_not_read_is_unknown(tmp_path, bff, monkeypatch):
    """An iterator shows its calls and counts them; an unknown one has no small worst case."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("BFF_UPSTREAM_RATINGS", "http://ratings.internal:8080")
    (tmp_path / "paged_shop.py").write_text(PAGED)
    known = bff("explain", "/some", "--gateway", "paged_shop:app").out
    unknown = bff("explain", "/other", "--gateway", "paged_shop:app").out
    graph = bff("graph", "paged_shop:app").out

    assert "ratings  GET /ratings, up to 4 calls  2 s" in known
    assert "worst case  2 s = some 2 s" in known
    assert "unknown: iterates source" in unknown
    assert "worst case  unknown: at most 10 s, the request's timeout" in unknown
    assert "ratings  GET /ratings, up to 4 calls" in graph
