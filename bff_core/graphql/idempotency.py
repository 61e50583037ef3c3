"""`Idempotency-Key` for GraphQL: queries ignore it; each field of a mutation has keys of its own.

The edge knows only a POST with status 200. The face knows whether the operation was a mutation, and
whether a mutation that failed may have changed something.
"""

from collections.abc import Collection, Sequence
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, OperationType

from bff_core.graphql.failures import rendered
from bff_core.graphql.namespaces import mutation_types
from bff_core.policy.edge.idempotency import is_final_answer
from bff_core.scope import Scope, writing_as


def name_writes(schema: GraphQLSchema) -> None:
    """Name the writes of each field of `Mutation`, so that its keys depend on no other field.

    The fields of a namespace have the name of their path.
    """
    for field in (one for kind in mutation_types(schema) for one in kind.fields.values()):
        if iscoroutinefunction(field.resolve):
            field.resolve = _named(field.resolve)


def _named(resolve: Any) -> Any:
    @wraps(resolve)
    async def resolved(
        source: object, info: GraphQLResolveInfo[Any], **arguments: object
    ) -> object:
        with writing_as("/".join(map(str, info.path.as_list()))):
            return await resolve(source, info, **arguments)

    return resolved


def ignore_key_of_query(request_scope: Scope, operation: OperationType) -> None:
    """Drop the key of a query, which is executed again each time."""
    if operation is OperationType.QUERY:
        request_scope.idempotency_key = ""
        request_scope.outcome = "read"


def mark_unknown_outcome(
    request_scope: Scope, errors: Sequence[GraphQLError], changes: Collection[Sequence[str | int]]
) -> None:
    """Mark the outcome as unknown if a mutation failed that may have changed something.

    `changes` are the paths of its fields, those of namespaces included. Errors below them concern
    the answer, not the change.
    """
    if (
        request_scope.idempotency_key
        and not request_scope.outcome
        and any(_is_undecided(error, changes) for error in errors)
    ):
        request_scope.outcome = "unknown"


def _is_undecided(error: GraphQLError, changes: Collection[Sequence[str | int]]) -> bool:
    path = error.path or ()
    is_mutation = len(path) <= 1 or (*path,) in changes
    status = rendered(error).get("extensions", {}).get("status", 500)
    return is_mutation and not (isinstance(status, int) and is_final_answer(status))
