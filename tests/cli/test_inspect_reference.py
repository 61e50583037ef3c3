"""The reference application, as `bff` describes it."""

import json
from pathlib import Path

import pytest

from tests.reference_project import gateways_imported_anew

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True, scope="module")
def _own_modules():
    with gateways_imported_anew():
        yield


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    monkeypatch.chdir(ROOT)


def explained(bff, *words):
    return json.loads(bff("explain", *words, "--json").out)


def stages(found):
    """Return the parts of each stage."""
    names: dict[int, set[str]] = {}
    for one in found["parts"]:
        names.setdefault(one["stage"], set()).add(one["part"])
    return [*names.values()]


def test_the_home_screen_of_each_client_is_explained(bff):
    """The phone waits for summaries and prices, the other clients for stock and ratings, too.

    The web page has prices twice: for lines of the cart, which it knows first, and for products.
    """
    mobile = explained(bff, "GET /v1/home")
    desktop = explained(bff, "GET /v1/dashboard")
    web = explained(bff, "Query.home")
    first = {"profile", "cart", "orders", "deals", "picks"}

    assert stages(mobile) == [first, {"summary"}, {"price"}]
    assert stages(desktop) == [
        first | {"payment_methods"},
        {"summary"},
        {"price", "stock", "rating"},
    ]
    assert stages(web) == [
        first | {"payment_methods"},
        {"summary", "payment", "totals", "details", "price"},
        {"price", "stock", "rating"},
    ]
    assert (mobile["worst_case"], mobile["critical_path"]) == (3.1, ["profile", "summary", "price"])
    assert [one["unknown"] for one in (mobile, desktop, web)] == [[], [], []]


def test_the_steps_of_a_purchase_are_explained(bff):
    """A saga runs its steps in order, with tries; only the request's timeout ends the wait.

    The view itself empties the cart afterwards.
    """
    found = explained(bff, "POST /v1/checkout", "--gateway", "mobile")
    text = bff("explain", "POST /v1/checkout", "--gateway", "desktop").out

    steps = ["quote", "reserve", "charge", "place"]
    assert [one["part"] for one in found["parts"]] == [*steps, None]
    assert found["parts"][3]["waits_for"] == ["quote", "reserve", "charge"]
    assert (found["worst_case"], found["is_limited_by_request"]) == (10.0, True)
    assert "its steps in order, each with up to 5 tries" in text
    assert "worst case  10 s: the request's timeout, since Checkout has none of its own" in text


def test_fields_with_an_access_rule_are_listed(bff):
    """The routes of the web gateway show which fields need which scope."""
    fields = {one["path"]: one["access"] for one in json.loads(bff("routes", "web", "--json").out)}

    assert fields["Query.home"] == "signed in"
    assert fields["Home.viewer"] == "signed in, with profile:read"
    assert "Home.deals" not in fields


def test_a_part_that_waits_is_explained_below_it(bff):
    """Related products wait for the product, and load their summaries themselves."""
    text = bff("explain", "GET /v1/products/8", "--gateway", "mobile").out

    web = explained(bff, "Query.product")

    assert {"rating", "price", "stock"} == stages(web)[-1]  # rating has a resolver of its own
    assert "related    ()                waits for product, summary   1.5 s" in text
    assert "  summary  None              catalog  GET /products       1 s" in text


def test_every_screen_of_the_gateways_is_in_the_graph(bff):
    """All calls of all screens are known from source."""
    screens = {one["screen"]: one for one in json.loads(bff("graph", "--json").out)}
    calls = [call for one in screens.values() for part in one["parts"] for call in part["calls"]]

    assert {"Home", "ProductPage", "ProductList", "OrderList", "OrderPage", "CartPage"} < {*screens}
    assert {"Checkout", "PriceList", "OrderExport"} < {*screens}
    assert all(call["method"] and call["path"] for call in calls)
    assert {"gateway": "web", "route": "Query.home"} in screens["Home"]["routes"]
