"""Copies a schema, so that a gateway may wrap its fields and scalars.

Several gateways may serve an author's schema, and it may be executed without a gateway. The copy
has types, fields and arguments of its own. Enums and definitions of the specification are shared,
since no gateway wraps them.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar, cast

from graphql import (
    GraphQLArgument,
    GraphQLDirective,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
)

T = TypeVar("T")
InputT = TypeVar("InputT", GraphQLArgument, GraphQLInputField)


def copy_schema(schema: GraphQLSchema) -> GraphQLSchema:
    """Return a copy that may be changed; it prints and executes like the original."""
    copier = _Copier(schema)
    return _made_again(
        GraphQLSchema,
        schema,
        query=copier.of(schema.query_type),
        mutation=copier.of(schema.mutation_type),
        subscription=copier.of(schema.subscription_type),
        types=[*copier.types.values()],
        directives=[copier.directive(one) for one in schema.directives],
        assume_valid=True,  # the original was checked when its author made it
    )


class _Copier:
    """Copies the types of one schema; references between them are resolved lazily."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.types = {name: self._named(kind) for name, kind in schema.type_map.items()}

    def of(self, kind: T) -> T:
        """Return the copy of a type, which may be a list or non-null."""
        found: Any = kind
        if isinstance(kind, GraphQLNonNull):
            found = GraphQLNonNull(self.of(kind.of_type))
        elif isinstance(kind, GraphQLList):
            found = GraphQLList(self.of(kind.of_type))
        elif isinstance(kind, GraphQLNamedType):
            found = self.types[kind.name]
        return cast("T", found)

    def directive(self, directive: GraphQLDirective) -> GraphQLDirective:
        """Return the copy of a directive; those of the specification are shared."""
        if is_specified_directive(directive):
            return directive
        return _made_again(GraphQLDirective, directive, args=self._inputs(directive.args))

    def _named(self, kind: GraphQLNamedType) -> GraphQLNamedType:
        made: GraphQLNamedType = kind
        match kind:
            case GraphQLScalarType() if not is_specified_scalar_type(kind):
                made = _made_again(GraphQLScalarType, kind)
            case GraphQLObjectType() if not is_introspection_type(kind):
                made = self._with_fields(GraphQLObjectType, kind)
            case GraphQLInterfaceType():
                made = self._with_fields(GraphQLInterfaceType, kind)
            case GraphQLUnionType():
                types, resolve = partial(self._each, kind.types), _resolving(kind)
                made = _made_again(GraphQLUnionType, kind, types=types, resolve_type=resolve)
            case GraphQLInputObjectType():
                fields = partial(self._inputs, kind.fields)
                made = _made_again(GraphQLInputObjectType, kind, fields=fields)
        return made

    def _with_fields(self, make: type[T], kind: GraphQLObjectType | GraphQLInterfaceType) -> T:
        fields = partial(self._fields, kind.fields)
        interfaces = partial(self._each, kind.interfaces)
        return _made_again(make, kind, fields=fields, interfaces=interfaces)

    def _each(self, kinds: Iterable[T]) -> list[T]:
        return [self.of(one) for one in kinds]

    def _fields(self, fields: Mapping[str, GraphQLField]) -> dict[str, GraphQLField]:
        return {
            name: _made_again(
                GraphQLField, one, type_=self.of(one.type), args=self._inputs(one.args)
            )
            for name, one in fields.items()
        }

    def _inputs(self, inputs: Mapping[str, InputT]) -> dict[str, InputT]:
        return {
            name: _made_again(type(one), one, type_=self.of(one.type))
            for name, one in inputs.items()
        }


def _resolving(union: GraphQLUnionType) -> Callable[..., Any] | None:
    """Return the type resolver of a copy; Strawberry's compares the types of the original."""
    resolve = union.resolve_type
    if resolve is None:
        return None
    return lambda value, info, _: resolve(value, info, union)


def _made_again(make: Callable[..., T], original: Any, **changed: object) -> T:
    """Return a copy of an original, with some of its arguments changed."""
    return make(**{**original.to_kwargs(), **changed})
