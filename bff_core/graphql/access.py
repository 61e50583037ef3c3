"""Access control by field: which viewers may select it, by the rules of resolvers and types.

A root field without a rule requires a signed-in viewer if the gateway has an authenticator. Any
other field without a rule is open to all viewers who may select the field above it.
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
    """Wrap the resolvers of fields with a rule, in a gateway's copy of a schema."""
    for kind, _, field in _fields(schema):
        rule, resolve = rule_of(kind, field), field.resolve
        if resolve is not None and not is_unguarded(schema, kind, rule):
            field.resolve = _guarded(resolve, rule, field)


def access_rules(schema: GraphQLSchema, path: str, by: tuple[str, ...]) -> Iterator[RouteAccess]:
    """Yield the access rules of all root fields, and of other fields that declare one."""
    default = SIGNED_IN if by else ANYONE
    for kind, name, field in _fields(schema):
        rule = rule_of(kind, field)
        if rule is not None or kind in _roots(schema):
            coordinate = f"{path} {kind.name}.{name}"
            yield RouteAccess(coordinate, frozenset(), rule or default, by)


def is_unguarded(schema: GraphQLSchema, kind: GraphQLObjectType, rule: Access | None) -> bool:
    """Whether a field with this rule, or none, is open to all viewers who may select its parent."""
    return rule is ANYONE or (rule is None and kind not in _roots(schema))


def _fields(schema: GraphQLSchema) -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                yield kind, name, field


def _roots(schema: GraphQLSchema) -> tuple[GraphQLObjectType | None, ...]:
    return schema.query_type, schema.mutation_type, schema.subscription_type


def rule_of(kind: GraphQLObjectType, field: GraphQLField) -> Access | None:
    """Return the access rule of a field's resolver, or else of its type."""
    declared = access_of(resolver_of(field))
    return access_of(class_of(kind)) if declared is None else declared


def _guarded(resolve: Resolve, rule: Access | None, field: GraphQLField) -> Resolve:
    @wraps(resolve)
    def resolved(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> object:
        context = info.context
        if isinstance(context, Context):
            request_scope = context.untracked_scope
            admit(rule, request_scope)
            admit_to(rule, request_scope, partial(python_inputs, field, arguments))
        return resolve(source, info, **arguments)

    return resolved


def python_inputs(field: GraphQLField, arguments: Mapping[str, object]) -> dict[str, object]:
    """Return arguments by their names in Python."""
    names = dict(argument_names(field))
    return {names.get(name, name): value for name, value in arguments.items()}
