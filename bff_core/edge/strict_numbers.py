"""What is no number is refused as one: `true` in bodies, `NaN` and `Infinity` everywhere.

pydantic takes JSON's `true` and `false` for 1 and 0 unless a whole model is strict, which would
refuse much that FastAPI promises to convert. It takes `"NaN"` and `"inf"` for a float, which no
JSON can pass on; a model that sets `allow_inf_nan=True` goes on to take them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from pydantic_core import PydanticKnownError, SchemaValidator
from starlette.routing import BaseRoute

from bff_core.edge.dependants import all_dependants
from bff_core.edge.json_text import JSONRefused, is_plain, read_json

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


def refuse_non_numbers(routes: Sequence[BaseRoute]) -> None:
    """Let no input of these routes have a number that is none."""
    for context in iter_route_contexts(routes):
        dependant = getattr(context, "dependant", None)
        if isinstance(dependant, Dependant):
            for one in all_dependants(dependant):
                for body in one.body_params:
                    _revalidate(body, strict_schema)
                for parameter in _parameters(one):
                    refuse_infinite(parameter)


def refuse_infinite(parameter: ModelField) -> None:
    """Let a parameter of a path, a query, a header or a cookie be no float that is not finite."""
    _revalidate(parameter, finite_schema)


def _parameters(dependant: Dependant) -> Iterator[ModelField]:
    yield from dependant.path_params
    yield from dependant.query_params
    yield from dependant.header_params
    yield from dependant.cookie_params


def _revalidate(field: ModelField, change: Callable[[Any], Any]) -> None:
    adapter = field._type_adapter  # noqa: SLF001 # FastAPI has no other place
    schema = change(adapter.core_schema)
    if schema != adapter.core_schema:
        # A validator that a nested model has built of itself already would know nothing of this.
        adapter.validator = SchemaValidator(schema, _use_prebuilt=False)


def strict_schema(schema: Any) -> Any:
    """Return a copy of a core schema whose numbers take no booleans, and are finite."""
    return _changed(schema, takes_booleans=False, is_finite=True)


def finite_schema(schema: Any) -> Any:
    """Return a copy of a core schema whose floats are finite."""
    return _changed(schema, takes_booleans=True, is_finite=True)


def _changed(schema: Any, *, takes_booleans: bool, is_finite: bool) -> Any:
    if isinstance(schema, dict) and (schema.get("config") or {}).get("allow_inf_nan"):
        is_finite = False
    again = partial(_changed, takes_booleans=takes_booleans, is_finite=is_finite)
    if isinstance(schema, list | tuple):
        return type(schema)(map(again, schema))
    if not isinstance(schema, dict):
        return schema
    copy = {name: one if name in _DATA else again(one) for name, one in schema.items()}
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
    """Refuse a text that `Json[...]` is about to parse, for a value that no JSON can pass on."""
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
