"""Parses, prices and validates query texts; caches the documents of valid ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import strawberry
from cachetools import LRUCache
from graphql import DocumentNode, GraphQLError, OperationDefinitionNode

from bff_core.compat.graphql_core import has_too_many_tokens
from bff_core.compat.strawberry import graphql_schema
from bff_core.errors import BFFError
from bff_core.graphql.cost import Pricing, QueryTooExpensive, Tariff
from bff_core.graphql.field_rules import FieldRule
from bff_core.graphql.parsing import parsed
from bff_core.graphql.query_limits import (
    FragmentCycle,
    QueryLimits,
    QueryTooLarge,
    check_extent,
    check_length,
)
from bff_core.graphql.validation import Validation
from bff_core.view_cache.cache import ViewCache

UNPARSED = "query_not_parsed"

CACHED_CHARACTERS = 250_000
"""Characters of query text whose documents are cached, at some hundred bytes per character."""

MAX_QUOTED_CHARACTERS = 100
"""Characters of an operation's name that an error quotes."""


class RequestRefused(BFFError):
    """A request that is not executed, with its errors ("request errors" in the specification)."""

    status = 400

    def __init__(self, code: str, *errors: GraphQLError) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.code = code
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Document:
    """A query that is valid and within the limits.

    Per operation: `view_caches` cache its answers, `rules` are the access rules of the fields
    that it selects, `tariffs` have its price.
    """

    text: str
    node: DocumentNode
    view_caches: dict[str | None, ViewCache] = field(default_factory=dict, compare=False)
    rules: dict[str | None, tuple[FieldRule, ...]] = field(default_factory=dict, compare=False)
    tariffs: dict[str | None, Tariff] = field(default_factory=dict, compare=False)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation to execute; raise `RequestRefused` if it is not clear which."""
        found = [
            one
            for one in self.node.definitions
            if isinstance(one, OperationDefinitionNode)
            and (name is None or (one.name is not None and one.name.value == name))
        ]
        if len(found) == 1:
            return found[0]
        if name is not None:
            message = f"The query has no operation {name[:MAX_QUOTED_CHARACTERS]!r}, or several."
        else:
            message = "The query has several operations, or none: name one as operationName."
        raise RequestRefused("operation_not_found", GraphQLError(message))


class Documents:
    """Parses, prices and validates documents; caches valid ones, evicting the least recently used.

    Invalid documents are not cached, so that a flood of them evicts nothing.
    """

    def __init__(
        self, schema: strawberry.Schema, limits: QueryLimits, *, with_introspection: bool
    ) -> None:
        self._limits = limits
        self._validation = Validation(schema, with_introspection=with_introspection)
        self._pricing = Pricing(graphql_schema(schema), limits)
        self._known: LRUCache[str, Document] = LRUCache(
            CACHED_CHARACTERS, getsizeof=lambda document: len(document.text)
        )

    def find(self, query: str) -> Document:
        """Return the document of a query text; raise `RequestRefused` for an invalid one."""
        known = self._known.get(query)
        if known is not None:
            return known
        return self._validated(self._parsed(query))

    def admit(
        self, query: str, name: str | None, variables: Mapping[str, object] | None
    ) -> tuple[Document, OperationDefinitionNode, int]:
        """Return a document, the operation to execute, and its cost with these variables.

        Raise `RequestRefused` for a request that must not be executed. The cost is checked before
        validation, whose work grows with the query.
        """
        known = self._known.get(query)
        document = known or self._parsed(query)
        operation = document.operation(name)
        cost = self._cost(document, operation, name, variables)
        if known is None:
            self._validated(document)
        return document, operation, cost

    def _cost(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        name: str | None,
        variables: Mapping[str, object] | None,
    ) -> int:
        try:
            tariff = document.tariffs.get(name)
            if tariff is None:
                tariff = self._pricing.tariff(document.node, operation)
                document.tariffs[name] = tariff
            cost = tariff.cost(variables)
            self._pricing.check(cost)
        except QueryTooExpensive as error:
            raise RequestRefused("query_too_expensive", error) from error
        return cost

    def _parsed(self, query: str) -> Document:
        try:
            check_length(query, self._limits)
            node = parsed(query, max_tokens=self._limits.tokens)
            check_extent(node, self._limits)
        except FragmentCycle as error:
            raise RequestRefused("query_not_valid", error) from error
        except GraphQLError as error:
            is_large = isinstance(error, QueryTooLarge) or has_too_many_tokens(error)
            raise RequestRefused("query_too_large" if is_large else UNPARSED, error) from error
        except RecursionError as error:
            raise RequestRefused("query_too_large", GraphQLError("Nested too deeply.")) from error
        return Document(query, node)

    def _validated(self, document: Document) -> Document:
        errors = self._validation.errors(document.node, document.text)
        if errors:
            raise RequestRefused("query_not_valid", *errors)
        if len(document.text) <= CACHED_CHARACTERS:
            self._known[document.text] = document
        return document
