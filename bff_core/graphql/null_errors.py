"""Makes a null that hides a failure an error at its path, so that "none" differs from "down".

A part that degraded to None would be a bare null. Fields that may be null and have an async
resolver therefore note which parts they await; all other fields cost nothing.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from graphql import GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, is_non_null_type

from bff_core.composition.part import Part, witness
from bff_core.composition.state import DEPENDENCY, State
from bff_core.graphql.context import Context
from bff_core.graphql.failures import PartMissing

Resolve = Callable[..., Awaitable[object]]


def witness_nulls(schema: GraphQLSchema) -> None:
    """Wrap the resolvers of the nullable fields of a gateway's own schema."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType):
            for field in kind.fields.values():
                if iscoroutinefunction(field.resolve) and not is_non_null_type(field.type):
                    field.resolve = _witnessed(field.resolve)


def _witnessed(resolve: Resolve) -> Resolve:
    @wraps(resolve)
    async def resolved(
        source: object, info: GraphQLResolveInfo[Any], **arguments: object
    ) -> object:
        awaited: list[Part[object]] = []
        token = witness.set(awaited.append)
        try:
            value = await resolve(source, info, **arguments)
        finally:
            witness.reset(token)
        if value is None and awaited and isinstance(info.context, Context):
            _tell(awaited)
        return value

    return resolved


def _tell(awaited: list[Part[object]]) -> None:
    """Raise for a part that is down; what its service calls "not found" is really none."""
    for part in awaited:
        for name, state, reason in _behind(part):
            if state not in {"ok", "stale", "partial"} and reason not in {"not_found", DEPENDENCY}:
                raise PartMissing(name, state, reason)


def _behind(part: Part[object]) -> Iterator[tuple[str, State, str]]:
    """Tell of a part and of those that it waited for: they may be why it yields nothing."""
    yield part.name, part.state, part.reason
    yield from part.troubles_behind()
