"""`Idempotency-Key` for GraphQL: queries ignore it; each field of a mutation has keys of its own.

The edge knows only a POST with status 200. The face knows whether the operation was a mutation, and
whether a mutation that failed may have changed something.
"""

from collections.abc import Sequence
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, OperationType

from bff_core.graphql.failures import rendered
from bff_core.policy.edge.idempotency import is_final_answer
from bff_core.scope import Scope, writing_as


def name_writes(schema: GraphQLSchema) -> None:
    """Name the writes of each field of `Mutation`, so that its keys depend on no other field."""
    kind = schema.mutation_type
    for field in kind.fields.values() if kind is not None else ():
        if iscoroutinefunction(field.resolve):
            field.resolve = _named(field.resolve)


def _named(resolve: Any) -> Any:
    @wraps(resolve)
    async def resolved(
        source: object, info: GraphQLResolveInfo[Any], **arguments: object
    ) -> object:
        with writing_as(str(info.path.key)):
            return await resolve(source, info, **arguments)

    return resolved


def ignore_key_of_query(request_scope: Scope, operation: OperationType) -> None:
    """Drop the key of a query, which is executed again each time."""
    if operation is OperationType.QUERY:
        request_scope.idempotency_key = ""
        request_scope.outcome = "read"


def mark_unknown_outcome(request_scope: Scope, errors: Sequence[GraphQLError]) -> None:
    """Mark the outcome as unknown if a mutation failed that may have changed something.

    Errors below a field of `Mutation` concern its answer, not the change.
    """
    if (
        request_scope.idempotency_key
        and not request_scope.outcome
        and any(map(_is_undecided, errors))
    ):
        request_scope.outcome = "unknown"


def _is_undecided(error: GraphQLError) -> bool:
    is_mutation = error.path is None or len(error.path) == 1
    status = rendered(error).get("extensions", {}).get("status", 500)
    return is_mutation and not (isinstance(status, int) and is_final_answer(status))
