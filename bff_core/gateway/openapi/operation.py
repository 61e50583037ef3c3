"""The operations of an OpenAPI document, each with the route behind it."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from bff_core.auth.access import Access
from bff_core.compat.fastapi import RouteContext, all_dependants, dependant_of, iter_route_contexts
from bff_core.rest.compose import composition_of
from bff_core.rest.openapi import ViewDocument, document_of
from bff_core.routing.access import RouteAccess
from bff_core.routing.route_table import RouteEntry

Document = dict[str, Any]
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RestOperation:
    """An operation: `shown` is its part of the document, `context` and `entry` are its route.

    `view` is what a view documents; None for a route of FastAPI. `access` is the rule in effect.
    """

    path: str
    method: str
    shown: Document
    context: RouteContext
    entry: RouteEntry
    view: ViewDocument | None
    access: Access | None

    @property
    def responses(self) -> dict[str, Document]:
        """The responses by status."""
        found: dict[str, Document] = self.shown.setdefault("responses", {})
        return found

    @property
    def parameters(self) -> Sequence[Document]:
        """The parameters of the path, the query, headers and cookies."""
        found: list[Document] = self.shown.get("parameters", [])
        return found

    @property
    def has_screen(self) -> bool:
        """Whether the route takes a composition, which calls services."""
        dependant = dependant_of(self.context)
        every = () if dependant is None else all_dependants(dependant)
        return any(composition_of(one.call) is not None for one in every)

    def add_parameter(self, parameter: Mapping[str, Any]) -> None:
        """Add a parameter, unless the route declares it."""
        wanted = (parameter["in"], parameter["name"].lower())
        if all((one["in"], one["name"].lower()) != wanted for one in self.parameters):
            self.shown.setdefault("parameters", []).append(deepcopy(parameter))

    def contents(self) -> Iterator[Schema]:
        """Yield the schemas of the bodies of requests."""
        for one in self.shown.get("requestBody", {}).get("content", {}).values():
            if "schema" in one:
                yield one["schema"]


def operations_of(
    document: Document, routes: Sequence[BaseRoute], access: Sequence[RouteAccess]
) -> list[RestOperation]:
    """Return the operations of a document, in the order of their routes.

    Of two routes with one path and method the document has the last, as in FastAPI.
    """
    rules: dict[tuple[str, str], Access] = {}
    for one in access:
        for method in one.methods:
            rules.setdefault((one.path, method), one.access)
    found: dict[tuple[str, str], RestOperation] = {}
    for context in iter_route_contexts(routes):
        if not isinstance(context.original_route, APIRoute) or not context.include_in_schema:
            continue
        entry = RouteEntry.of(context)
        for method in sorted(context.methods or ()):
            key = (context.path_format or "", method)
            shown = document["paths"].get(key[0], {}).get(method.lower())
            if shown is not None:
                view, rule = document_of(entry.endpoint), rules.get((entry.path, method))
                found[key] = RestOperation(*key, shown, context, entry, view, rule)
    return list(found.values())
