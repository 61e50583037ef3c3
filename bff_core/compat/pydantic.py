"""The private names and error texts of pydantic that the framework uses."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import CoreConfig, PydanticSerializationError, SchemaSerializer, SchemaValidator

__all__ = [
    "classes_in",
    "decides_its_schema",
    "fields_in",
    "has_validator",
    "is_pydantic_class",
    "names_of_validators",
    "origin_of_model",
    "serializer_of",
    "use_serializer",
    "use_validator",
    "validator_for",
    "validator_of",
    "with_inner",
    "with_title",
]

_FIELD: Final = re.compile(r"\[field_name='(\w+)'")

_VALIDATOR: Final = "__pydantic_validator__"
_DECORATORS: Final = "__pydantic_decorators__"
_SCHEMA: Final = "__get_pydantic_core_schema__"
_UPDATES: Final = "pydantic_js_updates"
_DATA: Final = frozenset({"cls", "config", "default", "expected", "members", "metadata"})
"""The members of a core schema that hold no schemas."""

_BY_NAME: Final = frozenset({"choices", "fields"})
"""The members that hold schemas by the names of fields, or by tags, where they are a dict."""

_CLASS: Final = ("__pydantic_fields__", "__pydantic_config__", _SCHEMA)


def classes_in(adapter: TypeAdapter[Any]) -> set[type]:
    """Return the classes whose values a validator makes, or takes."""
    found: set[type] = set()
    left: list[object] = [adapter.core_schema]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            made = (one.get("cls"), one.get("function") if one.get("type") == "call" else None)
            found.update(kind for kind in made if isinstance(kind, type))
            left += [inner for name, inner in one.items() if name not in _DATA]
        elif isinstance(one, list | tuple):
            left += one
    return found


def with_inner(schema: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """Return a copy of a core schema in which `change` has replaced each schema inside."""
    return {name: _changed(name, one, change) for name, one in schema.items()}


def _changed(name: str, member: Any, change: Callable[[Any], Any]) -> Any:
    if name in _DATA:
        return member
    if isinstance(member, list | tuple):
        return type(member)(_changed("", one, change) for one in member)
    if not isinstance(member, dict):
        return member
    if name in _BY_NAME:
        return {key: _changed("", one, change) for key, one in member.items()}
    return change(member)


def origin_of_model(kind: Any) -> Any:
    """Return the generic class of a model such as `Page[int]`, and any other model as it is."""
    return kind.__pydantic_generic_metadata__["origin"] or kind


def with_title(field: dict[str, Any], title: str) -> dict[str, Any]:
    """Return the core schema of a field that has a title in JSON Schema, unless it has one."""
    metadata = field.get("metadata", {})
    updates = {"title": title} | metadata.get(_UPDATES, {})
    return field | {"metadata": metadata | {_UPDATES: updates}}


def use_validator(adapter: TypeAdapter[Any], schema: Any, *, is_strict: bool = False) -> None:
    """Make an adapter validate by another core schema, nested models included.

    If it `is_strict`, parts of the schema may still say that they are not, unlike with the
    `strict=True` of a call.
    """
    adapter.validator = validator_for(schema, is_strict=is_strict)


def validator_for(schema: Any, *, is_strict: bool = False) -> SchemaValidator:
    """Return a new validator of a core schema, nested models included."""
    config = CoreConfig(strict=True) if is_strict else None
    return SchemaValidator(schema, config, _use_prebuilt=False)


def use_serializer(adapter: TypeAdapter[Any], schema: Any) -> None:
    """Make an adapter serialize by another core schema, nested models included."""
    adapter.serializer = serializer_of(schema)


def serializer_of(schema: Any) -> SchemaSerializer:
    """Return a new serializer of a core schema, nested models included."""
    return SchemaSerializer(schema, _use_prebuilt=False)


def names_of_validators(kind: type) -> Iterator[str]:
    """Yield the names of the methods of a model that validate; nothing for other classes."""
    declared = getattr(kind, _DECORATORS, None)
    for group in ("validators", "field_validators", "root_validators", "model_validators"):
        yield from getattr(declared, group, {})


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
