"""Runs checked documents through Strawberry: the one place that another executor would replace."""

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
    """A schema as the face runs it; the author's own is left as it was."""

    def __init__(self, schema: strawberry.Schema, documents: Documents) -> None:
        self._schema = with_extension(schema, lambda: _Checked(documents))
        if type(schema).process_errors is strawberry.Schema.process_errors:
            # Strawberry would log each error with its traceback: events tell of those that count.
            self._schema.process_errors = _leave  # type: ignore[method-assign]  # of this copy only

    async def run(
        self, asked: GraphQLRequest, document: Document, context: Context
    ) -> ExecutionResult:
        """Return what the selected operation yields; failures of fields are in its `errors`."""
        return await self._schema.execute(
            document.text,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
        )


class _Checked(SchemaExtension):
    """Spares Strawberry parsing and validating what `Documents` has checked."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def on_operation(self) -> Iterator[None]:
        skip_parsing(self, self._documents.find(self.execution_context.query or "").node)
        yield


def _leave(
    errors: list[GraphQLError],
    execution_context: ExecutionContext | None = None,
) -> None:
    """Do nothing with errors that the face reports."""
