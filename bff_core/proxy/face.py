"""`Proxy`: serves routes without code, as one face of a gateway."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.routing import Match as RouterMatch
from starlette.routing import Route as StarletteRoute
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.composition.composition import Composition
from bff_core.edge.shedding.criticality import criticality
from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.proxy.data.proxy_file import ProxyFile, read_proxy
from bff_core.proxy.destination import named_by, services_of
from bff_core.proxy.direct import forward_directly
from bff_core.proxy.forwarder import Forwarder
from bff_core.proxy.plan import RouteMatching
from bff_core.proxy.precedence import NamedMatch, PathMatch, conflicts, with_head
from bff_core.proxy.route import Route
from bff_core.proxy.transform import forward_with
from bff_core.routing.access import RouteAccess, guarded
from bff_core.routing.fast_path import FastPath
from bff_core.routing.matching import MATCHING
from bff_core.routing.path import path_of, segments_of
from bff_core.routing.route_table import READS_ONLY, RouteEntry, RouteMatch, RouteTable
from bff_core.upstream.client import Upstream


@checks_keywords
class Proxy:
    """Routes without code: each passes requests on to an upstream, and its replies back.

        app = gateway("shop", faces=[views, Proxy(routes=[
            Route("suppliers", Match("/suppliers/{rest:path}"), to=Suppliers),
        ])])

    A proxied route is a route like any other: it has an access rule, limits and a criticality, and
    it is in logs, metrics and the console. Of several routes that match, the most specific one
    serves a request, also among routes in Python. The gateway has the upstreams that routes name.

    `file` has further routes, and upstreams without code, in TOML or YAML; the gateway reads it
    when it is made. The variable BFF_PROXY names such a file, too.

    Raises `ConfigurationError` for two routes with one id.
    """

    def __init__(self, *, routes: Sequence[Route] = (), file: str | Path = "") -> None:
        self.routes = self.own_routes = tuple(routes)
        self.file: ProxyFile | None = None
        self.installed: tuple[ProxiedRoute, ...] = ()
        """The routes as the app has them, while it serves."""
        self._path = file
        self.known: Sequence[type[Upstream]] = ()
        _check(self.routes)

    @property
    def file_path(self) -> Path | None:
        """The file of routes, if there is one."""
        return Path(self._path) if self._path else None

    @property
    def compositions(self) -> Sequence[type[Composition]]:
        """Empty: routes without code have no screens."""
        return ()

    def services(self, known: Sequence[type[Upstream]]) -> Sequence[type[Upstream]]:
        """Return the upstreams that routes name, and those of the file, which is read here.

        `known` are those that the gateway has anyway. Raises `ConfigurationError` for unknown names
        and for faults in the file.
        """
        if not self._path:
            return services_of(self.routes, known)
        named = [one for route in self.own_routes for _, one in named_by(route)]
        classes = [one for one in named if not isinstance(one, str)]
        self.known = list(dict.fromkeys([*known, *classes]))
        self.file = read_proxy(self._path, self.known)
        self.routes = (*self.own_routes, *self.file.routes)
        _check(self.routes)
        upstreams = self.file.upstreams
        return [*services_of(self.routes, [*known, *upstreams]), *upstreams]

    def place_of(self, route_id: str) -> str:
        """Return the file and the line of a route; empty for a route in Python."""
        return "" if self.file is None else self.file.place_of(route_id)

    def install(self, app: FastAPI, fast_path: FastPath, *, is_development: bool) -> None:
        """Add the routes to an app; a gateway calls it."""
        del is_development
        self.installed = tuple(
            _installed(one, app.title, fast_path, self.place_of(one.id)) for one in self.routes
        )
        app.router.routes[:0] = self.installed

    def access(self, by: tuple[str, ...]) -> Iterator[RouteAccess]:
        """Yield nothing: the access rules are those of the routes."""
        del by
        return iter(())

    def check_routes(self, table: RouteTable) -> None:
        """Raise `ConfigurationError` for routes of equal rank that take the same requests."""
        entries = [entry for entry in table.entries if not entry.is_socket]
        found = conflicts([_named_match(entry) for entry in entries])
        if found:
            raise ConfigurationError(
                "\n".join(
                    f"{one.name} and {other.name} take the same requests: give one an `order`"
                    for one, other in found
                )
            )


def read_again(proxy: Proxy) -> ProxyFile:
    """Return the file of a proxy as it is now; upstreams that did not change are the same classes.

    Raises `ConfigurationError` for faults in the file.
    """
    earlier = () if proxy.file is None else proxy.file.upstreams
    return read_proxy(proxy.file_path or "", proxy.known, earlier)


def compiled(
    proxy: Proxy, file: ProxyFile, gateway: str, fast_path: FastPath
) -> list["ProxiedRoute"]:
    """Return the routes with those of a file; those that did not change are the same objects.

    Raises `ConfigurationError` for routes that can't be served.
    """
    routes = (*proxy.own_routes, *file.routes)
    _check(routes)
    services_of(routes, [*proxy.known, *file.upstreams])
    earlier = {one.route.id: one for one in proxy.installed}
    return [
        known
        if (known := earlier.get(route.id)) is not None and known.route == route
        else _installed(route, gateway, fast_path, file.place_of(route.id))
        for route in routes
    ]


def _check(routes: Sequence[Route]) -> None:
    ids = set[str]()
    for route in routes:
        if not isinstance(route, Route):
            raise ConfigurationError(
                f"Proxy(routes=[{route!r}]): give Route(...) of bff_core.proxy"
            )
        if route.id in ids:
            raise ConfigurationError(f"Proxy: two routes have the id {route.id!r}: rename one")
        ids.add(route.id)


def _installed(route: Route, gateway: str, fast_path: FastPath, place: str) -> "ProxiedRoute":
    forwarder = Forwarder(route, gateway)
    endpoint = criticality(route.criticality)(guarded(forwarder, route.access))
    matching = RouteMatching(route, place)
    setattr(endpoint, MATCHING, matching)
    setattr(endpoint, READS_ONLY, not is_keyed(route))
    proxied = ProxiedRoute(route, endpoint, matching)
    fast_path.add(endpoint, proxied.path, endpoint)
    return proxied


MAX_KEYED_BYTES = 1024 * 1024
"""The largest body of a route whose answers are stored for Idempotency-Keys: it is read first."""


def is_keyed(route: Route) -> bool:
    """Whether the gateway executes requests with an Idempotency-Key once."""
    return route.idempotency and route.max_body <= MAX_KEYED_BYTES and route.files is None


def _named_match(entry: RouteEntry) -> NamedMatch:
    if isinstance(entry.matching, RouteMatching):
        route, place = entry.matching.route, entry.matching.place
        return NamedMatch(f"the route {route.id!r}{f' ({place})' if place else ''}", route.match)
    methods = " ".join(sorted(entry.methods - {"HEAD"}))
    match = PathMatch(entry.typed_path, tuple(entry.methods))
    shown = f"{methods} {entry.path} ({_shown_function(entry.endpoint)})".strip()
    return NamedMatch(shown, match, is_proxied=False)


def _shown_function(endpoint: object) -> str:
    """Return the name of a function, with its file and line where they are known."""
    name = str(getattr(endpoint, "__qualname__", type(endpoint).__name__))
    code = getattr(getattr(endpoint, "__wrapped__", endpoint), "__code__", None)
    if code is None:
        return name
    file, here = Path(code.co_filename), Path.cwd()
    shown = file.relative_to(here) if file.is_relative_to(here) else file
    return f"{shown}:{code.co_firstlineno} {name}"


forward_with(forward_directly)

ROUTED = "bff.routed"
"""Where the ASGI scope holds the path that FastAPI's router looks for."""


class ProxiedRoute(StarletteRoute):
    """A proxied route in FastAPI's router, which serves the requests that the table gives it."""

    def __init__(self, route: Route, endpoint: Forwarder, matching: RouteMatching) -> None:
        self.route, self.forwarder = route, endpoint
        self._matching = matching
        methods = with_head(route.match.methods) if route.match.methods else None
        super().__init__(
            route.match.path,
            endpoint,
            methods=methods,
            name=route.id,
            include_in_schema=False,
        )

    def matches(self, scope: ASGIScope) -> tuple[RouterMatch, dict[str, Any]]:
        """Return whether the table gives a request to this route."""
        table: RouteTable = scope["app"].fast_path.table
        path = path_of(scope)
        if scope.setdefault(ROUTED, path) != path:  # the router tries another slash at the end
            return RouterMatch.NONE, {}
        match: RouteMatch = table.match(scope)
        if match.entry is not None:
            if match.entry.endpoint is not self.endpoint:
                return RouterMatch.NONE, {}
            found: Mapping[str, object] = match.parameters()
            return RouterMatch.FULL, {"endpoint": self.endpoint, "path_params": {**found}}
        is_partial = scope["type"] == "http" and self._takes_other_method(scope, path)
        return (RouterMatch.PARTIAL if is_partial else RouterMatch.NONE), {}

    def _takes_other_method(self, scope: ASGIScope, path: str) -> bool:
        if not self.methods or self.path_regex.fullmatch(segments_of(scope, path)) is None:
            return False
        return any(way.holds is None or way.holds(scope) for way in self._matching.ways)

    async def handle(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Serve a request; 405 for a method that the route does not take."""
        if scope["type"] == "http":
            await super().handle(scope, receive, send)
        else:
            await self.app(scope, receive, send)
