"""The console shows proxied routes: what they match, where requests go, and their requests."""

from contextlib import asynccontextmanager

import pytest

from bff_core import ANYONE, Limit, Policy, Settings, Upstream, gateway
from bff_core.console.process_commands import process_commands
from bff_core.console.sources import GatewaySource
from bff_core.proxy import Condition, Match, Mirror, Proxy, Route, Split
from bff_core.testing import client, reply
from tests.console.conftest import browser

FILE = """
[upstreams.suppliers]
endpoints = ["http://suppliers.test"]

[[routes]]
id = "suppliers"
match = { path = "/suppliers/{id}", methods = ["GET", "PUT"] }
to = "suppliers"
access = { scopes = ["suppliers:read"] }
max_body = 2_147_483_648
criticality = "sheddable"
"""


class Reviews(Upstream):
    """A service behind a route in Python."""

    policy = Policy(retry=None)


class ReviewsNext(Reviews):
    """Its next version."""


ROUTE = Route(
    "reviews",
    Match("/reviews/{rest:path}", headers={"x-beta": Condition(exists=True)}, order=-1),
    to=Reviews,
    access=ANYONE,
    split=Split(to=ReviewsNext, percent=5, by="viewer"),
    mirror=Mirror(to=ReviewsNext, percent=10),
    limits=(Limit(quota=60),),
)


@pytest.fixture
def shop(tmp_path, pages):
    """Open a gateway with proxied routes, and a client of its console."""
    file = tmp_path / "proxy.toml"
    file.write_text(FILE)
    addresses = {"reviews": ("http://r.test",), "reviews_next": ("http://n.test",)}
    settings = Settings(env="development", auth="demo", log="off", upstreams=addresses)

    def make():
        return gateway("shop", faces=[Proxy(routes=[ROUTE], file=file)], settings=settings)

    @asynccontextmanager
    async def opened():
        scripts = {name: [reply(200)] * 9 for name in (*addresses, "suppliers")}
        async with client(make, scripts, viewer=None) as calls:
            source = GatewaySource(name="shop", commands=process_commands(calls.app))
            async with browser(pages.app(pages.console([source]))) as http:
                yield calls, http

    return opened


async def test_a_route_in_a_file_is_shown_with_its_line(shop):
    """What it matches, its upstream, who may use it, and what differs from the defaults."""
    async with shop() as (_, http):
        _, found = (await http.get("/console/api/gateways/shop/proxy")).json()

    assert found.pop("place").endswith("/proxy.toml:5")
    assert found == {
        "id": "suppliers",
        "path": "/suppliers/{id}",
        "access": "signed in, with suppliers:read",
        "methods": ["GET", "PUT"],
        "conditions": [],
        "targets": [{"upstream": "suppliers", "kind": "main", "percent": 100.0, "by": ""}],
        "files": "",
        "options": ["body up to 2 GiB", "sheddable"],
    }


async def test_a_route_in_python_is_shown_with_its_canary_and_mirror(shop):
    """Its conditions and its order in words."""
    async with shop() as (_, http):
        found, _ = (await http.get("/console/api/gateways/shop/proxy")).json()

    assert (found["id"], found["place"], found["methods"]) == ("reviews", "", [])
    assert found["conditions"] == ["header x-beta exists", "order -1"]
    assert found["targets"] == [
        {"upstream": "reviews", "kind": "main", "percent": 95.0, "by": ""},
        {"upstream": "reviews_next", "kind": "canary", "percent": 5.0, "by": "viewer"},
        {"upstream": "reviews_next", "kind": "mirror", "percent": 10.0, "by": ""},
    ]
    assert found["options"] == ["60 requests a minute by viewer"]


async def test_a_gateway_with_routes_alone_is_no_rest_api(shop):
    """Its page of routes is the proxied one."""
    async with shop() as (_, http):
        (found,) = (await http.get("/console/api/installation")).json()["gateways"]

    assert (found["kinds"], found["has_proxy"], found["has_openapi"]) == ("proxy", True, False)


async def test_a_gateway_without_proxied_routes_has_none(pages):
    """Its API page does not offer them."""
    app = gateway("plain", faces=[], settings=Settings(env="development", log="off"))
    async with client(lambda: app, {}, viewer=None) as calls:
        source = GatewaySource(name="plain", commands=process_commands(calls.app))
        async with browser(pages.app(pages.console([source]))) as http:
            listed = (await http.get("/console/api/gateways/plain/proxy")).json()
            (found,) = (await http.get("/console/api/installation")).json()["gateways"]

    assert (listed, found["has_proxy"], found["kinds"]) == ([], False, "")


STAFF = {"authorization": "Bearer demo-1?scope=suppliers:read"}


@pytest.mark.parametrize(
    ("headers", "status"), [(STAFF, 200), ({}, 401)], ids=["forwarded", "refused"]
)
async def test_a_request_names_its_route(shop, headers, status):
    """Also one that the gateway refused; it is found by the id of the route."""
    async with shop() as (calls, http):
        answer = await calls.get("/suppliers/7", headers=headers)
        listed = (await http.get("/console/api/requests?route=suppliers")).json()["rows"]
        other = (await http.get("/console/api/requests?route=reviews")).json()["rows"]
        searched = (await http.get("/console/api/requests?text=SUPPLIERS")).json()["rows"]

    assert answer.status_code == status
    assert [(one["route"], one["route_id"]) for one in listed] == [("/suppliers/{id}", "suppliers")]
    assert (other, len(searched)) == ([], 1)


async def test_the_call_of_a_proxied_request_is_in_its_waterfall(shop):
    """With the upstream, the id of the route, and the endpoint of its attempt."""
    async with shop() as (calls, http):
        await calls.get("/suppliers/7", headers=STAFF)
        (row,) = (await http.get("/console/api/requests")).json()["rows"]
        detail = (await http.get(f"/console/api/requests/{row['id']}")).json()

    shown = [(one["kind"], one["upstream"], one["name"]) for one in detail["spans"]]
    assert shown[0] == ("call", "suppliers", "GET suppliers")
    assert (detail["calls"], detail["row"]["route_id"]) == (1, "suppliers")
