"""Checks the declaration of a view; errors say what to write instead."""

import inspect
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from difflib import get_close_matches
from typing import Any, TypeGuard, get_args, get_origin, get_type_hints

from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from starlette.routing import BaseRoute

from bff_core.cache.response_cache import ResponseCache
from bff_core.compat.fastapi import (
    Dependant,
    Depends,
    ModelField,
    all_dependants,
    dependant_of,
)
from bff_core.composition.annotations import without_aliases
from bff_core.composition.composition import Composition
from bff_core.composition.wiring import filled_in
from bff_core.errors import ConfigurationError
from bff_core.rest.compose import REQUEST, compose, composition_of
from bff_core.rest.signature import RESPONSE, ViewInputs
from bff_core.saga.saga import Saga
from bff_core.upstream.client import Upstream


def check_path(path: object, verb: str) -> None:
    """Raise `ConfigurationError` for a decorator without a path, or a path without a slash."""
    if not isinstance(path, str):
        raise ConfigurationError(f'@views.{verb} needs a path, as in @views.{verb}("/products")')
    if path and not path.startswith("/"):
        raise ConfigurationError(f"@views.{verb}({path!r}): a path starts with a slash: /{path}")


def check_is_coroutine(endpoint: Callable[..., Any]) -> None:
    """Raise `ConfigurationError` for a view that yields, or that is not declared by `async def`."""
    view = f"view {endpoint.__qualname__}"
    if inspect.isasyncgenfunction(endpoint):
        raise ConfigurationError(f"{view} yields: declare it with @views.stream(...)")
    if not inspect.iscoroutinefunction(endpoint):
        raise ConfigurationError(f"{view}: write it with `async def`")


def check_endpoint(endpoint: Callable[..., Any]) -> None:
    """Raise `ConfigurationError` for a composition that can't be composed, and for a service."""
    hints = _hints_of(endpoint)
    for parameter in inspect.signature(endpoint).parameters.values():
        given, metadata = without_aliases(hints.get(parameter.name))
        depends = [one for one in (*metadata, parameter.default) if isinstance(one, Depends)]
        where = f"view {endpoint.__qualname__}: {parameter.name}"
        _check_name(where, parameter)
        if _is_composition(given):
            _check_screen(where, given, metadata, depends, parameter)
        elif _is_service(given) and all(one.dependency in {None, given} for one in depends):
            raise ConfigurationError(
                f"{where} is the service {given.__name__}: services are fields of a Composition, "
                "which the view takes"
            )
        elif not depends and (screen := next(_screens_in(given), None)) is not None:
            name = screen.__name__
            raise ConfigurationError(
                f"{where} is {_shown(given)}: the gateway makes a {name} for each request, so "
                f"write {parameter.name}: {name}, or take a class of your own that extends it"
            )
        elif not depends and not isinstance(given, type) and any(filled_in(given)):
            name = next(filled_in(given)).__name__
            raise ConfigurationError(
                f"{where} is {_shown(given)}: the gateway fills {name} from each request, and "
                f"clients can't send it: write {parameter.name}: {name}"
            )


def _check_name(where: str, parameter: inspect.Parameter) -> None:
    """Raise `ConfigurationError` for a parameter that can't be passed by its name."""
    if parameter.name in {REQUEST, RESPONSE}:
        raise ConfigurationError(f"{where}: rename it: the gateway uses the name")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise ConfigurationError(f"{where}: views are called by name: remove the / after it")
    if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
        raise ConfigurationError(
            f"{where} takes any number of arguments: name each one. If a decorator of yours made "
            "the function, it needs @functools.wraps"
        )


def check_path_parameters(
    route: BaseRoute, endpoint: Callable[..., Any], inputs: ViewInputs
) -> None:
    """Raise `ConfigurationError` for a path parameter that the view takes under another name.

    This is the case if nothing takes the path parameter, and a query parameter has a similar name
    or no default. Other path parameters, such as a slug, may be ignored. A view that takes the
    request may read them there.
    """
    dependant = dependant_of(route)
    if not isinstance(route, APIRoute) or dependant is None:
        return
    every = list(all_dependants(dependant))
    unused = route.param_convertors.keys() - {
        name for dependant in every for one in dependant.path_params for name in _names_of(one)
    }
    if not unused or any(map(_takes_request, inputs.every())):
        return
    queried = [one for dependant in every for one in dependant.query_params]
    if not any(_may_be_meant(one, unused) for one in queried):
        return
    others, name = ", ".join(dict.fromkeys(one.alias for one in queried)), min(unused)
    raise ConfigurationError(
        f"view {endpoint.__qualname__}: nothing takes {{{name}}} of the path {route.path}; its "
        f"query parameters are {others}: is one of them meant? If not, take {name}: str as well"
    )


def _names_of(field: ModelField) -> Iterator[str]:
    """Yield the path parameters that a field takes; a model takes one per field."""
    yield field.alias
    kind = field.field_info.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, one in kind.model_fields.items():
            yield one.alias or name


def _may_be_meant(field: ModelField, unused: Collection[str]) -> bool:
    """Whether a query parameter may be a path parameter under another name."""
    return field.field_info.is_required() or bool(get_close_matches(field.alias, unused))


def _hints_of(endpoint: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations of an endpoint; raise `ConfigurationError` for an undefined name."""
    try:
        return get_type_hints(endpoint, include_extras=True)
    except NameError as error:
        raise ConfigurationError(
            f"view {endpoint.__qualname__}: {error}; an annotation has to be importable from the "
            "module of the view"
        ) from error


def _check_screen(
    where: str,
    screen: type[Composition],
    metadata: Sequence[object],
    depends: Sequence[Depends],
    parameter: inspect.Parameter,
) -> None:
    fix = f"write {parameter.name}: {screen.__name__}"
    if screen in {Composition, Saga}:
        raise ConfigurationError(f"{where}: name a class of yours that extends {screen.__name__}")
    if any(composition_of(one) is not None for one in metadata):
        raise ConfigurationError(f"{where}: remove compose(...) from the annotation: {fix}")
    if not depends and parameter.default is not parameter.empty:
        raise ConfigurationError(f"{where} is made for each request and takes no default: {fix}")
    if not depends and any(isinstance(one, FieldInfo) for one in metadata):
        raise ConfigurationError(f"{where} is made by the gateway, not read from requests: {fix}")
    for one in depends:
        if any(one.dependency is wrong for wrong in (None, screen, compose)):
            raise ConfigurationError(f"{where}: Depends(...) takes what compose returns: {fix}")


def _is_composition(given: object) -> TypeGuard[type[Composition]]:
    return isinstance(given, type) and issubclass(given, Composition)


def _screens_in(hint: object) -> Iterator[type[Composition]]:
    """Yield the compositions in a type such as `Home | None` or `list[Home]`."""
    for one in (get_origin(hint), *get_args(hint)):
        if _is_composition(one):
            yield one
        elif get_args(one):
            yield from _screens_in(one)


def _shown(hint: object) -> str:
    """Return a type as its author wrote it, without modules."""
    return re.sub(r"(?:[\w<>]+\.)+(?=\w)", "", str(hint))


def _is_service(given: object) -> TypeGuard[type[Upstream | ResponseCache]]:
    return isinstance(given, type) and issubclass(given, Upstream | ResponseCache)


def _takes_request(one: Dependant) -> bool:
    """Whether a function takes the request, which a composition does not let the view read."""
    names = one.request_param_name, one.websocket_param_name, one.http_connection_param_name
    return any(names) and composition_of(one.call) is None
