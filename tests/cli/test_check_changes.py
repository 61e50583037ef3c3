"""`bff check` finds which of thirty changes of a service touch what views use."""

import json

import pytest

from bff_core.cli.check.code import loaded_gateways
from bff_core.cli.check.options import CheckOptions
from bff_core.cli.check.run import usage_of
from bff_core.cli.check.service_contracts import service_results
from bff_core.cli.environment import development_project
from tests.cli.contract_project import NUMBER, TEXT, changed, write_project

PRODUCT = "mobile: GET /v1/products/{product_id}"
SEARCH = "mobile: GET /v1/search"
BUY = "mobile: POST /v1/orders"
CANCEL = "mobile: DELETE /v1/orders/{number}"
LABEL = "desktop: GET /v1/products/{product_id}/label"
MAKER = "desktop: GET /v1/makers/{product_id}"
EXPORT = "desktop: GET /v1/export"


def product(document):
    return document["components"]["schemas"]["Product"]


def order(document):
    return document["components"]["schemas"]["Order"]


def drop(schema, name):
    del schema["properties"][name]
    schema["required"] = [one for one in schema["required"] if one != name]


def operation(document, path, method="get"):
    return document["paths"][path][method]


def reply(document, path, method="get"):
    (content,) = operation(document, path, method)["responses"]["200"]["content"].values()
    return content["schema"]


def body(document):
    content = operation(document, "/orders", "post")["requestBody"]["content"]
    return content["application/json"]["schema"]


def without_title(document):
    drop(product(document), "title")


def without_amount(document):
    drop(product(document)["properties"]["price"], "amount")


def amount_is_text(document):
    product(document)["properties"]["price"]["properties"]["amount"] = TEXT


def title_may_be_null(document):
    product(document)["properties"]["title"] = {"type": ["string", "null"]}


def title_is_optional(document):
    product(document)["required"].remove("title")


def without_weight(document):
    drop(product(document), "weight")


def without_country(document):
    drop(product(document)["properties"]["maker"], "country")


def country_is_number(document):
    product(document)["properties"]["maker"]["properties"]["country"] = NUMBER


def new_status(document):
    product(document)["properties"]["status"]["enum"].append("recalled")


def without_state(document):
    drop(order(document), "state")


def without_number(document):
    drop(order(document), "number")


def without_available(document):
    drop(reply(document, "/stock")["items"], "available")


def without_items(document):
    drop(reply(document, "/products"), "items")


def new_query_parameter(document):
    parameter = {"name": "shop", "in": "query", "required": True, "schema": TEXT}
    operation(document, "/products")["parameters"].append(parameter)


def without_query_parameter(document):
    parameters = operation(document, "/products")["parameters"]
    parameters[:] = [one for one in parameters if one["name"] != "limit"]


def limit_is_text(document):
    operation(document, "/products")["parameters"][1]["schema"] = {"type": "boolean"}


def new_body_field(document):
    body(document)["required"].append("shop")
    body(document)["properties"]["shop"] = TEXT


def quantity_is_text(document):
    body(document)["properties"]["quantity"] = TEXT


def without_delete(document):
    del document["paths"]["/orders/{number}"]


def without_post(document):
    del document["paths"]["/orders"]["post"]


def with_token(document):
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    operation(document, "/stock")["security"] = [{"token": []}]


def without_subtitle(document):
    drop(product(document), "subtitle")


def without_colour(document):
    drop(product(document), "colour")


def without_comment(document):
    drop(order(document), "comment")


def without_cursor(document):
    drop(reply(document, "/products"), "next_cursor")


def without_depot(document):
    drop(reply(document, "/stock")["items"], "depot")


def without_depot_parameter(document):
    operation(document, "/stock")["parameters"].pop()


def gift_is_text(document):
    body(document)["properties"]["gift"] = TEXT


def without_admin(document):
    del document["paths"]["/admin"]


def new_field(document):
    product(document)["properties"]["stars"] = NUMBER


def renamed_parameter(document):
    found = document["paths"].pop("/products/{productId}")
    found["get"]["parameters"][0]["name"] = "id"
    document["paths"]["/products/{id}"] = found


PAGES = {PRODUCT, LABEL, MAKER}
"""The views that get a product by its id."""

USED = [
    (without_title, {*PAGES, SEARCH}),
    (without_amount, PAGES),
    (amount_is_text, PAGES),
    (title_may_be_null, {*PAGES, SEARCH}),
    (title_is_optional, {*PAGES, SEARCH}),
    (country_is_number, PAGES),
    (new_status, {SEARCH}),
    (without_state, {EXPORT}),
    (without_number, {BUY}),
    (without_available, {PRODUCT}),
    (without_items, {SEARCH}),
    (new_query_parameter, {SEARCH}),
    (limit_is_text, {SEARCH}),
    (new_body_field, {BUY}),
    (quantity_is_text, {BUY}),
    (without_delete, {CANCEL}),
    (without_post, {BUY}),
    (with_token, {PRODUCT}),
]
"""Changes that touch what views use, each with the views: also those that can't decode replies."""

UNUSED = [
    *(without_subtitle, without_colour, without_comment, without_cursor, without_depot),
    *(without_depot_parameter, gift_is_text, without_admin, new_field, renamed_parameter),
]
"""Changes that touch nothing that a view uses."""

DOUBTFUL = [
    (without_weight, {LABEL}),
    (without_country, {MAKER}),
    (without_query_parameter, {SEARCH}),
]
"""Changes that touch what a view uses, and may do no harm."""


@pytest.fixture(scope="module")
def usage(tmp_path_factory):
    """Return the project and what its views use."""
    folder = write_project(tmp_path_factory.mktemp("contracts"), "shop_of_thirty_changes")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("BFF_ENV", "development")
        project = development_project()
        loaded, failed = loaded_gateways(project, list(project.gateways))
        assert not failed
        yield project, usage_of(project, loaded).uses()


@pytest.fixture
def results(usage, tmp_path):
    """Return a function that compares the pinned contract with a changed one."""
    project, uses = usage

    def compare(change):
        file = tmp_path / "live.json"
        file.write_text(json.dumps(changed(change)))
        options = CheckOptions(live={"catalog": str(file)})
        return list(service_results(project, uses, options))

    return compare


def test_there_are_thirty_changes():
    """The fixture is as long as it says."""
    assert len(USED) + len(UNUSED) + len(DOUBTFUL) >= 30


@pytest.mark.parametrize(("change", "views"), USED, ids=lambda one: getattr(one, "__name__", ""))
def test_a_change_of_what_is_used_is_an_error(results, change, views):
    """A breaking change that touches a used field names the views that use it, and no others."""
    errors = [
        one for one in results(change) if one.level == "error" and not one.what.endswith("decoded")
    ]

    assert {view for one in errors for view in one.views} == views
    assert all(
        one.gateways == tuple(dict.fromkeys(v.partition(":")[0] for v in one.views))
        for one in errors
    )


@pytest.mark.parametrize("change", UNUSED, ids=lambda one: one.__name__)
def test_a_change_of_what_is_unused_is_counted(results, change):
    """A change that touches no used field is no error; `--all` lists it."""
    found = results(change)

    assert [one.what for one in found if one.level in {"error", "warning"}] == []
    assert sum(one.level == "detail" for one in found) > 0
    assert any("no view is affected" in one.what for one in found)


@pytest.mark.parametrize(
    ("change", "views"), DOUBTFUL, ids=lambda one: getattr(one, "__name__", "")
)
def test_a_change_that_may_do_no_harm_is_a_warning(results, change, views):
    """A change that may break a view is named, and does not fail the build."""
    found = results(change)

    assert [one.level for one in found if one.level in {"error", "warning"}] == ["warning"]
    assert {view for one in found if one.level == "warning" for view in one.views} == views


def without_currency(document):
    drop(product(document)["properties"]["price"], "currency")


def test_a_field_that_no_one_reads_but_decoding_needs(results):
    """A required field of a reply type may be unread: without it, no reply can be decoded."""
    (error,) = [one for one in results(without_currency) if one.level == "error"][:1]

    assert "no code reads it, but replies can't be decoded" in error.what
    assert "default" in error.advice
    assert PRODUCT in error.views
