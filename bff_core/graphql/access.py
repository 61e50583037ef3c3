"""Access control by field: which viewers may select it, by the rules of resolvers and types.

A root field without a rule requires a signed-in viewer if the gateway has an authenticator. Any
other field without a rule is open to all viewers who may select the field above it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial, wraps
from typing import Any, Final, TypeAlias

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
)

from bff_core.auth.access import (
    ACCESS_ATTRIBUTE,
    ANYONE,
    SIGNED_IN,
    Access,
    Require,
    access_of,
    admit,
    admit_to,
)
from bff_core.compat.strawberry import (
    argument_names,
    class_of,
    declaration_of,
    declaring_classes,
)
from bff_core.graphql.context import Context
from bff_core.routing.access import RouteAccess

Resolve = Callable[..., Any]

FEDERATION_FIELDS: Final = frozenset({"_entities", "_service"})
"""Fields that Strawberry adds to the query of a subgraph, which have the rules of its class."""

ObjectOrInterface: TypeAlias = GraphQLObjectType | GraphQLInterfaceType


def guard_fields(schema: GraphQLSchema) -> None:
    """Wrap the resolvers of fields with a rule, in a gateway's copy of a schema."""
    for kind, name, field in _fields(schema):
        for rule in reversed(guarding_rules(schema, kind, name)):
            if field.resolve is not None:
                field.resolve = _guarded(field.resolve, rule, field)


def access_rules(schema: GraphQLSchema, path: str, by: tuple[str, ...]) -> Iterator[RouteAccess]:
    """Yield the access rules of all root fields, and of other fields that declare one."""
    default = SIGNED_IN if by else ANYONE
    for kind, name, _ in _fields(schema):
        for rule in rules_of(kind, name):
            if rule is not None or kind in _roots(schema):
                coordinate = f"{path} {kind.name}.{name}"
                yield RouteAccess(coordinate, frozenset(), rule or default, by)


def guarding_rules(
    schema: GraphQLSchema, kind: GraphQLObjectType, name: str
) -> Sequence[Access | None]:
    """Return the rules to check for a field; none if it is as open as the field above it."""
    is_root = kind in _roots(schema)
    return [
        rule
        for rule in rules_of(kind, name)
        if isinstance(rule, Require) or (rule is None and is_root)
    ]


def _fields(schema: GraphQLSchema) -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                yield kind, name, field


def _roots(schema: GraphQLSchema) -> tuple[GraphQLObjectType | None, ...]:
    return schema.query_type, schema.mutation_type, schema.subscription_type


def rules_of(kind: ObjectOrInterface, name: str) -> tuple[Access | None, ...]:
    """Return the access rules of a field, all of which have to admit the viewer.

    These are the rule of its resolver, or else of the class that declares it and of the subclasses
    that inherit it. A field that overrides another has the requirements of that one as well.
    """
    field, origin = kind.fields[name], class_of(kind)
    if not isinstance(origin, type):
        return (_rule_of_field(declaration_of(field)),)
    declaring = declaring_classes(origin, field)
    (used, _), *overridden = declaring.items()
    own = _rule_of_field(declaration_of(field)) or _rule_of_field(declaring[used])
    found: list[Access | None] = [*_declared(origin, used, own)]
    if name in FEDERATION_FIELDS and own is None:
        found = [*_rules_of_class(origin)]
    inherited: list[Access | None] = [
        rule
        for holder, declared in overridden
        for rule in _declared(origin, holder, _rule_of_field(declared))
    ]
    for interface in kind.interfaces:
        inherited += rules_of(interface, name) if name in interface.fields else ()
    required = dict.fromkeys(one for one in (*found, *inherited) if isinstance(one, Require))
    return (*required,) or (next(iter(found), None),)


def _rule_of_field(declared: object) -> Access | None:
    """Return the rule of a field or of its resolver: `@access` may stand above either."""
    resolver = getattr(declared, "base_resolver", None)
    return access_of(declared) or access_of(getattr(resolver, "wrapped_func", None))


def _declared(kind: type, declaring: type, own: Access | None) -> Iterator[Access]:
    """Yield the rules of a field that a class declares, for a type that is or inherits it."""
    if own is not None:
        yield own
        return
    for one in kind.__mro__:
        rule = _own_rule(one) if issubclass(one, declaring) else None
        if rule is not None:
            yield rule
    yield from (one for one in _rules_of_class(declaring) if isinstance(one, Require))


def _rules_of_class(kind: type) -> Iterator[Access]:
    """Yield the rule of a class, or else those of its bases."""
    rule = _own_rule(kind)
    if rule is not None:
        yield rule
        return
    for base in kind.__bases__:
        yield from _rules_of_class(base)


def _own_rule(kind: type) -> Access | None:
    return access_of(kind) if ACCESS_ATTRIBUTE in vars(kind) else None


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
