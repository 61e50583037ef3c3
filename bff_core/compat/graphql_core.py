"""The private names and error texts of graphql-core that the framework uses."""

from typing import Final

from graphql import GraphQLError, OverlappingFieldsCanBeMergedRule
from graphql.execution.values import VariableValues
from graphql.language.parser import Parser
from graphql.validation.specified_rules import specified_sdl_rules
from graphql.validation.validate import validate_sdl

__all__ = [
    "Parser",
    "VariableValues",
    "has_too_many_tokens",
    "is_abort",
    "limit_comparisons",
    "specified_sdl_rules",
    "validate_sdl",
]

TOO_MANY_TOKENS: Final = "tokens. Parsing"
"""A text that only the error about too many tokens has; the error has no type of its own."""

ABORTED: Final = "Validation aborted."
"""The end of the error that graphql-core adds when it aborts validation."""


def has_too_many_tokens(error: GraphQLError) -> bool:
    """Whether the parser refused a document because of its number of tokens."""
    return TOO_MANY_TOKENS in error.message


def is_abort(error: GraphQLError) -> bool:
    """Whether an error says that validation was aborted, after too many errors or too much work."""
    return error.message.endswith(ABORTED)


def limit_comparisons(rule: OverlappingFieldsCanBeMergedRule, budget: int) -> None:
    """Bound how often a rule compares fields with one name; graphql-core allows 500,000."""
    rule.rule_context.remaining_complexity_budget = budget
