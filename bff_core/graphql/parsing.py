"""Parses queries; errors cost the same wherever in the text they are (no quadratic blow-up).

For each error graphql-core counts the lines before its node, once per item of a list. Tokens know
their line and column, so locations are read from the tokens when an error is rendered.
"""

from math import isfinite
from typing import TypeVar

from graphql import (
    DocumentNode,
    FloatValueNode,
    GraphQLError,
    GraphQLFormattedError,
    IntValueNode,
    Location,
    Token,
)
from graphql.language import FormattedSourceLocation

from bff_core.compat.graphql_core import Parser

N = TypeVar("N", IntValueNode, FloatValueNode)


class _LazyLocation(Location):
    """A location that is false, so that graphql-core does not compute its line for an error."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


class _Parser(Parser):
    """A parser whose nodes have lazy locations, and that refuses numbers too large for a float."""

    def loc(self, start_token: Token) -> Location | None:
        found = super().loc(start_token)
        return None if found is None else _LazyLocation(start_token, found.end_token, found.source)

    def parse_int(self, is_const: bool = False) -> IntValueNode:
        return _finite(super().parse_int(is_const))

    def parse_float(self, is_const: bool = False) -> FloatValueNode:
        return _finite(super().parse_float(is_const))


def _finite(node: N) -> N:
    """Return a number; raise `GraphQLError` for one that JSON can't represent as a float."""
    if not isfinite(float(node.value)):
        raise GraphQLError("A number is too large for a float.", node)
    return node


def parsed(query: str, *, max_tokens: int) -> DocumentNode:
    """Return the document of a text; raise `GraphQLError` if it is malformed or has more tokens."""
    return _Parser(query, max_tokens=max_tokens).parse_document()


def formatted(error: GraphQLError) -> GraphQLFormattedError:
    """Return an error as GraphQL formats it, with the locations of its nodes."""
    answer = error.formatted
    tokens = [node.loc.start_token for node in error.nodes or () if node.loc is not None]
    if tokens:
        answer["locations"] = [_location_of(token) for token in tokens]
    return answer


def _location_of(token: Token) -> FormattedSourceLocation:
    # The token before the first one, where a document starts, has no line and no column.
    return {"line": token.line or 1, "column": token.column or 1}
