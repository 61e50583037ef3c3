"""Makes the values below each root field of a mutation be read after what the field changed."""

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import isawaitable, iscoroutinefunction
from typing import Any

from graphql import GraphQLResolveInfo, GraphQLSchema

from bff_core.graphql.context import Context

Resolve = Callable[..., Any]


def read_after_writes(schema: GraphQLSchema) -> None:
    """Wrap the fields of `Mutation`, in a gateway's copy of a schema.

    Root fields run one after the other (GraphQL, section 6.2.2). Each starts without the
    compositions of the fields before it, and its selection without those of its own resolver.
    """
    kind = schema.mutation_type
    for field in kind.fields.values() if kind is not None else ():
        if iscoroutinefunction(field.resolve):
            field.resolve = _awaiting(field.resolve)
        elif field.resolve is not None:
            field.resolve = _returning(field.resolve)


def _awaiting(resolve: Resolve) -> Resolve:
    @wraps(resolve)
    async def resolved(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> Any:
        _forget(info)
        return await _then_forget(resolve(source, info, **arguments), info)

    return resolved


def _returning(resolve: Resolve) -> Resolve:
    @wraps(resolve)
    def resolved(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> Any:
        _forget(info)
        value = resolve(source, info, **arguments)
        if isawaitable(value):
            return _then_forget(value, info)
        _forget(info)
        return value

    return resolved


async def _then_forget(value: Awaitable[Any], info: GraphQLResolveInfo[Any]) -> Any:
    found = await value
    _forget(info)
    return found


def _forget(info: GraphQLResolveInfo[Any]) -> None:
    if isinstance(info.context, Context) and info.path.prev is None:
        info.context.forget_shared()
