"""The private names of FastAPI that the framework uses."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi._compat import ModelField
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from fastapi.openapi.utils import get_fields_from_routes
from fastapi.params import Body, Depends, Form, Param, Path
from fastapi.routing import RouteContext, _IncludedRouter, iter_route_contexts
from fastapi.telemetry import TelemetryConfig
from fastapi.types import IncEx
from pydantic import TypeAdapter
from starlette.routing import BaseRoute
from starlette.types import Scope as ASGIScope

__all__ = [
    "Body",
    "Dependant",
    "Depends",
    "Form",
    "IncEx",
    "ModelField",
    "Param",
    "Path",
    "RouteContext",
    "TelemetryConfig",
    "all_dependants",
    "chosen_route",
    "dependant_of",
    "documented_fields",
    "get_dependant",
    "has_default_operation_id",
    "has_default_response_class",
    "inputs_read_by",
    "is_traced",
    "iter_route_contexts",
    "parameters_of",
    "type_adapter_of",
    "version_of_included",
]


def dependant_of(route: object) -> Dependant | None:
    """Return what FastAPI read from the signature of a route's function; None for other routes."""
    found = getattr(route, "dependant", None)
    return found if isinstance(found, Dependant) else None


def documented_fields(context: RouteContext) -> Sequence[ModelField]:
    """Return the inputs and answers of a route that OpenAPI documents."""
    return get_fields_from_routes([context])


def all_dependants(dependant: Dependant) -> Iterator[Dependant]:
    """Yield a dependant and all its dependencies."""
    yield dependant
    for one in dependant.dependencies:
        yield from all_dependants(one)


def parameters_of(dependant: Dependant) -> Iterator[ModelField]:
    """Yield what a function reads from the path, the query, headers and cookies."""
    yield from dependant.path_params
    yield from dependant.query_params
    yield from dependant.header_params
    yield from dependant.cookie_params


def inputs_read_by(dependant: Dependant) -> Iterator[ModelField]:
    """Yield what a function reads from the request: parameters, then the body."""
    yield from parameters_of(dependant)
    yield from dependant.body_params


def chosen_route(scope: ASGIScope) -> object:
    """Return the route that FastAPI chose for a request; None before it has.

    It stores the whole template of an included route beside the route itself, whose own lacks the
    prefix.
    """
    return scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")


def version_of_included(routes: Sequence[BaseRoute]) -> int:
    """Return a number that grows when a route is added to a router that these routes include."""
    included = [one.original_router for one in routes if isinstance(one, _IncludedRouter)]
    return sum([one._get_routes_version() for one in included])  # noqa: SLF001 # no public name


def type_adapter_of(field: ModelField) -> TypeAdapter[Any]:
    """Return the adapter with which FastAPI validates a parameter or a body."""
    return field._type_adapter  # noqa: SLF001 # FastAPI has no public name for it


def has_default_response_class(app: FastAPI) -> bool:
    """Whether the app was made without `default_response_class=`."""
    return isinstance(app.router.default_response_class, DefaultPlaceholder)


def has_default_operation_id(context: RouteContext) -> bool:
    """Whether FastAPI chose the operation id of a route, not the user."""
    generator = context.generate_unique_id_function
    return context.operation_id is None and isinstance(generator, DefaultPlaceholder)


def is_traced(app: FastAPI) -> bool:
    """Whether FastAPI's own OpenTelemetry instrumentation is on."""
    return bool(app._native_telemetry.enabled())  # noqa: SLF001 # FastAPI has no public name for it
