"""Executes documents with Strawberry: the only module that another executor would replace."""

from collections.abc import Iterator

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext, ExecutionResult

from bff_core.compat.strawberry import skip_parsing, with_extension
from bff_core.graphql.context import Context
from bff_core.graphql.documents import Document, Documents
from bff_core.graphql.request import GraphQLRequest


class Execution:
    """Executes one schema; the documents are parsed and validated already."""

    def __init__(self, schema: strawberry.Schema, documents: Documents) -> None:
        self._schema = with_extension(schema, lambda: _Checked(documents))
        if type(schema).process_errors is strawberry.Schema.process_errors:
            # Strawberry would log each error with its traceback; bugs are reported as events.
            self._schema.process_errors = _leave  # type: ignore[method-assign]  # of this copy only

    async def run(
        self, request: GraphQLRequest, document: Document, context: Context
    ) -> ExecutionResult:
        """Return the result of the selected operation; failures of fields are in its `errors`."""
        return await self._schema.execute(
            document.text,
            variable_values=request.variables,
            context_value=context,
            operation_name=request.operation_name,
        )


class _Checked(SchemaExtension):
    """Lets Strawberry skip parsing and validation, which `Documents` has done."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def on_operation(self) -> Iterator[None]:
        skip_parsing(self, self._documents.find(self.execution_context.query or "").node)
        yield


def _leave(
    errors: list[GraphQLError],
    execution_context: ExecutionContext | None = None,
) -> None:
    """Do nothing: `failures.report` reports the errors."""
