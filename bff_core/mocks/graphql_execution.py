"""Executes GraphQL operations over made-up values."""

from itertools import count
from typing import Any, Final

from bff_core.contracts.graphql.load import schema_of
from bff_core.extras import needs
from bff_core.mocks.graphql_values import GraphQLValues
from bff_core.mocks.problems import Refusal

with needs("graphql", "the mock of a GraphQL service"):
    from graphql import (
        ExecutionResult,
        GraphQLError,
        OperationType,
        execute,
        get_operation_ast,
        parse,
        validate,
    )


MAX_TOKENS: Final = 10_000
"""Tokens of an operation: names, signs and values. Validation compares fields with one another."""


class MockExecution:
    """Executes operations of a schema."""

    def __init__(self, sdl: str, values: GraphQLValues) -> None:
        self._schema = schema_of(sdl)
        self._values = values

    def check_field(self, name: str) -> None:
        """Raise `ValueError` for a field that the schema does not have."""
        kind, _, field = name.partition(".")
        fields = getattr(self._schema.type_map.get(kind), "fields", {})
        if field not in fields:
            known = ", ".join(f"{kind}.{one}" for one in fields) or "no such type"
            raise ValueError(f"the schema has no field {name}: it has {known}")

    async def run(self, operation: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Return the response to an operation, and its HTTP status."""
        text, name = operation.get("query"), operation.get("operationName")
        if not isinstance(text, str):
            raise Refusal(400, "there is no `query`: persisted operations are not known here")
        try:
            document = parse(text, max_tokens=MAX_TOKENS)
        except GraphQLError as error:
            return {"errors": [error.formatted]}, 400
        errors = validate(self._schema, document)
        found = get_operation_ast(document, name)
        if errors or found is None:
            shown = [one.formatted for one in errors] or [{"message": f"no operation {name!r}"}]
            return {"errors": shown}, 400
        if found.operation is OperationType.SUBSCRIPTION:
            return {"errors": [{"message": "the mock has no subscriptions"}]}, 400
        result = execute(
            self._schema,
            document,
            variable_values=operation.get("variables") or {},
            operation_name=name,
            context_value=count(),  # of the fields that are resolved
            field_resolver=self._values.field,
            type_resolver=self._values.type_of,
        )
        done = result if isinstance(result, ExecutionResult) else await result
        return dict(done.formatted), 200
