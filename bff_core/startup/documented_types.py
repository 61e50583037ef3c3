"""Refuses types that OpenAPI can't document, so that /openapi.json does not fail later."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import PydanticUserError, TypeAdapter
from starlette.routing import BaseRoute

from bff_core.compat.fastapi import documented_fields, iter_route_contexts, type_adapter_of
from bff_core.errors import ConfigurationError
from bff_core.startup.unused import place_of

Mode = Literal["validation", "serialization"]
"""Whether a schema is that of an input or of an answer."""

DOUBTFUL: Final = {
    "callable": "Callable",
    "is-instance": "a class",
    "function-plain": "a type with its own validator",
}
"""The kinds of core schemas that may have no JSON Schema, in words."""

DATA: Final = frozenset({"cls", "config", "default", "expected", "members", "metadata"})
"""The members of a core schema that hold no schemas."""


def check_documented_types(routes: Sequence[BaseRoute]) -> None:
    """Raise `ConfigurationError` for a documented route with a type without JSON Schema.

    Such a type is a `Callable`, or a class that pydantic only knows as an arbitrary one.
    """
    for context in iter_route_contexts(routes):
        for field in documented_fields(context):
            found = _undocumented_in(type_adapter_of(field), field.mode)
            if found is None:
                continue
            where, kind = found
            what = "answer" if field.mode == "serialization" else f"input {field.name}"
            has = f"has the field {where}" if where else "is"
            raise ConfigurationError(
                f"{place_of(context)}: its {what} {has} of a type without JSON Schema ({kind}), so "
                "that /openapi.json would fail: leave the field out, annotate it with pydantic's "
                "WithJsonSchema({...}), or declare the route with include_in_schema=False"
            )


def _undocumented_in(adapter: TypeAdapter[Any], mode: Mode) -> tuple[str, str] | None:
    """Return a field for which there is no JSON Schema, and its type; None if there is a schema.

    The field is empty if it is the type itself. Only types with doubtful parts are tried.
    """
    doubtful = [*_doubtful_in(adapter.core_schema, "", is_read=mode == "validation")]
    if not doubtful:
        return None
    try:
        adapter.json_schema(mode=mode)
    except PydanticUserError:
        return doubtful[0]
    return None


def _doubtful_in(schema: Any, where: str, *, is_read: bool) -> Iterator[tuple[str, str]]:
    """Yield the places of a core schema that may have no JSON Schema, with their types."""
    if isinstance(schema, dict) and isinstance(schema.get("type"), str):
        yield from _doubtful_of(schema, where, is_read=is_read)
        return
    if isinstance(schema, dict):  # members by names, which are the user's
        schema = tuple(schema.values())
    if isinstance(schema, list | tuple):
        for one in schema:
            yield from _doubtful_in(one, where, is_read=is_read)


def _doubtful_of(
    schema: Mapping[str, Any], where: str, *, is_read: bool
) -> Iterator[tuple[str, str]]:
    kind, owner = schema["type"], _name_of(schema.get("cls"))
    if kind in DOUBTFUL:
        yield where, owner or DOUBTFUL[kind]
    elif kind == "json-or-python":
        yield from _doubtful_in(schema["json_schema"], where, is_read=is_read)
    elif "fields" in schema and "schema" not in schema:
        yield from _doubtful_fields(schema["fields"], owner or where, is_read=is_read)
    else:
        for name, member in schema.items():
            if name not in DATA:
                yield from _doubtful_in(member, owner or where, is_read=is_read)


def _doubtful_fields(fields: Any, owner: str, *, is_read: bool) -> Iterator[tuple[str, str]]:
    """Yield the places in the fields of a class; an answer leaves out those that are excluded."""
    named = fields.items() if isinstance(fields, dict) else ((one["name"], one) for one in fields)
    for name, one in named:
        if is_read or not one.get("serialization_exclude"):
            yield from _doubtful_in(one, f"{owner}.{name}", is_read=is_read)


def _name_of(cls: object) -> str:
    return cls.__name__ if isinstance(cls, type) else ""
