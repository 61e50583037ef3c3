"""`true` is no number: the bodies of all routes are validated so.

pydantic takes JSON's `true` and `false` for 1 and 0 unless a whole model is strict, which would
refuse much that FastAPI promises to convert.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from pydantic import TypeAdapter
from pydantic_core import PydanticKnownError, SchemaValidator
from starlette.routing import BaseRoute

_ERRORS: Final[Mapping[str, Any]] = {
    "int": "int_type",
    "float": "float_type",
    "complex": "complex_type",
    "timedelta": "time_delta_type",
    "enum": "enum",
    "literal": "literal_error",
}
"""The kinds of schema that take a boolean for a number, and the error that they raise instead."""

_DATA: Final = frozenset({"cls", "config", "default", "expected", "members", "metadata"})
"""The members of a schema that hold no schemas."""


def refuse_booleans_for_numbers(routes: Sequence[BaseRoute]) -> None:
    """Let no body of these routes have a boolean where a number belongs."""
    for context in iter_route_contexts(routes):
        dependant = getattr(context, "dependant", None)
        if isinstance(dependant, Dependant):
            for one in _all_of(dependant):
                for body in one.body_params:
                    _refuse(body._type_adapter)  # noqa: SLF001 # FastAPI has no other place


def _refuse(adapter: TypeAdapter[Any]) -> None:
    # A validator that a nested model has built of itself already would know nothing of this.
    strict = strict_schema(adapter.core_schema)
    adapter.validator = SchemaValidator(strict, _use_prebuilt=False)


def strict_schema(schema: Any) -> Any:
    """Return a copy of a core schema whose numbers take no booleans."""
    if isinstance(schema, list | tuple):
        return type(schema)(map(strict_schema, schema))
    if not isinstance(schema, dict):
        return schema
    copy = {name: one if name in _DATA else strict_schema(one) for name, one in schema.items()}
    kind = copy.get("type")
    if kind == "union":
        copy["choices"] = list(map(_named, schema["choices"], copy["choices"]))
    is_number = kind in {"int", "float", "complex", "timedelta"} or _lists_numbers(copy)
    return _without_booleans(copy) if is_number else copy


def _without_booleans(schema: dict[str, Any]) -> dict[str, Any]:
    error, listed = _ERRORS[schema["type"]], _listed(schema)
    context = {"expected": " or ".join(map(repr, listed))} if listed else None

    def check(value: object) -> object:
        if value is True or value is False:
            raise PydanticKnownError(error, context)
        return value

    outer = {name: schema.pop(name) for name in ("ref", "metadata") if name in schema}
    function = {"type": "no-info", "function": check}
    return outer | {"type": "function-before", "function": function, "schema": schema}


def _named(before: Any, after: Any) -> Any:
    """Let the choice of a union go by its name in the place of an error."""
    is_changed = isinstance(before, dict) and before["type"] != after["type"]
    return (after, before["type"]) if is_changed else after


def _lists_numbers(schema: Mapping[str, Any]) -> bool:
    """Whether a schema lists numbers as its values, and no booleans."""
    kinds = {type(one) for one in _listed(schema)}
    return bool not in kinds and any(issubclass(kind, int | float) for kind in kinds)


def _listed(schema: Mapping[str, Any]) -> list[object]:
    """Return the values of a literal or an enumeration."""
    if schema.get("type") == "literal":
        return list(schema["expected"])
    members = schema["members"] if schema.get("type") == "enum" else ()
    return [one.value for one in members]


def _all_of(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for one in dependant.dependencies:
        yield from _all_of(one)
