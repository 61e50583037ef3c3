"""The private names and error texts of pydantic that the framework uses."""

import re
from collections.abc import Callable
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, SchemaSerializer, SchemaValidator

__all__ = [
    "decides_its_schema",
    "fields_in",
    "has_validator",
    "is_pydantic_class",
    "serializer_of",
    "use_serializer",
    "use_validator",
    "validator_of",
    "with_inner_schemas",
]

_DATA: Final = frozenset({"cls", "config", "default", "expected", "members", "metadata"})
"""The members of a core schema that hold no schemas."""

_NAMED: Final = frozenset({"choices", "fields"})
"""The members of a core schema that may hold schemas by names of the user's."""

_FIELD: Final = re.compile(r"\[field_name='(\w+)'")

_VALIDATOR: Final = "__pydantic_validator__"
_SCHEMA: Final = "__get_pydantic_core_schema__"
_CLASS: Final = ("__pydantic_fields__", "__pydantic_config__", _SCHEMA)


def use_validator(adapter: TypeAdapter[Any], schema: Any) -> None:
    """Make an adapter validate by another core schema, nested models included."""
    adapter.validator = SchemaValidator(schema, _use_prebuilt=False)


def use_serializer(adapter: TypeAdapter[Any], schema: Any) -> None:
    """Make an adapter serialize by another core schema, nested models included."""
    adapter.serializer = serializer_of(schema)


def serializer_of(schema: Any) -> SchemaSerializer:
    """Return a new serializer of a core schema, nested models included."""
    return SchemaSerializer(schema, _use_prebuilt=False)


def has_validator(kind: type) -> bool:
    """Whether a class is a model or a pydantic dataclass."""
    return _VALIDATOR in dir(kind)


def validator_of(kind: object) -> Any:
    """Return the validator of a model or a pydantic dataclass; None for another type."""
    return getattr(kind, _VALIDATOR, None)


def is_pydantic_class(kind: object) -> bool:
    """Whether pydantic serializes a class itself: a model, a dataclass or a custom type."""
    return any(hasattr(kind, name) for name in _CLASS)


def decides_its_schema(value: object) -> bool:
    """Whether metadata of an annotation may change how pydantic serializes a value."""
    return hasattr(value, _SCHEMA)


def with_inner_schemas(schema: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """Return a copy of a core schema in which `change` has replaced each member with schemas."""
    copy = {}
    for name, one in schema.items():
        if name in _DATA:
            copy[name] = one
        elif name in _NAMED and isinstance(one, dict):
            copy[name] = {own: change(inner) for own, inner in one.items()}
        else:
            copy[name] = change(one)
    return copy


def fields_in(error: PydanticSerializationError) -> list[str]:
    """Return the names of the fields in a serialization error."""
    return list(dict.fromkeys(_FIELD.findall(str(error))))
