"""Who may ask for which field: by what is said of its resolver, of its type, or of neither.

Fields of the roots of a schema that say nothing are for those who are signed in, where anybody can
be; fields below them follow their roots.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial, wraps
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema

from bff_core.auth.access import ANYONE, SIGNED_IN, Access, access_of, admit, admit_to
from bff_core.compat.strawberry import argument_names, class_of, resolver_of
from bff_core.graphql.context import Context
from bff_core.routing.access import RouteAccess

Resolve = Callable[..., Any]


def guard_fields(schema: GraphQLSchema) -> None:
    """Wrap the resolvers of a gateway's own schema whose fields are not open to everybody."""
    for kind, _, field in _fields(schema):
        said, resolve = rule_of(kind, field), field.resolve
        if resolve is not None and not is_unguarded(schema, kind, said):
            field.resolve = _guarded(resolve, said, _python_names(field))


def effective(schema: GraphQLSchema, path: str, by: tuple[str, ...]) -> Iterator[RouteAccess]:
    """Yield who may ask for each field of which something is said, and for all of the roots."""
    unsaid = SIGNED_IN if by else ANYONE
    for kind, name, field in _fields(schema):
        said = rule_of(kind, field)
        if said is not None or kind in _roots(schema):
            coordinate = f"{path} {kind.name}.{name}"
            yield RouteAccess(coordinate, frozenset(), said or unsaid, by)


def is_unguarded(schema: GraphQLSchema, kind: GraphQLObjectType, said: Access | None) -> bool:
    """Whether a field with this rule, or none, is open to all who see its parent."""
    return said is ANYONE or (said is None and kind not in _roots(schema))


def _fields(schema: GraphQLSchema) -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                yield kind, name, field


def _roots(schema: GraphQLSchema) -> tuple[GraphQLObjectType | None, ...]:
    return schema.query_type, schema.mutation_type, schema.subscription_type


def rule_of(kind: GraphQLObjectType, field: GraphQLField) -> Access | None:
    """Return what is said of a field's resolver, or else of its type."""
    declared = access_of(resolver_of(field))
    return access_of(class_of(kind)) if declared is None else declared


def _python_names(field: GraphQLField) -> dict[str, str]:
    """Return what the resolver calls each argument of a field."""
    return dict(argument_names(field))


def _guarded(resolve: Resolve, said: Access | None, names: Mapping[str, str]) -> Resolve:
    @wraps(resolve)
    def resolved(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> object:
        context = info.context
        if isinstance(context, Context):
            seen = context.whole
            admit(said, seen)
            admit_to(said, seen, partial(_spoken, arguments, names))
        return resolve(source, info, **arguments)

    return resolved


def python_inputs(field: GraphQLField, arguments: Mapping[str, object]) -> dict[str, object]:
    """Return arguments by the names that the resolver has for them."""
    return _spoken(arguments, _python_names(field))


def _spoken(arguments: Mapping[str, object], names: Mapping[str, str]) -> dict[str, object]:
    return {names.get(name, name): value for name, value in arguments.items()}
