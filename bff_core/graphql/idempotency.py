"""What an `Idempotency-Key` means to GraphQL: nothing to queries, a name of its own to each change.

The edge sees a POST and a status of 200. Only the face knows whether anything was changed, and
whether a change that the answer calls failed may have happened.
"""

from collections.abc import Sequence
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, OperationType

from bff_core.graphql.failures import told
from bff_core.policy.edge.idempotency import is_decided
from bff_core.scope import Scope, writing_as


def name_writes(schema: GraphQLSchema) -> None:
    """Let the keys of a mutation's calls depend on no other field, in a gateway's own schema."""
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


def begin(seen: Scope, operation: OperationType) -> None:
    """Let a query be served as if it had no key: it may be asked anew."""
    if operation is OperationType.QUERY:
        seen.idempotency_key = ""
        seen.outcome = "read"


def end(seen: Scope, errors: Sequence[GraphQLError]) -> None:
    """Say that an answer is not final where a change failed and may have happened nevertheless.

    An error below a field of the mutation is about what is shown, not about what was done.
    """
    if seen.idempotency_key and not seen.outcome and any(map(_is_open, errors)):
        seen.outcome = "unknown"


def _is_open(error: GraphQLError) -> bool:
    is_change = error.path is None or len(error.path) == 1
    status = told(error).get("extensions", {}).get("status", 500)
    return is_change and not (isinstance(status, int) and is_decided(status))
