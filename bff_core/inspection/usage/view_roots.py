"""Where the code of a gateway starts: its views, the fields of its GraphQL schema, its sagas."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from starlette.routing import Mount, Route

from bff_core.compat.fastapi import all_dependants
from bff_core.gateway.app import Gateway
from bff_core.inspection.attributes import uses_graphql
from bff_core.inspection.function_source import place_of, plain_function
from bff_core.inspection.routes import RouteDescription, routes_of
from bff_core.inspection.usage.flow_attributes import existing
from bff_core.inspection.usage.flow_facts import FunctionFacts
from bff_core.inspection.usage.flow_values import ScreenPart, Typed
from bff_core.inspection.usage.root_reader import RootReader
from bff_core.inspection.usage.source_readings import SourceReadings

_NODE: Final = ast.Pass()


@dataclass(frozen=True, slots=True)
class ViewFacts:
    """A view of a gateway, "mobile: GET /v1/home", and all facts of the code that it runs."""

    title: str
    facts: tuple[FunctionFacts, ...]


def views_of(name: str, app: Gateway, readings: SourceReadings) -> Iterator[ViewFacts]:
    """Yield the views of a gateway with the facts of their code."""
    for route in routes_of(app):
        if route.kind in {"graphql", "field", "fastapi", "sign-in", "mount"}:
            continue
        found = _of_route(route, readings)
        title = route.title.replace("GET HEAD", "GET")
        yield ViewFacts(f"{name}: {title}", tuple(readings.all_of(found)))
    for path, mounted in _mounted(app, "", readings):
        yield ViewFacts(f"{name}: {path}", tuple(readings.all_of(mounted)))
    if uses_graphql():
        # Imported here because gateways without GraphQL need no library of it.
        from bff_core.inspection.usage.graphql_roots import fields_read  # noqa: PLC0415 # see above

        for title, facts in fields_read(app, readings):
            whole = {id(one): one for each in facts for one in readings.all_of(each)}
            yield ViewFacts(f"{name}: {title}", tuple(whole.values()))
    for kind in () if app.config.sagas is None else app.config.sagas.classes.values():
        reader = RootReader(readings, "")
        reader.escape(Typed(kind), "", None)
        yield ViewFacts(f"{name}: saga {kind.__name__}", tuple(readings.all_of(reader.facts)))


def _of_route(route: RouteDescription, readings: SourceReadings) -> FunctionFacts:
    """Return the facts of a view; what it returns is sent whole."""
    plain = None if route.function is None else plain_function(route.function)
    reader = RootReader(readings, "" if plain is None else place_of(plain))
    for one in route.dependencies:
        reader.apply(existing(one), [], {}, _NODE)
    for early in route.early_parts:
        for screen in route.screens:
            if early.part.belongs_to(screen):
                part = reader.apply(ScreenPart(screen, early.part), [], {}, _NODE)
                sent = reader.apply(existing(early.present), [part, Typed(screen)], {}, _NODE)
                reader.escape(sent, "it is in the answer", None)
    if route.function is not None:
        sent = reader.apply(existing(route.function), [], {}, _NODE)
        reader.escape(sent, "it is in the answer", None)
        reader.escape_methods(route.function, "it is in the answer")
    return reader.facts


def _mounted(
    app: object, path: str, readings: SourceReadings
) -> Iterator[tuple[str, FunctionFacts]]:
    """Yield the routes of apps that are mounted, and apps of the project's own classes."""
    for route in getattr(app, "routes", ()):
        below = path + str(getattr(route, "path", ""))
        endpoint = getattr(route, "endpoint", None)
        inner = getattr(route, "app", None)
        if isinstance(route, Mount):
            if getattr(inner, "routes", None):
                yield from _mounted(inner, below, readings)
                continue
            endpoint = inner
        is_known = not path and (not isinstance(route, Route) or bool(route.methods))
        if endpoint is None or (is_known and not isinstance(route, Mount)):
            continue
        plain = plain_function(endpoint)
        reader = RootReader(readings, "" if plain is None else place_of(plain))
        for one in _dependencies_of(route):
            reader.apply(existing(one), [], {}, _NODE)
        sent = reader.apply(existing(endpoint), [], {}, _NODE)
        reader.escape(sent, "it is in the answer", None)
        reader.escape_methods(endpoint, "it is in the answer")
        yield below, reader.facts


def _dependencies_of(route: object) -> Iterator[Callable[..., Any]]:
    """Yield the functions that FastAPI calls before a route."""
    dependant = getattr(route, "dependant", None)
    for one in () if dependant is None else all_dependants(dependant):
        if one.call is not None and one.call is not getattr(route, "endpoint", None):
            yield one.call
