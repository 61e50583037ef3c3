"""Refuses NaN and infinity in answers, which JSON can't represent.

pydantic writes null for them, which the schema of a `float` does not allow. A `float | None` may be
null, and a model may choose another form with `ser_json_inf_nan` in its config.
"""

from math import isfinite
from typing import Any

from pydantic_core.core_schema import plain_serializer_function_ser_schema

from bff_core.compat.pydantic import with_inner_schemas


def finite_schema(schema: Any) -> Any:
    """Return a copy of a core schema whose serializer raises for numbers that are not finite."""
    if isinstance(schema, list | tuple):
        return type(schema)(map(finite_schema, schema))
    if not isinstance(schema, dict) or "ser_json_inf_nan" in schema.get("config", ()):
        return schema
    if schema.get("type") == "nullable" and schema["schema"].get("type") == "float":
        return schema
    copy = with_inner_schemas(schema, finite_schema)
    if copy.get("type") == "float" and "serialization" not in copy:
        copy["serialization"] = plain_serializer_function_ser_schema(
            _finite, return_schema={"type": "float"}, when_used="json"
        )
    return copy


def _finite(value: object) -> object:
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("a view answers with NaN or infinity where it declares a number")
    return value
