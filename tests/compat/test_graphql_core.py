"""What `bff_core/compat/graphql_core.py` needs of graphql-core; each test is one promise."""

import pytest
from graphql import (
    GraphQLError,
    OverlappingFieldsCanBeMergedRule,
    build_schema,
    get_argument_values,
    get_variable_values,
    parse,
    specified_rules,
    validate,
)

from bff_core.compat import graphql_core as compat

SCHEMA = build_schema("type Query { a(n: Int): String }")


def test_the_error_about_too_many_tokens_is_known_by_its_text():
    """A document with too many tokens differs from one that is misspelt."""
    with pytest.raises(GraphQLError) as large:
        compat.Parser("{ a b c d }", max_tokens=3).parse_document()
    with pytest.raises(GraphQLError) as misspelt:
        compat.Parser("{ a", max_tokens=3).parse_document()

    assert compat.has_too_many_tokens(large.value)
    assert not compat.has_too_many_tokens(misspelt.value)


def test_giving_up_after_errors_is_known_by_its_text():
    """The error that says "too many errors" differs from the mistakes themselves."""
    document = parse("{ b c d e }")

    found = validate(SCHEMA, document, max_errors=2, hide_suggestions=True)

    assert [compat.is_abort(one) for one in found] == [False, False, True]


def test_comparisons_can_be_limited():
    """A rule with a small budget gives up, with an error that is known by its text."""

    class Limited(OverlappingFieldsCanBeMergedRule):
        def __init__(self, context) -> None:
            super().__init__(context)
            compat.limit_comparisons(self, 10)

    rules = [one for one in specified_rules if one is not OverlappingFieldsCanBeMergedRule]
    document = parse("{ " + "a " * 40 + "}")

    found = validate(SCHEMA, document, [*rules, Limited])

    assert [compat.is_abort(one) for one in found] == [True]
    assert validate(SCHEMA, document) == []


def test_the_parser_makes_places_and_numbers_in_methods():
    """`Parser.loc`, `parse_int` and `parse_float` are called for each node, Int and Float."""
    called = set()

    class Noting(compat.Parser):
        def loc(self, start_token):
            called.add("loc")
            return super().loc(start_token)

        def parse_int(self, is_const=False):
            called.add("int")
            return super().parse_int(is_const)

        def parse_float(self, is_const=False):
            called.add("float")
            return super().parse_float(is_const)

    Noting("{ a(n: 1, m: 1.5) }").parse_document()

    assert called == {"loc", "int", "float"}


def test_coerced_variables_are_an_object_or_a_list_of_errors():
    """`get_variable_values` returns `VariableValues`, which reading arguments takes."""
    operation = parse("query ($n: Int!) { a(n: $n) }").definitions[0]
    given = operation.variable_definitions

    good = get_variable_values(SCHEMA, given, {"n": 4})
    wrong = get_variable_values(SCHEMA, given, {"n": "x"})

    node = operation.selection_set.selections[0]
    assert isinstance(good, compat.VariableValues)
    assert get_argument_values(SCHEMA.query_type.fields["a"], node, good) == {"n": 4}
    assert isinstance(wrong[0], GraphQLError)


def test_errors_of_variables_have_nodes_and_no_path():
    """The errors that are written for clients have no path, and point into the query."""
    operation = parse("query ($n: Int!) { a(n: $n) }").definitions[0]

    (error,) = get_variable_values(SCHEMA, operation.variable_definitions, {"n": "x"})

    assert error.path is None
    assert error.nodes
