"""Reads a Strawberry schema: the hash of its types, and the compositions in its types."""

from collections.abc import Iterator
from hashlib import sha256

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, print_schema

from bff_core.compat.strawberry import class_of, field_type, graphql_schema, resolver_of
from bff_core.composition.composition import Composition
from bff_core.graphql.field_plan import FieldPlan
from bff_core.graphql.held_screen import held_screens
from bff_core.graphql.shape import ShapeOf
from bff_core.graphql.shape_check import check_shape
from bff_core.graphql.strawberry_field import plan_of
from bff_core.graphql.value_check import check_value


def schema_hash(schema: strawberry.Schema) -> str:
    """Return a hash of a schema; two schemas with one hash have answers of the same form."""
    return sha256(print_schema(graphql_schema(schema)).encode()).hexdigest()[:16]


def object_types(schema: GraphQLSchema) -> Iterator[tuple[GraphQLObjectType, type]]:
    """Yield the object types of a schema with their classes."""
    for kind in schema.type_map.values():
        origin = class_of(kind)
        if isinstance(kind, GraphQLObjectType) and isinstance(origin, type):
            yield kind, origin


def planned_fields(kind: GraphQLObjectType) -> Iterator[tuple[str, GraphQLField, FieldPlan]]:
    """Yield the fields of a type that `part()` or `screen()` declares, with their plans."""
    for name, field in kind.fields.items():
        plan = plan_of(resolver_of(field))
        if plan is not None:
            yield name, field, plan


def check_fields(schema: strawberry.Schema) -> None:
    """Raise `ConfigurationError` for a field that the values of its type can't have."""
    for kind, origin in object_types(graphql_schema(schema)):
        if issubclass(origin, ShapeOf):
            check_shape(origin)
        for name, field, plan in planned_fields(kind):
            where = f"{kind.name}.{name}"
            plan.check(origin, where)
            check_value(plan, field_type(field), where)


def screens_of(schema: strawberry.Schema) -> Iterator[type[Composition]]:
    """Yield the compositions that types hold, and those of `part()` and `screen()`.

    Compositions that only the code of a resolver names are not found.
    """
    for kind, origin in object_types(graphql_schema(schema)):
        yield from (screen for _, screen in held_screens(origin))
        yield from (plan.screen for _, _, plan in planned_fields(kind) if plan.screen is not None)
