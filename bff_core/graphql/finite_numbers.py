"""Lets custom scalars refuse NaN and infinity, which JSON can't represent."""

from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from math import isfinite
from typing import Any

from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema, is_specified_scalar_type


def refuse_infinite(schema: GraphQLSchema) -> None:
    """Wrap the custom scalars of a gateway's copy of a schema."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLScalarType) and not is_specified_scalar_type(kind):
            kind.coerce_input_value = _finite(kind.name, kind.coerce_input_value)
            if kind.coerce_input_literal is not None:
                kind.coerce_input_literal = _finite(kind.name, kind.coerce_input_literal)


def _finite(name: str, coerce: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(coerce)
    def coerced(*arguments: Any, **options: Any) -> Any:
        value = coerce(*arguments, **options)
        if isinstance(value, float | Decimal) and not _is_finite(value):
            raise GraphQLError(f"{name} cannot represent a number that is not finite.")
        return value

    return coerced


def _is_finite(value: float | Decimal) -> bool:
    return value.is_finite() if isinstance(value, Decimal) else isfinite(value)
