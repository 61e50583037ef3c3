"""Parses, validates and computes the cost of queries; caches the documents of valid ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import strawberry
from cachetools import LRUCache
from graphql import DocumentNode, GraphQLError, OperationDefinitionNode

from bff_core.compat.graphql_core import has_too_many_tokens
from bff_core.compat.strawberry import graphql_schema
from bff_core.errors import BFFError
from bff_core.graphql.cost import CostAnalysis, OperationCost, QueryTooExpensive
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


@dataclass(slots=True, eq=False)
class Operation:
    """One operation of a valid document, and what is computed for it once.

    `view_cache` caches its answers; `rules` are the access rules of the fields that it selects.
    `labels` are those of its root fields, by response key, `shown` their names with those of their
    arguments. All of them are None until needed.
    """

    node: OperationDefinitionNode
    document: DocumentNode
    cost: OperationCost
    view_cache: ViewCache | None = None
    rules: tuple[FieldRule, ...] | None = None
    labels: Mapping[str, str] | None = None
    shown: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class _Document:
    """A query text that is within the limits, and the operations that were requested of it."""

    text: str
    node: DocumentNode
    operations: dict[str | None, Operation] = field(default_factory=dict, compare=False)

    def definition(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation of a name, or the only one; raise `RequestRefused` otherwise."""
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
    """Checks query texts; caches valid documents and evicts the least recently used.

    Invalid documents are not cached, so that a flood of them evicts nothing.
    """

    def __init__(
        self, schema: strawberry.Schema, limits: QueryLimits, *, with_introspection: bool
    ) -> None:
        self._limits = limits
        self._validation = Validation(schema, with_introspection=with_introspection)
        self._cost_analysis = CostAnalysis(graphql_schema(schema), limits)
        self._known: LRUCache[str, _Document] = LRUCache(
            CACHED_CHARACTERS, getsizeof=lambda document: len(document.text)
        )

    @property
    def texts(self) -> list[str]:
        """The query texts of the cached documents, in the order in which they were added."""
        return list(self._known)

    def admit(
        self, query: str, name: str | None, variables: Mapping[str, object] | None
    ) -> tuple[Operation, int]:
        """Return the operation to execute, and its cost with these variables.

        Raise `RequestRefused` for a request that must not be executed. The cost is checked before
        validation, whose work grows with the query.
        """
        known = self._known.get(query)
        document = known or self._parsed(query)
        try:
            operation = self._operation(document, name)
            cost = operation.cost.of(variables)
            self._cost_analysis.check(cost)
        except QueryTooExpensive as error:
            raise RequestRefused("query_too_expensive", error) from error
        if known is None:
            self._validate(document)
        return operation, cost

    def _operation(self, document: _Document, name: str | None) -> Operation:
        operation = document.operations.get(name)
        if operation is None:
            node = document.definition(name)
            cost = self._cost_analysis.cost_of(document.node, node)
            operation = document.operations[name] = Operation(node, document.node, cost)
        return operation

    def _parsed(self, query: str) -> _Document:
        try:
            check_length(query, self._limits)
            node = parsed(query, max_tokens=self._limits.tokens)
            check_extent(node, self._limits)
        except FragmentCycle as error:
            raise RequestRefused("query_not_valid", error) from error
        except GraphQLError as error:
            is_large = isinstance(error, QueryTooLarge) or has_too_many_tokens(error)
            if is_large:
                raise RequestRefused("query_too_large", error) from error
            raise RequestRefused("query_not_parsed", error) from error
        except RecursionError as error:
            raise RequestRefused("query_too_large", GraphQLError("Nested too deeply.")) from error
        return _Document(query, node)

    def _validate(self, document: _Document) -> None:
        """Cache a valid document; raise `RequestRefused` for an invalid one."""
        errors = self._validation.errors(document.node, document.text)
        if errors:
            raise RequestRefused("query_not_valid", *errors)
        if len(document.text) <= CACHED_CHARACTERS:
            self._known[document.text] = document
