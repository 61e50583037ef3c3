"""The routes of a gateway and the fields of its GraphQL schema, with what is declared on them."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from bff_core.answer_cacheability import Sharing
from bff_core.auth.access import ANYONE, SIGNED_IN, Access
from bff_core.auth.authenticator import names_of
from bff_core.compat.fastapi import RouteContext, all_dependants, dependant_of, iter_route_contexts
from bff_core.composition.composition import Composition
from bff_core.gateway.app import Gateway
from bff_core.inspection.attributes import uses_graphql
from bff_core.inspection.reader import steps_of_function
from bff_core.inspection.steps import InOrder, Step
from bff_core.policy.edge.rate_limits import Limit
from bff_core.policy.edge.shedding import DEFAULT_CRITICALITY
from bff_core.proxy.plan import RouteMatching
from bff_core.proxy.route import Route
from bff_core.rest.compose import composition_of
from bff_core.rest.openapi import document_of
from bff_core.rest.progressive_parts import EarlyPart
from bff_core.rest.view_handler import CompiledView
from bff_core.routing.route_table import RouteEntry
from bff_core.startup.unused import name_of

RouteKind = Literal[
    "view",
    "stream",
    "graphql",
    "field",
    "route",
    "proxy",
    "mount",
    "websocket",
    "sign-in",
    "fastapi",
]
"""`route` is a plain route of FastAPI, `fastapi` one that FastAPI adds itself."""

SHARED_BY: Final[dict[Sharing | None, str]] = {
    None: "off",
    0: "shared by all viewers",
    1: "shared by a tenant",
    2: "per viewer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteDescription:
    """One route, or one field of GraphQL, which has no methods.

    `cache` says who may share an answer in the view cache, empty for what changes something.
    `limits` are the rate limits that count its requests. `by` names the authenticators. `find_step`
    reads what a request does; for a field, with all fields below it. `early_parts` are those of a
    progressive answer, `dependencies` the functions that FastAPI calls before the view. `proxied`
    is the route that is served without code.
    """

    kind: RouteKind
    methods: tuple[str, ...]
    path: str
    function: Callable[..., Any] | None
    screens: tuple[type[Composition], ...]
    rules: tuple[Access, ...]
    by: tuple[str, ...]
    criticality: str
    limits: tuple[Limit, ...]
    cache: str
    is_fast: bool = False
    find_step: Callable[[], Step] = InOrder
    early_parts: tuple[EarlyPart, ...] = ()
    dependencies: tuple[Callable[..., Any], ...] = ()
    proxied: Route | None = None

    @property
    def name(self) -> str:
        """The function with its module; empty if there is none."""
        return "" if self.function is None else name_of(self.function)

    @property
    def access(self) -> str:
        """Which viewers may use it; they have to meet all `rules`."""
        return " and ".join(map(str, self.rules))

    @property
    def title(self) -> str:
        """The method and the path, or the field: `GET /v1/home`, `Query.home`."""
        return " ".join([*self.methods, self.path])


def routes_of(app: Gateway) -> list[RouteDescription]:
    """Return the routes of a gateway in the order in which they are matched.

    The root fields of a GraphQL schema, and those with an access rule, follow its route.
    """
    by = names_of(app.config.authenticator)
    found: list[RouteDescription] = []
    for context in iter_route_contexts(app.routes):
        one = _described(app, context, by)
        found.append(one)
        if one.kind == "graphql":
            found += _fields(app, one)
    return found


def _described(app: Gateway, context: RouteContext, by: tuple[str, ...]) -> RouteDescription:
    path = context.path or "/"
    entry = RouteEntry.of(context, app.fast_path.compiled(context.endpoint, path))
    document = document_of(context.endpoint)
    function = context.endpoint if document is None else document.function
    return RouteDescription(
        kind=_kind(context, entry, None if document is None else document.function),
        methods=tuple(sorted(entry.methods)),
        path=entry.path,
        function=function if callable(function) and hasattr(function, "__qualname__") else None,
        screens=tuple(dict.fromkeys(_screens(context))),
        rules=(entry.access or (SIGNED_IN if by else ANYONE),),
        by=by,
        criticality=entry.criticality,
        limits=(*_limits(app.config.limits, entry), *_limits_of_route(entry)),
        cache=_cache(app, entry),
        is_fast=entry.compiled is not None,
        find_step=InOrder if function is None else partial(steps_of_function, function),
        early_parts=() if document is None else tuple(document.early_parts or ()),
        dependencies=tuple(_dependencies(context)),
        proxied=_proxied(entry),
    )


def _proxied(entry: RouteEntry) -> Route | None:
    return entry.matching.route if isinstance(entry.matching, RouteMatching) else None


def _kind(context: RouteContext, entry: RouteEntry, function: object) -> RouteKind:
    """Return the kind of a route; `function` is that of a view."""
    if uses_graphql() and type(entry.endpoint).__name__ == "GraphQLView":
        return "graphql"
    if function is not None:
        return "stream" if inspect.isasyncgenfunction(function) else "view"
    if entry.is_socket:
        return "websocket"
    if not entry.methods or _proxied(entry) is not None:
        return "mount" if _proxied(entry) is None else "proxy"
    module = str(getattr(context.endpoint, "__module__", ""))
    if module.startswith("bff_core."):
        return "sign-in"
    return "fastapi" if module.startswith("fastapi.") else "route"


def _screens(context: RouteContext) -> Iterator[type[Composition]]:
    dependant = dependant_of(context)
    for one in () if dependant is None else all_dependants(dependant):
        screen = composition_of(one.call)
        if screen is not None:
            yield screen


def _dependencies(context: RouteContext) -> Iterator[Callable[..., Any]]:
    dependant = dependant_of(context)
    for one in () if dependant is None else all_dependants(dependant):
        if one.call is not None and one.call is not context.endpoint:
            yield one.call


def _cache(app: Gateway, entry: RouteEntry) -> str:
    compiled = entry.compiled
    if not isinstance(compiled, CompiledView) or compiled.view_cache is None:
        return ""
    return SHARED_BY[compiled.view_cache.declared if app.has_cache else None]


def _limits_of_route(entry: RouteEntry) -> Sequence[Limit]:
    return () if entry.matching is None else entry.matching.limits


def _limits(limits: Sequence[Limit], entry: RouteEntry) -> Iterator[Limit]:
    """Yield the limits that may count a request of the route."""
    methods = {"GET" if one == "HEAD" else one for one in entry.methods}
    for one in limits:
        is_counted = any(entry.is_below(path) is not False for path in one.paths)
        is_exempt = any(entry.is_below(path) is True for path in one.exempt)
        fits = not one.methods or not methods or not methods.isdisjoint(one.methods)
        if is_counted and fits and not is_exempt:
            yield one


def _fields(app: Gateway, route: RouteDescription) -> Iterator[RouteDescription]:
    # Imported here because gateways without GraphQL need no library of it.
    from bff_core.inspection.graphql_fields import (  # noqa: PLC0415 # see above
        listed_fields,
        steps_of_field,
    )

    for one, sharing in listed_fields(app, route.path):
        declared = tuple(rule for rule in one.rules if rule is not None)
        yield RouteDescription(
            kind="field",
            methods=(),
            path=one.coordinate,
            function=one.resolver,
            screens=one.screens,
            rules=declared or (SIGNED_IN if route.by else ANYONE,),
            by=route.by,
            criticality=route.criticality,
            limits=route.limits,
            cache=SHARED_BY[sharing if app.has_cache else None] if one.is_query else "",
            is_fast=True,
            find_step=partial(steps_of_field, one),
        )


def describe_limit(limit: Limit) -> str:
    """Return a rate limit in words: `6,000 requests a minute by viewer`."""
    periods = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86_400.0: "day"}
    per = f"a {periods[limit.per]}" if limit.per in periods else f"in {limit.per:g} s"
    unit = {"request": "requests", "calls": "calls to services", "query": "query cost"}[limit.cost]
    return f"{limit.quota:,} {unit} {per} by {limit.by}".replace("a hour", "an hour")


def is_default_criticality(route: RouteDescription) -> bool:
    """Whether a route declares no criticality of its own."""
    return route.criticality == DEFAULT_CRITICALITY
