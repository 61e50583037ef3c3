"""Which route serves a request, and what is declared on it: one table, built once at start."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from re import Match, Pattern
from types import SimpleNamespace
from typing import Final, NamedTuple, Self

from starlette.convertors import Convertor
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.types import Scope as ASGIScope

from bff_core.auth.access import Access, access_of
from bff_core.compat.fastapi import Form, RouteContext, iter_route_contexts
from bff_core.compat.starlette import compile_path, path_pattern_of
from bff_core.policy.edge.idempotency import UNSAFE
from bff_core.policy.edge.shedding import DEFAULT_CRITICALITY, Criticality
from bff_core.routing.body_types import Kind, is_json
from bff_core.routing.path import path_of

ROUTE: Final = "bff.route"
"""Where the ASGI scope holds the `RouteMatch` of its request."""

CHECKS_ACCESS: Final = "__checks_access__"
"""An endpoint that checks its access rule itself has this attribute.

It is true where the rules depend on more than the route and the viewer.
"""

CRITICALITY: Final = "__criticality__"
"""An endpoint with a criticality of its own has this attribute."""

READS_ONLY: Final = "__reads_only__"
"""An endpoint with this attribute changes nothing by any method: it needs no idempotency."""

WEB_SOCKET: Final = ""
"""The method of a web socket's handshake in the table; no HTTP request has an empty one."""


@dataclass(frozen=True, slots=True)
class RouteBody:
    """The body that a route declares.

    `limit` in bytes; without a Content-Type it is JSON all the same, unless that `needs_type`.
    """

    kind: Kind
    limit: float
    needs_type: bool

    @classmethod
    def of(cls, context: RouteContext) -> Self | None:
        """Read a route; None for one that takes no body, or one of a media type of its own."""
        field = getattr(context, "body_field", None)
        if field is None:
            return None
        info, strict = field.field_info, context.strict_content_type
        kind: Kind = "form" if isinstance(info, Form) else "json"
        if kind == "json" and not is_json(info.media_type):
            return None
        limit = inf if context.max_body_size is None else context.max_body_size
        return cls(kind, limit, getattr(strict, "value", strict))


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """One route: what it matches, the endpoint behind it, and what is declared on it.

    `path` is the template, which is also the name in logs and metrics. An entry without methods is
    a mount, which matches all paths below its own, or a web socket. `access` is None where the
    endpoint declares none; `has_inner_rules` is true where its face checks further rules.
    `is_keyed` is true where a request may need an Idempotency-Key. `compiled` is the application
    that serves the route on the fast path; without one FastAPI does. `shown` is what the ASGI scope
    holds as the route of a request on the fast path.
    """

    path: str
    pattern: Pattern[str]
    convertors: dict[str, Convertor[object]]
    methods: frozenset[str]
    endpoint: object
    is_socket: bool
    body: RouteBody | None
    access: Access | None
    has_inner_rules: bool
    criticality: Criticality
    is_keyed: bool
    compiled: ASGIApp | None
    shown: SimpleNamespace

    @classmethod
    def of(cls, context: RouteContext, compiled: ASGIApp | None = None) -> Self:
        """Read a route of FastAPI or Starlette."""
        path, methods = context.path or "", frozenset(context.methods or ())
        endpoint = context.endpoint or getattr(context.route, "app", None)
        pattern, template, convertors = compile_path(path)
        mounted = path_pattern_of(context.route)
        is_socket = isinstance(context.route, WebSocketRoute)
        return cls(
            path,
            mounted if mounted and not methods else pattern,
            convertors,
            methods,
            endpoint,
            is_socket,
            RouteBody.of(context),
            access_of(endpoint),
            getattr(endpoint, CHECKS_ACCESS, False),
            getattr(endpoint, CRITICALITY, DEFAULT_CRITICALITY),
            not is_socket and _is_keyed(methods, endpoint),
            compiled,
            SimpleNamespace(path=template),
        )

    @property
    def is_literal(self) -> bool:
        """Whether the route matches one path only."""
        return bool(self.methods) and not self.convertors


def _is_keyed(methods: frozenset[str], endpoint: object) -> bool:
    if getattr(endpoint, READS_ONLY, False):
        return False
    return bool(methods & UNSAFE) if methods else not isinstance(endpoint, StaticFiles)


class RouteMatch(NamedTuple):
    """The route of one request; `entry` is None where no route serves it."""

    table: "RouteTable"
    method: str
    path: str
    entry: RouteEntry | None
    found: Match[str] | None

    @property
    def criticality(self) -> Criticality:
        """The criticality of the route."""
        return DEFAULT_CRITICALITY if self.entry is None else self.entry.criticality

    def parameters(self) -> dict[str, object]:
        """Return the path's parameters, converted as the route declares them."""
        if self.entry is None or self.found is None:
            return {}
        convertors = self.entry.convertors
        return {
            name: convertors[name].convert(value) for name, value in self.found.groupdict().items()
        }


class RouteTable:
    """All routes of a gateway, in FastAPI's order: the first that matches serves a request.

    A HEAD is served by the first route of GET or HEAD. `match` searches once a request and stores
    what it found in the ASGI scope; it searches again only if a middleware rewrites the path.
    """

    __slots__ = ("_by_method", "_mounts", "entries", "is_any_ranked")

    def __init__(self, entries: Sequence[RouteEntry] = ()) -> None:
        self.entries = tuple(entries)
        self.is_any_ranked = any(one.criticality != DEFAULT_CRITICALITY for one in entries)
        routes = [one for one in entries if not one.is_socket]
        methods = frozenset[str]().union(*(one.methods for one in routes))
        self._mounts = _Index([one for one in routes if not one.methods])
        self._by_method = {method: _index(routes, {method}) for method in methods}
        self._by_method["HEAD"] = _index(routes, {"GET", "HEAD"})
        self._by_method[WEB_SOCKET] = _Index([one for one in entries if not one.methods])

    @classmethod
    def of(
        cls, routes: Sequence[BaseRoute], compiled: Callable[[object, str], ASGIApp | None]
    ) -> Self:
        """Read the routes of an app; `compiled` finds what serves an endpoint on the fast path."""
        return cls(list(route_entries(routes, compiled)))

    def match(self, scope: ASGIScope) -> RouteMatch:
        """Return the route of a request; it is searched for by whichever concern needs it first."""
        known: RouteMatch | None = scope.get(ROUTE)
        method, path = scope.get("method", WEB_SOCKET), path_of(scope)
        # A HEAD that is answered as a GET has the same route.
        if (
            known is not None
            and known.path == path
            and known.table is self
            and (known.method == method or (known.method == "HEAD" and method == "GET"))
        ):
            return known
        scope[ROUTE] = found = self.find(method, path)
        return found

    def find(self, method: str, path: str) -> RouteMatch:
        """Search for the route of a method and a path."""
        entry, found = self._by_method.get(method, self._mounts).find(path)
        return RouteMatch(self, method, path, entry, found)

    def methods_of(self, path: str) -> frozenset[str]:
        """Return the methods of all routes that a path matches, for `Allow`."""
        here = [one.methods for one in self.entries if one.methods and one.pattern.match(path)]
        return frozenset[str]().union(*here)

    def template(self, scope: ASGIScope) -> str:
        """Return the template of the route of a request; empty where there is none."""
        known: RouteMatch | None = scope.get(ROUTE)
        # A mount changes the root path of a request that it has served.
        if known is None or known.table is not self:
            known = self.match(scope)
        return "" if known.entry is None else known.entry.path


class _Index:
    """The routes of one method: literal paths in a dictionary, the others in their order."""

    __slots__ = ("_literal", "_patterns")

    def __init__(self, entries: Sequence[RouteEntry]) -> None:
        self._literal: dict[str, tuple[int, RouteEntry]] = {}
        self._patterns: list[tuple[int, RouteEntry]] = []
        for place, entry in enumerate(entries):
            if entry.is_literal:
                self._literal.setdefault(entry.path, (place, entry))
            else:
                self._patterns.append((place, entry))

    def find(self, path: str) -> tuple[RouteEntry | None, Match[str] | None]:
        literal = self._literal.get(path)
        if literal is None and path[-1:] == "\n":  # `$` in Starlette's patterns matches before it
            literal = self._literal.get(path[:-1])
        for place, entry in self._patterns:
            if literal is not None and literal[0] < place:
                break
            found = entry.pattern.match(path)
            if found is not None:
                return entry, found
        return (None, None) if literal is None else (literal[1], None)


def _index(routes: Sequence[RouteEntry], methods: set[str]) -> _Index:
    return _Index([one for one in routes if not one.methods or one.methods & methods])


def not_compiled(_endpoint: object, _path: str) -> None:
    """Find no application for the fast path."""


def route_entries(
    routes: Sequence[BaseRoute],
    compiled: Callable[[object, str], ASGIApp | None] = not_compiled,
) -> Iterator[RouteEntry]:
    """Yield an entry for each route that has a path, in FastAPI's order."""
    for context in iter_route_contexts(routes):
        if context.path:
            yield RouteEntry.of(context, compiled(context.endpoint, context.path))
