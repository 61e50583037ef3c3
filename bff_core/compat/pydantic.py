"""The private names and error texts of pydantic that the framework uses."""

import re
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
]

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


def fields_in(error: PydanticSerializationError) -> list[str]:
    """Return the names of the fields in a serialization error."""
    return list(dict.fromkeys(_FIELD.findall(str(error))))
