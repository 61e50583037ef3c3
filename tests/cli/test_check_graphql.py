"""`bff check` knows which fields of a GraphQL service its documents select and code reads."""

import json

import pytest

from bff_core.cli.check.decoding import breaks_decoding
from bff_core.cli.check.graphql_uses import field_uses
from bff_core.contracts.changes import affected
from bff_core.contracts.changes.graphql import graphql_changes
from bff_core.contracts.errors import ContractError
from bff_core.contracts.usage import OperationUse
from bff_core.inspection.usage.operation_uses import ReplyUse
from tests.cli.contract_project import write_project

SCHEMA = """
type Query { product(id: ID!, size: Size): Product  search(filter: Filter!): [Item!]! }
enum Size { SMALL LARGE }
input Filter { text: String  range: Range }
input Range { from: Int  to: Int }
interface Item { id: ID!  title: String! }
type Product implements Item { id: ID!  title: String!  price: Money  maker: Maker }
type Book implements Item { id: ID!  title: String!  pages: Int }
type Money { amount: Int!  currency: String! }
type Maker { id: ID!  name: String! }
"""

PRODUCT = """
query Product($id: ID!) {
  product(id: $id, size: LARGE) { name: title ...Priced maker { id name } }
}
fragment Priced on Product { price { amount currency } }
"""

SEARCH = """
query Search($filter: Filter!) {
  search(filter: $filter) { __typename title ... on Book { pages } }
}
"""


def use(document: str, reads, view: str = "web: Query.product") -> ReplyUse:
    paths = None if reads is None else frozenset(tuple(one.split(".")) for one in reads)
    call = OperationUse("catalog", "query", "", paths, frozenset(), (view,))
    return ReplyUse(call, {}, "bffs/catalog.py:7", document)


def read(document: str, reads=None) -> set[str]:
    ([found], _) = field_uses(SCHEMA, [use(document, reads)])
    return {".".join(one) for one in found.use.reads or ()}


def test_aliases_and_fragments_lead_to_the_fields_of_the_schema():
    """A field that is read under another name, or in a fragment, is that of its type."""
    found = read(PRODUCT, ["product.name", "product.price.amount"])

    assert found == {"Query.product", "Product.title", "Product.price", "Money.amount"}


def test_a_field_that_is_selected_and_not_read_is_unused():
    """Selecting a field is not enough; what can't be decided counts as read."""
    assert "Maker.name" not in read(PRODUCT, ["product.maker.id"])
    assert "Maker.name" in read(PRODUCT)
    assert "Maker.name" in read(PRODUCT, ["product.maker"])


def test_lists_and_types_of_an_interface():
    """Items of a list need no index in a document, and a condition names the type."""
    assert read(SEARCH, ["search.[].title", "search.[].pages"]) == {
        "Query.search",
        "Item.title",
        "Book.pages",
    }


def test_arguments_and_input_fields_are_sent():
    """All fields of an input type may be in a variable."""
    ([found], _) = field_uses(SCHEMA, [use(SEARCH, None)])

    assert found.use.sends == {
        ("Query", "search", "filter"),
        ("Filter", "text"),
        ("Filter", "range"),
        ("Range", "from"),
        ("Range", "to"),
    }


@pytest.mark.parametrize(
    ("old", "new", "is_used"),
    [
        ("amount: Int!", "amount: Int", True),
        ("  currency: String!", "", False),
        ("title: String!  price", "price", True),
        ("size: Size", "size: Size!", True),
        ("pages: Int", "pages: String", False),
        ("id: ID!  name: String!", "id: ID!", False),
        ("SMALL LARGE", "SMALL", True),
    ],
)
def test_only_changes_of_used_fields_count(old, new, is_used):
    """A change of the schema affects the views whose documents and code use the field."""
    uses, _ = field_uses(SCHEMA, [use(PRODUCT, ["product.name", "product.price.amount"])])
    changes = graphql_changes(SCHEMA, SCHEMA.replace(old, new, 1))
    breaking = [one for one in changes if one.level == "breaking"]
    hits = affected(breaking, [one.use for one in uses])

    assert breaking
    assert ([one.views for one in hits] != []) == is_used


def test_a_document_that_does_not_fit_is_an_error():
    """The message of the validation comes with the place of the call."""
    _, wrong = field_uses(SCHEMA, [use("query A { product(id: 1) { weight } }", None)])
    _, broken = field_uses(SCHEMA, [use("query A {", None)])

    assert wrong == [
        ("Cannot query field 'weight' on type 'Product'.", "bffs/catalog.py:7",
         ("web: Query.product",))
    ]  # fmt: skip
    assert broken[0][0].startswith("Syntax Error")


def test_a_document_that_the_source_does_not_show():
    """All fields count as used then."""
    ([found], wrong) = field_uses(SCHEMA, [use("", ["x"])])

    assert (found.use.reads, found.use.sends, wrong) == (None, None, [])


def test_a_pinned_schema_that_is_wrong():
    """It is an error of the service, not a crash."""
    with pytest.raises(ContractError):
        field_uses("type Query {", [])


def test_a_pinned_schema_is_compared_with_the_live_one(tmp_path, monkeypatch, bff):
    """The schema is in a .graphql file; the live one may be the JSON of an introspection."""
    from graphql import build_schema, introspection_from_schema  # noqa: PLC0415 # an extra

    monkeypatch.chdir(write_project(tmp_path, "shop_of_graphql_check"))
    table = tmp_path / "pyproject.toml"
    table.write_text(table.read_text().replace("catalog.json", "catalog.graphql"))
    (tmp_path / "catalog.graphql").write_text(SCHEMA)
    changed = build_schema(SCHEMA.replace("  currency: String!", ""))
    (tmp_path / "live.json").write_text(json.dumps({"data": introspection_from_schema(changed)}))
    (tmp_path / "live.graphql").write_text("type Query { broken")
    done = bff("check", "--json", "--all", "--live", "catalog=live.json")
    broken = bff("check", "--json", "--live", "catalog=live.graphql")
    rules = {one["rule"] for one in json.loads(done.out)["results"]}

    assert "graphql-field-removed" in rules
    assert broken.status == 1


def test_a_selected_field_that_no_code_reads():
    """The service refuses a document that selects a removed field, so it matters all the same."""
    ([found], _) = field_uses(SCHEMA, [use(PRODUCT, ["product.name"])])
    removed = graphql_changes(SCHEMA, SCHEMA.replace("  currency: String!", ""))
    other = graphql_changes(SCHEMA, SCHEMA.replace("  pages: Int", ""))

    assert [breaks_decoding(one, found) for one in removed] == [True]
    assert [breaks_decoding(one, found) for one in other] == [False]
