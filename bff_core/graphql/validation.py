"""Validates documents; limits the work and the errors that a hostile document can cause."""

from typing import Final

import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    NoSchemaIntrospectionCustomRule,
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
    VariablesInAllowedPositionRule,
    specified_rules,
    validate,
)
from graphql.validation import ASTValidationRule

from bff_core.compat.graphql_core import is_abort, limit_comparisons
from bff_core.compat.strawberry import VALIDATION_RULES, added_rules, graphql_schema

MAX_ERRORS: Final = 10
"""The number of errors that are collected; errors with the same message are reported once."""

MAX_COMPARISONS: Final = 4_000
"""Comparisons of fields of one name; their number grows with the square of the fields."""

TOO_MUCH: Final = GraphQLError(
    "The query selects fields of the same name too often: select each once, or give them aliases.",
    extensions={"code": "query_too_large"},
)

Rules = tuple[type[ASTValidationRule], ...]

VARIABLE_RULES: Final = (
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    VariablesInAllowedPositionRule,
)
"""Rules that walk the whole document, even if another rule has found a mistake."""


class BoundedOverlappingFields(OverlappingFieldsCanBeMergedRule):
    """The rule of the specification, with fewer comparisons than graphql-core's 500,000."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        limit_comparisons(self, MAX_COMPARISONS)


class Validation:
    """Validates by the rules of the specification, of Strawberry and of a schema's extensions."""

    def __init__(self, schema: strawberry.Schema, *, with_introspection: bool) -> None:
        self._schema = graphql_schema(schema)
        self._hides_names = not with_introspection
        hidden = () if with_introspection else (NoSchemaIntrospectionCustomRule,)
        replaced = (OverlappingFieldsCanBeMergedRule, *VARIABLE_RULES)
        self._rules: Rules = (
            *(rule for rule in specified_rules if rule not in replaced),
            BoundedOverlappingFields,
            *VALIDATION_RULES,
            *added_rules(schema),
            *hidden,
        )

    def errors(self, document: DocumentNode, text: str) -> list[GraphQLError]:
        """Return one error for each mistake; none for a valid document.

        Variables are checked only if there are no other mistakes.
        """
        errors = self._errors(document, self._rules)
        if not errors and "$" in text:
            errors = self._errors(document, VARIABLE_RULES)
        return errors

    def _errors(self, document: DocumentNode, rules: Rules) -> list[GraphQLError]:
        found = validate(
            self._schema,
            document,
            rules,
            max_errors=MAX_ERRORS,
            hide_suggestions=self._hides_names,
        )
        mistakes = {error.message: error for error in reversed(found)}
        # graphql-core adds an error when it gives up: after enough errors, or after enough work.
        errors = [one for one in found if not is_abort(one)]
        if found and not errors:
            return [TOO_MUCH]
        return [one for one in errors if mistakes[one.message] is one]
