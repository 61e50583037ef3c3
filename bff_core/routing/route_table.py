"""The route table: which route serves a request, and what the route declares.

It is built once, when the app starts. Load shedding, rate limits, idempotency, access control, the
fast path and logs read it, and each request is matched once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from re import Match, Pattern
from typing import Final, NamedTuple, Self

from starlette.convertors import Convertor
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.types import Scope as ASGIScope

from bff_core.auth.access import Access, access_of
from bff_core.compat.fastapi import (
    RouteContext,
    dependant_of,
    iter_route_contexts,
    version_of_included,
)
from bff_core.compat.starlette import (
    compile_path,
    is_in_one_segment,
    mounted_app,
    name_of_convertor,
    path_pattern_of,
    serves,
)
from bff_core.policy.edge.idempotency import UNSAFE
from bff_core.policy.edge.shedding import DEFAULT_CRITICALITY, Criticality
from bff_core.routing.body_types import RouteBody
from bff_core.routing.declared_access import with_signed_in
from bff_core.routing.matching import MATCHING, Matching, Rank
from bff_core.routing.path import ENCODED_SLASH, path_of, segments_of
from bff_core.routing.ranked_routes import RankedRoutes

ROUTE: Final = "bff.route"
"""Where the ASGI scope holds the `RouteMatch` of its request."""

CHECKS_ACCESS: Final = "__checks_access__"
"""The attribute of an endpoint that checks its access rule itself.

It is true if the rules depend on more than the route and the viewer.
"""

CRITICALITY: Final = "__criticality__"
"""The attribute of an endpoint that declares its criticality."""

OWNER: Final = "__owner__"
"""The attribute of an endpoint that names the team that owns it."""

READS_ONLY: Final = "__reads_only__"
"""The attribute of an endpoint that changes nothing by any method: it needs no idempotency."""

FindCompiled = Callable[[object, str], ASGIApp | None]
"""Finds the application that serves an endpoint and a path on the fast path."""

WEB_SOCKET: Final = ""
"""The method of a web socket's handshake in the table; no HTTP request has an empty one."""


@dataclass(frozen=True, slots=True, eq=False)
class RouteEntry:
    """One route: what it matches, the endpoint behind it, and what is declared on it.

    `path` is the template without convertors, such as "/orders/{id}": OpenAPI, logs and metrics
    call the route by it. An entry without methods is a mount, which matches all paths below its
    own, or a web socket. `access` is None where the endpoint declares none; `has_inner_rules` is
    true where its face checks further rules. `is_keyed` is true where a request may have an
    Idempotency-Key. `compiled` is the application that serves the route on the fast path; FastAPI
    serves routes without one. `below` has the routes of a mounted application. `owner` is the team
    that owns the route, or empty. A proxied route has a `matching`; without methods it takes all.
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
    below: "RouteTable | None"
    owner: str
    matching: Matching | None = None

    @classmethod
    def of(cls, context: RouteContext, compiled: ASGIApp | None = None) -> Self:
        """Return the entry of a route of FastAPI or Starlette."""
        methods = frozenset(context.methods or ())
        endpoint = context.endpoint or getattr(context.route, "app", None)
        pattern, path, convertors = compile_path(context.path or "/")
        mounted = path_pattern_of(context)
        is_socket = isinstance(context.route, WebSocketRoute)
        dependant = dependant_of(context)
        return cls(
            path,
            mounted if mounted and not methods else pattern,
            convertors,
            methods,
            endpoint,
            is_socket,
            RouteBody.of(context),
            with_signed_in(access_of(endpoint), () if dependant is None else (dependant,)),
            getattr(endpoint, CHECKS_ACCESS, False),
            getattr(endpoint, CRITICALITY, DEFAULT_CRITICALITY),
            not is_socket and _is_keyed(methods, endpoint),
            compiled,
            None if methods or is_socket else _table_below(context),
            getattr(endpoint, OWNER, ""),
            getattr(endpoint, MATCHING, None),
        )

    @property
    def is_literal(self) -> bool:
        """Whether the route matches one path only."""
        return bool(self.methods) and not self.convertors

    @property
    def is_mount(self) -> bool:
        """Whether the route matches all paths below its own."""
        return not (self.methods or self.is_socket or self.matching)

    @property
    def typed_path(self) -> str:
        """The template with the types of its parameters, and with all paths below a mount."""
        path = self.path
        for name, convertor in self.convertors.items():
            kind = name_of_convertor(convertor)
            path = path.replace(f"{{{name}}}", f"{{{name}:{kind}}}" if kind else f"{{{name}}}")
        return f"{path.rstrip('/')}/{{below:path}}" if self.is_mount else path

    def is_below(self, prefix: str) -> bool | None:
        """Whether the paths that the route matches are below a prefix, in whole segments.

        None where some are and others are not: the path of the request decides.
        """
        own, wanted = _segments(self.path), _segments(prefix)
        answer: bool | None = True
        for index, segment in enumerate(wanted):
            if index == len(own):
                return None if self.is_mount else False
            if "{" in own[index]:
                if not all(map(is_in_one_segment, self.convertors.values())):
                    return None
                answer = None
            elif own[index] != segment:
                return False
        return answer


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _is_keyed(methods: frozenset[str], endpoint: object) -> bool:
    if getattr(endpoint, READS_ONLY, False):
        return False
    return bool(methods & UNSAFE) if methods else not isinstance(endpoint, StaticFiles)


class RouteMatch(NamedTuple):
    """The route of one request; `entry` is None if no route serves it."""

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
        """Return the parameters of the path, converted as the route declares."""
        if self.entry is None or self.found is None:
            return {}
        convertors, values = self.entry.convertors, self.found.groupdict()
        if self.entry.matching is not None:
            values = {name: one.replace(ENCODED_SLASH, "/") for name, one in values.items()}
        return {name: convertors[name].convert(value) for name, value in values.items()}

    def scope_below(self, scope: ASGIScope) -> ASGIScope:
        """Return the ASGI scope that a mounted application gets."""
        if self.found is None:
            return {**scope}
        mount = self.path[: self.found.start("path") - 1]
        return {**scope, "root_path": scope.get("root_path", "") + mount}


@dataclass(frozen=True, slots=True, eq=False)
class UnlistedRoute:
    """A route without a path, such as a host; `before` is how many entries precede it."""

    context: RouteContext
    before: int
    path: str
    endpoint: object
    access: Access | None
    has_inner_rules: bool
    below: "RouteTable | None"

    @classmethod
    def of(cls, context: RouteContext, before: int) -> Self:
        """Return a route with the rule that its application or the route itself declares."""
        route = context.route
        app = getattr(route, "app", None)
        rule = access_of(app) or access_of(route)
        return cls(context, before, str(route), app, rule, False, _table_below(context))


class RouteTable:
    """All routes of a gateway, in FastAPI's order: the first route that matches serves a request.

    The first route of GET or HEAD serves a HEAD. `match` searches once per request and stores the
    result in the ASGI scope. It searches again only if middleware rewrites the path. `unlisted` are
    routes without a path. Proxied routes compete by rank, also with the route that FastAPI's order
    finds. Without them nothing of a request but its method and its path is read.
    """

    __slots__ = (
        *("_by_method", "_compiled", "_mounts", "_named", "_ranked", "_read", "_routes"),
        *("_version", "entries", "has_criticality", "is_ranked", "unlisted"),
    )

    def __init__(self, entries: Iterable[RouteEntry] = ()) -> None:
        self._routes: Sequence[BaseRoute] = ()
        self._compiled: FindCompiled = not_compiled
        self._read: Sequence[BaseRoute] = []
        self._version = 0
        self._set(tuple(entries), ())

    @classmethod
    def of(cls, routes: Sequence[BaseRoute], compiled: FindCompiled) -> Self:
        """Return the table of an app; `compiled` finds what serves a route on the fast path."""
        table = cls()
        table._routes, table._compiled = routes, compiled
        table._read_routes()
        return table

    def _read_routes(self) -> None:
        entries: list[RouteEntry] = []
        unlisted: list[UnlistedRoute] = []
        for context in iter_route_contexts(self._routes):
            if not _is_listed(context):
                unlisted.append(UnlistedRoute.of(context, len(entries)))
                continue
            # FastAPI serves what comes after a route that may take its requests.
            app = None if unlisted else self._compiled(context.endpoint, context.path or "/")
            entries.append(RouteEntry.of(context, app))
        self._read = list(self._routes)
        self._version = version_of_included(self._routes)
        self._set(tuple(entries), tuple(unlisted))

    def _set(self, entries: tuple[RouteEntry, ...], unlisted: tuple[UnlistedRoute, ...]) -> None:
        self.entries, self.unlisted = entries, unlisted
        self.has_criticality = any(one.criticality != DEFAULT_CRITICALITY for one in entries)
        ranked = [(one, one.matching) for one in entries if one.matching is not None]
        plain = [one for one in entries if one.matching is None]
        self.is_ranked = bool(ranked)
        routes = [one for one in plain if not one.is_socket]
        methods = frozenset[str]().union(*(one.methods for one in routes))
        self._mounts = _Index([one for one in routes if not one.methods])
        self._by_method = {method: _index(routes, {method}) for method in methods}
        self._by_method["HEAD"] = _index(routes, {"GET", "HEAD"})
        self._by_method[WEB_SOCKET] = _Index([one for one in plain if not one.methods])
        self._named = _Index([one for one in routes if one.methods] if ranked else ())
        self._ranked = RankedRoutes(ranked, plain, _rank_by(ranked[0][1])) if ranked else None

    def renew(self, scope: ASGIScope) -> None:
        """Read the routes again if one was added or removed since, such as by a lifespan."""
        routes = self._routes
        if routes == self._read and version_of_included(routes) == self._version:
            return
        self._read_routes()
        scope.pop(ROUTE, None)

    def unlisted_route(self, scope: ASGIScope, entry: RouteEntry | None) -> UnlistedRoute | None:
        """Return the route that serves a request in place of the entry that its path matches."""
        if not self.unlisted:
            return None
        place = len(self.entries) if entry is None else self.entries.index(entry)
        for one in self.unlisted:
            if one.before <= place and serves(one.context, scope):
                return one
        return None

    def match(self, scope: ASGIScope) -> RouteMatch:
        """Return the route of a request; the first caller searches, the others read the result."""
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
        scope[ROUTE] = found = self.find(method, path, scope)
        return found

    def find(self, method: str, path: str, scope: ASGIScope | None = None) -> RouteMatch:
        """Search for the route of a method and a path; without a scope no condition holds."""
        entry, found = self._by_method.get(method, self._mounts).find(path)
        if self._ranked is not None:
            entry, found = self._best(self._ranked, method, path, scope, (entry, found))
        return RouteMatch(self, method, path, entry, found)

    def _best(
        self,
        ranked: RankedRoutes[RouteEntry],
        method: str,
        path: str,
        scope: ASGIScope | None,
        plain: "Found",
    ) -> "Found":
        """Return the route with the best rank; `plain` is the one that FastAPI's order finds.

        The path is read as the client wrote it, by segments, and also with its encoded slashes
        decoded, as a service might read it: so a request never reaches a route that is less
        specific than the route of the decoded path.
        """
        best = ranked.find(method, path, scope, plain[0])
        written = path if scope is None else segments_of(scope, path)
        if written != path:
            as_written = ranked.find(method, written, scope, plain[0])
            if best is None or (as_written is not None and as_written[0].place < best[0].place):
                best = as_written
        if best is None or (self.unlisted and scope is not None and self._is_unlisted(scope)):
            return plain
        candidate, found = best
        if candidate.is_fallback and method and self._is_of_other_method(ranked, path, scope):
            return None, None
        return candidate.entry, found

    def _is_of_other_method(
        self, ranked: RankedRoutes[RouteEntry], path: str, scope: ASGIScope | None
    ) -> bool:
        return self._named.find(path)[0] is not None or ranked.names_methods_of(path, scope)

    def _is_unlisted(self, scope: ASGIScope) -> bool:
        return any(serves(one.context, scope) for one in self.unlisted)

    def methods_of(self, path: str, scope: ASGIScope | None = None) -> frozenset[str]:
        """Return the methods of all routes that match a path, for `Allow`."""
        here = [
            one.methods
            for one in self.entries
            if one.methods and one.matching is None and one.pattern.match(path)
        ]
        if self._ranked is not None:
            here.append(self._ranked.methods_of(path, scope))
        return frozenset[str]().union(*here)

    def template(self, scope: ASGIScope) -> str:
        """Return the template of a request's route; empty if no route serves the request."""
        known: RouteMatch | None = scope.get(ROUTE)
        # After a mount has served a request, the root path has changed: do not search again.
        if known is None or known.table is not self:
            known = self.match(scope)
        return "" if known.entry is None else known.entry.path


class _Index:
    """The routes of one method: a dictionary of literal paths, and a list of patterns."""

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
        if literal is None and path[-1:] == "\n":  # `$` in Starlette's patterns allows it
            literal = self._literal.get(path[:-1])
        for place, entry in self._patterns:
            if literal is not None and literal[0] < place:
                break
            found = entry.pattern.match(path)
            if found is not None:
                return entry, found
        return (None, None) if literal is None else (literal[1], None)


Found = tuple[RouteEntry | None, Match[str] | None]
"""A route and the match of its path; None if no route serves a request."""


def _rank_by(matching: Matching) -> Callable[[RouteEntry], Rank]:
    return lambda entry: matching.rank_of(entry.typed_path, entry.methods)


def _table_below(route: RouteContext) -> RouteTable | None:
    """Return the routes of a mounted application; None for one that checks access itself."""
    app = mounted_app(route)
    routes = getattr(app, "routes", None)
    if routes is None or hasattr(app, CHECKS_ACCESS):
        return None
    return RouteTable.of(routes, not_compiled)


def _index(routes: Sequence[RouteEntry], methods: set[str]) -> _Index:
    return _Index([one for one in routes if not one.methods or one.methods & methods])


def not_compiled(_endpoint: object, _path: str) -> None:
    """Find no application for the fast path."""


def route_entries(routes: Sequence[BaseRoute]) -> Iterator[RouteEntry]:
    """Yield an entry for each route that matches by its path, in FastAPI's order."""
    for context in iter_route_contexts(routes):
        if _is_listed(context):
            yield RouteEntry.of(context)


def _is_listed(context: RouteContext) -> bool:
    """Whether a route matches by its path; a mount of all paths has an empty one."""
    return bool(context.path) or path_pattern_of(context) is not None
