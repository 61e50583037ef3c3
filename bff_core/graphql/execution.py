"""Executes operations with Strawberry: the only module that another executor would replace."""

from collections.abc import Iterator

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext, ExecutionResult

from bff_core.compat.strawberry import (
    execute_serially,
    graphql_schema,
    skip_parsing,
    with_extension,
)
from bff_core.graphql.context import Context
from bff_core.graphql.documents import Operation
from bff_core.graphql.namespaces import mutation_types
from bff_core.graphql.request import GraphQLRequest


class Execution:
    """Executes operations of one schema, whose documents are parsed and validated already."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._schema = with_extension(schema, _SkipParsing)
        changing = mutation_types(graphql_schema(schema))
        if len(changing) > 1:  # `Mutation` alone is serial already
            execute_serially(self._schema, frozenset(one.name for one in changing))
        if type(schema).process_errors is strawberry.Schema.process_errors:
            # Strawberry would log each error with its traceback; the gateway emits events for bugs.
            self._schema.process_errors = _report_nothing  # type: ignore[method-assign]  # of this copy only

    async def run(
        self, request: GraphQLRequest, operation: Operation, context: Context
    ) -> ExecutionResult:
        """Return the result of an operation; failures of fields are in its `errors`."""
        context.document = operation.document
        return await self._schema.execute(
            request.query,
            variable_values=request.variables,
            context_value=context,
            operation_name=request.operation_name,
        )


class _SkipParsing(SchemaExtension):
    """Lets Strawberry skip parsing and validation, which `Documents` has done."""

    def on_operation(self) -> Iterator[None]:
        skip_parsing(self, self.execution_context.context.document)
        yield


def _report_nothing(
    errors: list[GraphQLError],
    execution_context: ExecutionContext | None = None,
) -> None:
    """Do nothing; `failures.report` reports the errors."""
