"""Makes the values below each field of a mutation be read after what the field changed."""

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import isawaitable, iscoroutinefunction
from typing import Any

from graphql import GraphQLResolveInfo, GraphQLSchema

from bff_core.graphql.context import Context
from bff_core.graphql.namespaces import is_change, mutation_types

Resolve = Callable[..., Any]


def read_after_writes(schema: GraphQLSchema) -> None:
    """Wrap the fields of `Mutation` and of its namespaces, in a gateway's copy of a schema.

    They run one after the other. Each starts without the compositions of the fields before it, and
    its selection without those of its own resolver.
    """
    kinds = mutation_types(schema)
    names = frozenset(one.name for one in kinds)
    for field in (one for kind in kinds for one in kind.fields.values()):
        if iscoroutinefunction(field.resolve):
            field.resolve = _awaiting(field.resolve, names)
        elif field.resolve is not None:
            field.resolve = _returning(field.resolve, names)


def _awaiting(resolve: Resolve, names: frozenset[str]) -> Resolve:
    @wraps(resolve)
    async def resolved(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> Any:
        _begin(info, names)
        return await _then_forget(resolve(source, info, **arguments), info, names)

    return resolved


def _returning(resolve: Resolve, names: frozenset[str]) -> Resolve:
    @wraps(resolve)
    def resolved(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> Any:
        _begin(info, names)
        value = resolve(source, info, **arguments)
        if isawaitable(value):
            return _then_forget(value, info, names)
        _forget(info, names)
        return value

    return resolved


async def _then_forget(
    value: Awaitable[Any], info: GraphQLResolveInfo[Any], names: frozenset[str]
) -> Any:
    found = await value
    _forget(info, names)
    return found


def _begin(info: GraphQLResolveInfo[Any], names: frozenset[str]) -> None:
    if isinstance(info.context, Context) and is_change(info, names):
        info.context.forget_shared()
        info.context.changes.add((*info.path.as_list(),))


def _forget(info: GraphQLResolveInfo[Any], names: frozenset[str]) -> None:
    if isinstance(info.context, Context) and is_change(info, names):
        info.context.forget_shared()
