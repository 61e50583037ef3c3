"""CORS: lets pages of configured origins read answers; by default there are none."""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bff_core.call import Headers
from bff_core.edge.concern import HTTP_ONLY
from bff_core.edge.host_syntax import origin_pattern
from bff_core.edge.options import CorsOptions
from bff_core.http_exchange.request_context import RequestContext
from bff_core.routing.path import path_of
from bff_core.routing.route_table import RouteTable


class Cors:
    """Before all concerns that may refuse, so that a page can read a refusal as well.

    It answers preflights of configured origins (Fetch standard, section 3.3); preflights of other
    origins are a 403. A proxied route may have rules of its own. Without configured origins the
    concern is left out.
    """

    __slots__ = ("_by_route", "_common", "_routes")
    kinds = HTTP_ONLY

    def __init__(self, options: CorsOptions, routes: RouteTable | None = None) -> None:
        self._common = _Rules(options)
        self._routes = routes or RouteTable()
        self._by_route = {
            entry: _Rules(entry.matching.cors)
            for entry in self._routes.entries
            if entry.matching is not None and isinstance(entry.matching.cors, CorsOptions)
        }

    @property
    def has_rules(self) -> bool:
        """Whether the gateway or a route lets any origin read answers."""
        return self._common.permissions.is_any_given or bool(self._by_route)

    def check(self, context: RequestContext) -> Response | None:
        """Add the headers of a configured origin, or answer its preflight."""
        rules = self._rules_for(context) if self._by_route else self._common
        permissions = rules.permissions
        origin = context.fields.get(b"origin")
        if permissions.differ:
            # Also without Origin: a cache must not give that answer to a page.
            context.scope.vary.append("origin")
        if origin is None:
            return None
        context.added = permissions.of(origin)
        if not _is_preflight(context.scope.method, context.fields):
            return None
        if not context.added:
            raise HTTPException(403, "This origin may not call from a page.")
        response = Response(status_code=204)
        response.raw_headers = list(rules.preflight)
        return response

    def _rules_for(self, context: RequestContext) -> "_Rules":
        """Return the rules of a route, for a preflight those of the route that it is about."""
        method = context.fields.get(b"access-control-request-method")
        if method is None or context.scope.method != "OPTIONS":
            entry = self._routes.match(context.asgi).entry
        else:
            asgi = context.asgi
            entry = self._routes.find(method.decode("latin-1"), path_of(asgi), asgi).entry
        return self._common if entry is None else self._by_route.get(entry, self._common)


class _Rules:
    """The rules of the gateway or of one route, rendered."""

    __slots__ = ("permissions", "preflight")

    def __init__(self, options: CorsOptions) -> None:
        self.permissions = Permissions(options)
        self.preflight = _preflight(options)


class Permissions:
    """The headers that let pages of an origin read answers.

    They `differ` if they depend on the origin.
    """

    __slots__ = ("_by_origin", "_is_for_all", "_options", "_patterns", "differ", "is_any_given")

    def __init__(self, options: CorsOptions) -> None:
        self._options = options
        self._is_for_all = "*" in options.origins
        self._patterns = [one for one in map(origin_pattern, options.origins) if one is not None]
        self._by_origin = {
            origin.encode("ascii"): _permission(origin, options)
            for origin in options.origins
            if origin_pattern(origin) is None
        }
        self.is_any_given = bool(options.origins)
        self.differ = self.is_any_given and not self._is_for_all

    def of(self, origin: bytes) -> Headers:
        """Return the headers for an origin; empty if it is not configured."""
        known = self._by_origin.get(b"*" if self._is_for_all else origin)
        if known is not None:
            return known
        if any(pattern.fullmatch(origin) for pattern in self._patterns):
            return _permission(origin.decode("ascii"), self._options)
        return ()


def _is_preflight(method: str, fields: dict[bytes, bytes]) -> bool:
    return method == "OPTIONS" and b"access-control-request-method" in fields


def _permission(origin: str, options: CorsOptions) -> Headers:
    exposed = ", ".join(options.exposed_headers)
    headers = (
        (b"access-control-allow-origin", origin.encode("ascii")),
        (b"access-control-expose-headers", exposed.encode("ascii")),
    )
    if not options.with_credentials:
        return headers
    return (*headers, (b"access-control-allow-credentials", b"true"))


def _preflight(options: CorsOptions) -> Headers:
    return (
        (b"access-control-allow-methods", ", ".join(options.methods).encode("ascii")),
        (b"access-control-allow-headers", ", ".join(options.headers).encode("ascii")),
        (b"access-control-max-age", b"%d" % options.max_age),
        (b"vary", b"Access-Control-Request-Method, Access-Control-Request-Headers"),
    )
