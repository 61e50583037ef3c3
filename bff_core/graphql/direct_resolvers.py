"""Resolves fields of `part()` and `screen()` without Strawberry's conversion of arguments.

graphql-core has coerced the arguments already. Only input objects, and lists of them, are left to
Strawberry, which makes them instances of their classes.
"""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema

from bff_core.compat.strawberry import argument_names, is_plain
from bff_core.graphql.field_plan import FieldPlan, Values
from bff_core.graphql.schema import planned_fields

NOT_CONVERTED: Final = (bool, int, float, str, Enum, date, datetime, time, Decimal, UUID)
NO_VALUES: Final[Values] = {}

Resolve = Callable[..., Any]


def resolve_directly(served: GraphQLSchema, schema: strawberry.Schema) -> None:
    """Replace resolvers in a gateway's copy of a schema.

    Fields of the mutation stay as they are: their writes get names.
    """
    for kind in served.type_map.values():
        if isinstance(kind, GraphQLObjectType) and kind is not served.mutation_type:
            for _, field, plan in planned_fields(kind):
                if is_plain(schema, field) and all(map(_is_coerced, plan.leaves)):
                    field.resolve = _direct(plan, field)


def _is_coerced(kind: Any) -> bool:
    return kind is strawberry.ID or (isinstance(kind, type) and issubclass(kind, NOT_CONVERTED))


def _direct(plan: FieldPlan, field: GraphQLField) -> Resolve:
    resolve, checked, names = plan.resolve, plan.checked, dict(argument_names(field))

    def resolved(source: object, info: GraphQLResolveInfo[Any]) -> Any:
        return resolve(source, info, NO_VALUES)

    def resolved_with(source: object, info: GraphQLResolveInfo[Any], **given: object) -> Any:
        return resolve(source, info, checked({names[one]: value for one, value in given.items()}))

    return resolved_with if names else resolved
