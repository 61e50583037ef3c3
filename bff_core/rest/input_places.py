"""Checks where the inputs of a view are read from: one place each, which the route has."""

import inspect
from collections.abc import Iterator
from dataclasses import MISSING
from typing import Any, Final, NamedTuple

from pydantic.fields import FieldInfo

from bff_core.compat.fastapi import (
    Body,
    Dependant,
    Depends,
    Param,
    Path,
    all_dependants,
)
from bff_core.compat.starlette import compile_path
from bff_core.composition.annotations import without_aliases
from bff_core.composition.composition import Composition
from bff_core.composition.wiring import shape_of
from bff_core.errors import ConfigurationError
from bff_core.rest.compose import composition_of
from bff_core.rest.signature import dependant_with
from bff_core.rest.unreadable_inputs import meant_service

_NO_DEFAULT: Final = (MISSING, inspect.Parameter.empty, ...)


class _Input(NamedTuple):
    """An input of a view or of a screen: where it is declared, and the markers that it has."""

    owner: str
    name: str
    markers: tuple[FieldInfo, ...]
    default: object


def check_input_places(signature: inspect.Signature, path: str, method: str) -> None:
    """Raise `ConfigurationError` for an input whose declaration contradicts itself or the route.

    `path` is the whole path of the route, prefix included.
    """
    in_path = compile_path(path)[2]
    for one in _inputs_of(signature):
        where, shown = f"{one.owner}{one.name}", [f"{type(m).__name__}()" for m in one.markers]
        if len(shown) > 1:
            raise ConfigurationError(
                f"{where} declares {' and '.join(shown)}: an input is read from one place, so "
                "remove one of them"
            )
        if one.name in in_path and shown and not isinstance(one.markers[0], Path):
            raise ConfigurationError(
                f"{where} declares {shown[0]}, and the path {path} has {{{one.name}}}: remove "
                f"{shown[0]}, or rename the input or the parameter of the path"
            )
        if any(isinstance(marker, Path) for marker in one.markers) and _is_default(one.default):
            raise ConfigurationError(
                f"{where} declares Path() and a default: a path always has its parameters, so "
                "remove the default"
            )
    for dependant in all_dependants(dependant_with(signature, path)):
        screen = composition_of(dependant.call)
        owner = "" if screen is None else f"{screen.__name__}."
        _refuse_collisions(dependant, owner)
        if method == "GET" and dependant.body_params:
            name = dependant.body_params[0].name
            raise ConfigurationError(
                f"{owner}{name} is read from a body, and a GET has none "
                f"(RFC 9110, section 9.3.1): declare Query(), or use @views.post"
                f"{_or_service(screen, name)}"
            )


def _or_service(screen: type[Composition] | None, name: str) -> str:
    """Return what to say of a field whose type is close to a service; empty for others."""
    inputs = {} if screen is None else {one.name: one for one in shape_of(screen).inputs}
    if name not in inputs:
        return ""
    kind = inputs[name].annotation
    meant = meant_service(name, kind)
    shown = kind.__name__ if isinstance(kind, type) else str(kind)
    return f"; {shown} is no service{meant}" if meant else ""


def _refuse_collisions(dependant: Dependant, owner: str) -> None:
    """Raise `ConfigurationError` for two inputs of one screen, or view, that have one name."""
    for place in ("path", "query", "header", "cookie", "body"):
        taken: dict[str, str] = {}
        for field in getattr(dependant, f"{place}_params"):
            alias = field.alias.lower() if place == "header" else field.alias
            other = taken.setdefault(alias, field.name)
            if other != field.name:
                raise ConfigurationError(
                    f"{owner}{other} and {owner}{field.name} are both read from {alias!r} "
                    f"({place}): give one of them another alias"
                )


def _inputs_of(signature: inspect.Signature) -> Iterator[_Input]:
    """Yield the inputs of a view and of the screens that it takes."""
    for parameter in signature.parameters.values():
        metadata = (*without_aliases(parameter.annotation)[1], parameter.default)
        depends = [one for one in metadata if isinstance(one, Depends)]
        screens = [composition_of(one.dependency) for one in depends]
        for screen in screens:
            for one in () if screen is None else shape_of(screen).inputs:
                hint = (*without_aliases(one.annotation)[1], one.default)
                yield _Input(f"{screen.__name__}.", one.name, _markers(hint), one.default)  # type: ignore[union-attr]
        if not depends:
            yield _Input("", parameter.name, _markers(metadata), parameter.default)


def _is_default(value: object) -> bool:
    return not isinstance(value, FieldInfo) and value not in _NO_DEFAULT


def _markers(metadata: tuple[Any, ...]) -> tuple[FieldInfo, ...]:
    return tuple(one for one in metadata if isinstance(one, Param | Body))
