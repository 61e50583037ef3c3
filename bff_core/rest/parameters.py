"""Reads and validates the parameters of views on the fast path."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin
from urllib.parse import parse_qsl

from pydantic_core import PydanticUndefined

from bff_core.call import find_header
from bff_core.compat.fastapi import Dependant, ModelField
from bff_core.edge.strict_numbers import refuse_infinite
from bff_core.scope import Scope

Values = dict[str, object]
Errors = list[Any]
"""Validation errors in the form that FastAPI has for them."""

_COLLECTIONS = (list, tuple, set, frozenset, Sequence)


@dataclass(frozen=True, slots=True)
class Inputs:
    """The raw parameters of one request."""

    path: Mapping[str, str]
    scope: Scope
    headers: Iterable[tuple[bytes, bytes]]

    def header(self, name: str) -> str | None:
        """Return the first line of a header, as FastAPI does; add it to `Vary`."""
        if name not in self.scope.vary:
            self.scope.vary.append(name)
        value = find_header(self.headers, name.encode())
        return None if value is None else value.decode("latin-1")

    def query(self) -> dict[str, str]:
        """Return the last value of each query parameter."""
        raw = self.scope.query
        return dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True)) if raw else {}


Read = Callable[[Inputs, Mapping[str, str]], str | None]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter: its source and its validation."""

    name: str
    alias: str
    source: str
    field: ModelField
    is_plain: bool

    def read(self, inputs: Inputs, query: Mapping[str, str]) -> str | None:
        """Return the raw value; None if the request has none."""
        if self.source == "path":
            return inputs.path.get(self.alias)
        if self.source == "query":
            return query.get(self.alias)
        return inputs.header(self.alias.lower())

    def take(self, raw: str | None, values: Values, errors: Errors) -> None:
        """Add the validated value to `values`, or its errors to `errors`."""
        if raw is None:
            self._default(values, errors)
        elif self.is_plain:
            values[self.name] = raw
        else:
            value, found = self.field.validate(raw, {}, loc=(self.source, self.alias))
            if found:
                errors.extend(found)
            else:
                values[self.name] = value

    def _default(self, values: Values, errors: Errors) -> None:
        default = self.field.get_default()
        if default is not PydanticUndefined:
            values[self.name] = default
            return
        errors.append(
            {
                "type": "missing",
                "loc": (self.source, self.alias),
                "msg": "Field required",
                "input": None,
            }
        )


class Binder:
    """Reads the parameters of one function, as FastAPI has found them in its signature."""

    __slots__ = ("_needs_query", "_parameters")

    def __init__(self, dependant: Dependant, converted: Collection[str] = ()) -> None:
        self._parameters = tuple(_parameters(dependant, converted))
        self._needs_query = any(one.source == "query" for one in self._parameters)

    def bind(self, inputs: Inputs, errors: Errors) -> Values:
        """Return the values by name; add those of wrong parameters to `errors`."""
        values: Values = {}
        if self._parameters:
            query = inputs.query() if self._needs_query else {}
            for parameter in self._parameters:
                parameter.take(parameter.read(inputs, query), values, errors)
        return values


def _parameters(dependant: Dependant, converted: Collection[str]) -> Iterator[Parameter]:
    """Yield the parameters of a function; the path gives those that are `converted` no text."""
    for source, fields in (
        ("path", dependant.path_params),
        ("query", dependant.query_params),
        ("header", dependant.header_params),
    ):
        for field in fields:
            refuse_infinite(field)
            info = field.field_info
            is_text = source != "path" or field.alias not in converted
            is_plain = is_text and info.annotation is str and not info.metadata
            yield Parameter(field.name, field.alias, source, field, is_plain)


def is_bindable(dependant: Dependant) -> bool:
    """Whether `Binder` can read all parameters of a function; if not, FastAPI reads them."""
    fields = [*dependant.path_params, *dependant.query_params, *dependant.header_params]
    others = (
        dependant.cookie_params,
        dependant.body_params,
        dependant.websocket_param_name,
        dependant.response_param_name,
        dependant.background_tasks_param_name,
        dependant.security_scopes_param_name,
        dependant.http_connection_param_name,
    )
    return not any(others) and all(_takes_one_value(field) and _is_named(field) for field in fields)


def _is_named(field: ModelField) -> bool:
    """Whether requests name the field by its alias alone."""
    return field.field_info.validation_alias in {None, field.alias}


def _takes_one_value(field: ModelField) -> bool:
    return not any(_is_collection(one) for one in _alternatives(field.field_info.annotation))


def _alternatives(annotation: object) -> tuple[object, ...]:
    return get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)


def _is_collection(annotation: object) -> bool:
    kind = get_origin(annotation) or annotation
    return kind in _COLLECTIONS or (isinstance(kind, type) and hasattr(kind, "model_fields"))
