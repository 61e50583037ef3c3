"""Adds an error at the path of a field that is null because a part failed.

Without the error, clients could not distinguish a failed part from a thing that does not exist.
Nullable fields with an async resolver record which parts they await; other fields are not wrapped.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from graphql import GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, is_non_null_type

from bff_core.composition.part import Part, part_observer
from bff_core.composition.part_status import State
from bff_core.events.part_states import DEPENDENCY
from bff_core.graphql.context import Context
from bff_core.graphql.failures import PartMissing

Resolve = Callable[..., Awaitable[object]]


def add_null_errors(schema: GraphQLSchema) -> None:
    """Wrap the resolvers of the nullable fields of a gateway's copy of a schema."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType):
            for field in kind.fields.values():
                if iscoroutinefunction(field.resolve) and not is_non_null_type(field.type):
                    field.resolve = _with_null_error(field.resolve)


def _with_null_error(resolve: Resolve) -> Resolve:
    @wraps(resolve)
    async def resolved(
        source: object, info: GraphQLResolveInfo[Any], **arguments: object
    ) -> object:
        awaited: list[Part[object]] = []
        token = part_observer.set(awaited.append)
        try:
            value = await resolve(source, info, **arguments)
        finally:
            part_observer.reset(token)
        if value is None and awaited and isinstance(info.context, Context):
            raise_if_missing(awaited)
        return value

    return resolved


def raise_if_missing(awaited: Iterable[Part[object]]) -> None:
    """Raise `PartMissing` for a part that failed; null is right for a part that is not found."""
    for part in awaited:
        for name, state, reason in _behind(part):
            if state not in {"ok", "stale", "partial"} and reason not in {"not_found", DEPENDENCY}:
                raise PartMissing(name, state, reason)


def _behind(part: Part[object]) -> Iterator[tuple[str, State, str]]:
    """Yield name, state and reason of a part, then of the parts that it awaited."""
    yield part.name, part.state, part.reason
    yield from part.problems_awaited()
