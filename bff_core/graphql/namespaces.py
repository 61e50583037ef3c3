"""Namespaces: types that group the fields of a mutation, as in `mutation { cart { add clear } }`.

GraphQL runs only the fields at the root one after the other (section 6.2.2). The fields of a
namespace are changes as well, and a gateway treats them like those.
"""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
)

from bff_core.compat.strawberry import class_of, resolver_of
from bff_core.graphql.shape import ShapeOf


def mutation_types(schema: GraphQLSchema) -> Sequence[GraphQLObjectType]:
    """Return `Mutation` and the namespaces below it; none if the schema has no mutation.

    A namespace is an object type that a field of these returns, and no field of `Query`. All its
    fields have resolvers, and its class is made without arguments: it holds no data.
    """
    if schema.mutation_type is None:
        return ()
    read = set(_reachable(schema, schema.query_type))
    found = [schema.mutation_type]
    for kind in found:
        for field in kind.fields.values():
            below = get_nullable_type(field.type)
            is_new = isinstance(below, GraphQLObjectType) and below not in found
            if is_new and below not in read and _holds_no_data(below):
                found.append(below)
    return found


def is_change(info: GraphQLResolveInfo[Any], names: frozenset[str]) -> bool:
    """Whether a field is of `Mutation` or of a namespace, of which `names` are the names."""
    path: Any = info.path
    while path is not None and path.typename in names:
        path = path.prev
    return path is None


def _holds_no_data(kind: GraphQLObjectType) -> bool:
    origin = class_of(kind)
    if not isinstance(origin, type) or issubclass(origin, ShapeOf):
        return False
    has_resolvers = all(resolver_of(field) is not None for field in kind.fields.values())
    return has_resolvers and not inspect.signature(origin).parameters


def _reachable(schema: GraphQLSchema, root: GraphQLObjectType | None) -> Iterator[GraphQLNamedType]:
    """Yield the types that a query may select."""
    left: list[GraphQLNamedType] = [] if root is None else [root]
    known = set(left)
    while left:
        kind = left.pop()
        yield kind
        below = [get_named_type(one.type) for one in getattr(kind, "fields", {}).values()]
        if is_abstract_type(kind):
            below += schema.get_possible_types(kind)
        left += [one for one in below if one not in known]
        known.update(below)
