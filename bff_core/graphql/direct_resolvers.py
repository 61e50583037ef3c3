"""Resolves fields of `part()`, `screen()` and `ShapeOf` without going through Strawberry.

graphql-core has coerced the arguments already. Only input objects, and lists of them, are left to
Strawberry, which makes them instances of their classes.
"""

from collections.abc import Callable
from typing import Any, Final

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema

from bff_core.compat.strawberry import argument_names, is_plain, python_name
from bff_core.graphql.field_plan import FieldPlan, HeldPart, Values
from bff_core.graphql.namespaces import mutation_types
from bff_core.graphql.schema import object_types, planned_fields
from bff_core.graphql.shape import Convert, ShapeOf, readers

NO_VALUES: Final[Values] = {}

Resolve = Callable[..., Any]


def resolve_directly(served: GraphQLSchema, schema: strawberry.Schema) -> None:
    """Replace resolvers in a gateway's copy of a schema.

    Fields of the mutation and its namespaces stay as they are: their writes get names.
    """
    changing = mutation_types(served)
    for kind, origin in object_types(served):
        if kind not in changing:
            _replace_plans(kind, schema)
        if issubclass(origin, ShapeOf) and schema.config.default_resolver is getattr:
            _replace_reads(kind, origin, schema)


def _replace_plans(kind: GraphQLObjectType, schema: strawberry.Schema) -> None:
    for _, field, plan in planned_fields(kind):
        if is_plain(schema, field) and plan.is_plain:
            field.resolve = _direct(plan, field)


def _replace_reads(kind: GraphQLObjectType, origin: type, schema: strawberry.Schema) -> None:
    found = readers(origin)
    for field in kind.fields.values():
        name = python_name(field)
        if name in found and is_plain(schema, field):
            field.resolve = _reading(name, found[name])


def _direct(plan: FieldPlan, field: GraphQLField) -> Resolve:
    if isinstance(plan, HeldPart) and not plan.arguments:
        return plan.direct()
    resolve, checked, names = plan.resolve, plan.checked, dict(argument_names(field))

    def resolved(source: object, info: GraphQLResolveInfo[Any]) -> Any:
        return resolve(source, info, NO_VALUES)

    def resolved_with(source: object, info: GraphQLResolveInfo[Any], **given: object) -> Any:
        return resolve(source, info, checked({names[one]: value for one, value in given.items()}))

    return resolved_with if names else resolved


def _reading(name: str, read: Convert) -> Resolve:
    """Return a resolver that reads an attribute of a shape, or else of its source."""

    def resolved(shape: object, _info: GraphQLResolveInfo[Any]) -> Any:
        if not isinstance(shape, ShapeOf):
            return getattr(shape, name)
        values = shape.__dict__
        return values[name] if name in values else read(values["source"])

    return resolved
