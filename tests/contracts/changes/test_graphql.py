"""Changes of GraphQL schemas: their rule, their level and the coordinate that they concern."""

import pytest

from bff_core.contracts.changes.graphql import graphql_changes
from bff_core.contracts.changes.graphql_rules import GRAPHQL_RULES

SCHEMA = """
directive @cached(seconds: Int) repeatable on FIELD | QUERY
directive @key(fields: String!) on OBJECT
interface Node { id: ID! }
enum Kind { CAT DOG }
union Found = Pet | Owner
input Draft { name: String!, kind: Kind, note: String = "none" }
type Pet implements Node @key(fields: "id") { id: ID!, name: String, price: Float!, kind: Kind! }
type Owner { name: String! }
type Query { pet(id: ID!, size: Int = 1): Pet, find(text: String!): [Found!]!, node: Node }
type Mutation { add(draft: Draft!): Pet }
"""

CASES = [
    ("type Mutation { add(draft: Draft!): Pet }", "", "graphql-operation-type-removed", "Mutation"),
    (
        "size: Int = 1",
        "size: Int = 1, city: String",
        "graphql-optional-argument-added",
        "Query.pet.city",
    ),
    (
        "size: Int = 1",
        "size: Int = 1, city: String!",
        "graphql-required-argument-added",
        "Query.pet.city",
    ),
    (", size: Int = 1", "", "graphql-argument-removed", "Query.pet.size"),
    ("size: Int = 1", "size: Int = 2", "graphql-argument-default-changed", "Query.pet.size"),
    ("text: String!", 'text: String! = "x"', "graphql-argument-default-added", "Query.find.text"),
    ("size: Int = 1", 'size: String = "1"', "graphql-argument-type-changed", "Query.pet.size"),
    ("text: String!", "text: String", "graphql-argument-type-widened", "Query.find.text"),
    ("price: Float!", "price: Float", "graphql-field-type-changed", "Pet.price"),
    ("name: String,", "name: String!,", "graphql-field-type-refined", "Pet.name"),
    ("price: Float!,", "", "graphql-field-removed", "Pet.price"),
    ("price: Float!,", "price: Float!, age: Int,", "graphql-field-added", "Pet.age"),
    ("{ CAT DOG }", "{ CAT }", "graphql-enum-value-removed", "Kind.DOG"),
    ("{ CAT DOG }", "{ CAT DOG BIRD }", "graphql-enum-value-added", "Kind.BIRD"),
    ("= Pet | Owner", "= Pet", "graphql-union-type-removed", "Found.Owner"),
    ("= Pet", "= Query | Pet", "graphql-union-type-added", "Found.Query"),
    ("Pet implements Node", "Pet", "graphql-interface-removed", "Pet"),
    ("type Owner {", "type Owner implements Node { id: ID!,", "graphql-interface-added", "Owner"),
    (
        "kind: Kind, note",
        "kind: Kind, age: Int!, note",
        "graphql-required-input-field-added",
        "Draft.age",
    ),
    (
        "kind: Kind, note",
        "kind: Kind, age: Int, note",
        "graphql-optional-input-field-added",
        "Draft.age",
    ),
    ('= "none"', '= "some"', "graphql-input-default-changed", "Draft.note"),
    (
        "name: String!, kind: Kind,",
        'name: String! = "Tom", kind: Kind,',
        "graphql-input-default-added",
        "Draft.name",
    ),
    ("kind: Kind, note", "kind: Kind!, note", "graphql-field-type-changed", "Draft.kind"),
    (
        "union Found = Pet | Owner",
        "type Found { name: String }",
        "graphql-type-kind-changed",
        "Found",
    ),
    (
        "directive @cached(seconds: Int) repeatable on FIELD | QUERY",
        "",
        "graphql-directive-removed",
        "@cached",
    ),
    (
        "directive @key",
        "directive @live on QUERY directive @key",
        "graphql-directive-added",
        "@live",
    ),
    ("(seconds: Int) repeatable", "(seconds: Int)", "graphql-directive-narrowed", "@cached"),
    ("on FIELD | QUERY", "on FIELD", "graphql-directive-narrowed", "@cached"),
    ("(seconds: Int)", "", "graphql-directive-narrowed", "@cached.seconds"),
    (
        "(seconds: Int)",
        "(seconds: Int, minutes: Int)",
        "graphql-directive-widened",
        "@cached.minutes",
    ),
    (
        "name: String,",
        'name: String @deprecated(reason: "use id"),',
        "graphql-deprecated",
        "Pet.name",
    ),
    ("{ CAT DOG }", "{ CAT DOG @deprecated }", "graphql-deprecated", "Kind.DOG"),
    ("size: Int = 1", "size: Int = 1 @deprecated", "graphql-deprecated", "Query.pet.size"),
    ("kind: Kind, note", "kind: Kind @deprecated, note", "graphql-deprecated", "Draft.kind"),
    ("type Owner", "scalar Date type Owner", "graphql-type-added", "Date"),
]


@pytest.mark.parametrize(("old", "new", "rule", "coordinate"), CASES)
def test_a_change_has_a_rule_and_the_coordinate_that_changed(old, new, rule, coordinate):
    """Each difference is reported where it is: at a type, a field, an argument, a value."""
    after = SCHEMA.replace(old, new)

    changes = graphql_changes(SCHEMA, after)

    assert after != SCHEMA
    found = {(one.rule, ".".join([one.operation, *one.field])) for one in changes}
    assert (rule, coordinate) in found
    assert {(one.rule, one.level) for one in changes} <= {
        (name, one.level) for name, one in GRAPHQL_RULES.items()
    }
    assert {one.place for one in changes} == {"type"}


def test_every_rule_has_a_case():
    """The table of rules lists what is found, and no more."""
    assert {rule for *_, rule, _ in CASES} | {"graphql-type-removed"} == set(GRAPHQL_RULES)


def test_a_schema_does_not_differ_from_itself():
    """What is only described or ordered differently is no change."""
    described = SCHEMA.replace("type Owner", '"Who pays" type Owner')
    reordered = "\n".join(reversed(SCHEMA.strip().splitlines()))

    assert graphql_changes(SCHEMA, SCHEMA) == []
    assert graphql_changes(SCHEMA, described) == []
    assert graphql_changes(SCHEMA, reordered) == []


def test_what_was_deprecated_before_is_no_change():
    """Another reason, or a new field that is deprecated at once, is no news."""
    before = SCHEMA.replace("name: String,", 'name: String @deprecated(reason: "old"),')
    after = before.replace('"old"', '"older"')
    new = SCHEMA.replace("price: Float!,", "price: Float!, age: Int @deprecated,")

    assert graphql_changes(before, after) == []
    assert [one.rule for one in graphql_changes(SCHEMA, new)] == ["graphql-field-added"]


def test_directives_for_schemas_do_not_concern_clients():
    """A service may annotate its types as it likes."""
    plain = SCHEMA.replace('@key(fields: "id") ', "").replace(
        "directive @key(fields: String!) on OBJECT", ""
    )

    assert graphql_changes(SCHEMA, plain) == []


def test_a_removed_type_breaks_fragments_and_a_built_in_scalar_is_not_reported():
    """Float is gone from the schema because its last field is gone."""
    after = SCHEMA.replace("union Found = Pet | Owner", "union Found = Pet").replace(
        "type Owner { name: String! }", ""
    )
    without_prices = SCHEMA.replace("price: Float!,", "")

    removed = graphql_changes(SCHEMA, after)
    assert ("graphql-type-removed", "Owner") in {(one.rule, one.operation) for one in removed}
    assert [one.operation for one in graphql_changes(SCHEMA, without_prices)] == ["Pet"]


@pytest.mark.parametrize("text", ["type {", "type Query { a: Missing }", "{ pet }"])
def test_a_text_that_is_no_schema_is_refused(text):
    """The error says that the text is no schema, and why."""
    with pytest.raises(ValueError, match="this is no GraphQL schema"):
        graphql_changes(SCHEMA, text)
