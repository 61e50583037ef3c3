"""Strict numbers: FastAPI's inputs refuse `true` as a number, and `NaN` and `Infinity` as floats.

pydantic accepts JSON's `true` and `false` as 1 and 0 unless a whole model is strict, and a strict
model would refuse conversions that FastAPI promises. It accepts `"NaN"` and `"inf"` as floats,
which no JSON can hold; a model with `allow_inf_nan=True` still accepts them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from pydantic_core import PydanticKnownError
from starlette.routing import BaseRoute

from bff_core.compat.fastapi import (
    ModelField,
    all_dependants,
    dependant_of,
    iter_route_contexts,
    parameters_of,
    type_adapter_of,
)
from bff_core.compat.pydantic import use_validator, with_inner
from bff_core.edge.strict_json import JSONRefused, is_plain, read_json

_ERRORS: Final[Mapping[str, Any]] = {
    "int": "int_type",
    "float": "float_type",
    "complex": "complex_type",
    "timedelta": "time_delta_type",
    "enum": "enum",
    "literal": "literal_error",
}
"""The schemas that accept a boolean as a number, and the error that they raise instead."""


def refuse_non_numbers(routes: Sequence[BaseRoute]) -> None:
    """Make the inputs of these routes refuse booleans as numbers, and infinite numbers."""
    for context in iter_route_contexts(routes):
        dependant = dependant_of(context)
        if dependant is not None:
            for one in all_dependants(dependant):
                for body in one.body_params:
                    _revalidate(body, strict_schema)
                for parameter in parameters_of(one):
                    refuse_infinite(parameter)


def refuse_infinite(parameter: ModelField) -> None:
    """Make a parameter (of path, query, header or cookie) refuse floats that are not finite."""
    _revalidate(parameter, finite_schema)


def _revalidate(field: ModelField, change: Callable[[Any], Any]) -> None:
    adapter = type_adapter_of(field)
    schema = change(adapter.core_schema)
    if schema != adapter.core_schema:
        # Validators that nested models have built before are replaced, too.
        use_validator(adapter, schema)


def strict_schema(schema: Any) -> Any:
    """Return a copy of a core schema whose numbers are finite, and refuse booleans."""
    return _changed(schema, takes_booleans=False, is_finite=True)


def finite_schema(schema: Any) -> Any:
    """Return a copy of a core schema whose floats are finite."""
    return _changed(schema, takes_booleans=True, is_finite=True)


def _changed(schema: Any, *, takes_booleans: bool, is_finite: bool) -> Any:
    if (schema.get("config") or {}).get("allow_inf_nan"):
        is_finite = False
    again = partial(_changed, takes_booleans=takes_booleans, is_finite=is_finite)
    copy = with_inner(schema, again)
    kind = copy.get("type")
    if kind == "float" and is_finite:
        copy.setdefault("allow_inf_nan", False)
    if kind == "json" and is_finite:
        return _before(copy, _check_json)
    if takes_booleans:
        return copy
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

    return _before(schema, check)


def _check_json(value: object) -> object:
    """Refuse a text for `Json[...]` that has a value which JSON can't hold."""
    text = value.encode() if isinstance(value, str) else value
    if isinstance(text, bytes) and not is_plain(text):
        try:
            read_json(text)
        except JSONRefused as error:
            if error.fault.position is None:
                raise PydanticKnownError(error.fault.type) from error  # type: ignore[arg-type]  # one of pydantic's
    return value


def _before(schema: dict[str, Any], check: Callable[[object], object]) -> dict[str, Any]:
    outer = {name: schema.pop(name) for name in ("ref", "metadata") if name in schema}
    function = {"type": "no-info", "function": check}
    return outer | {"type": "function-before", "function": function, "schema": schema}


def _named(before: Any, after: Any) -> Any:
    """Let errors name the choice of a union by its first type."""
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
