"""Sees to it that no route is open by oversight: what does not say who may ask is closed."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from fastapi import Depends, Request, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from fastapi.security import APIKeyCookie
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.auth.access import ANYONE, MARK, SIGNED_IN, Access, Require, access_of, admit
from bff_core.edge.dependants import all_dependants
from bff_core.edge.exchange import SCOPE
from bff_core.edge.path import path_of
from bff_core.edge.places import Place, places_of
from bff_core.errors import ConfigurationError

E = TypeVar("E")

ITSELF: Final = "__checks_access__"
"""What stands behind a route and checks access by itself has an attribute of this name.

It is true where the rules depend on more than the route and the viewer.
"""


@dataclass(frozen=True, slots=True)
class RouteAccess:
    """Who may use a route, and `by` which authenticators the gateway learns who they are, in order.

    `methods` are empty for a mount, a web socket or a field of GraphQL.
    """

    path: str
    methods: frozenset[str]
    access: Access
    by: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{' '.join(sorted(self.methods)) or '*'} {self.path}: {self.access}"


def guard(said: Access | None) -> params.Depends:
    """Return a dependency that refuses whoever may not ask, before anything else is read."""

    async def check(request: Request) -> None:
        admit(said, request.scope[SCOPE])

    dependency: params.Depends = Depends(check)
    return dependency


def guarded(endpoint: E, said: Access | None, *, has_inner_rules: bool = False) -> E:
    """Mark what checks access by itself, and its rule; a GraphQL schema has rules of its fields."""
    setattr(endpoint, ITSELF, has_inner_rules or _depends_on_inputs(said))
    if said is not None:
        setattr(endpoint, MARK, said)
    return endpoint


def _depends_on_inputs(said: Access | None) -> bool:
    return isinstance(said, Require) and said.when is not None


def effective(routes: Sequence[BaseRoute], by: tuple[str, ...]) -> tuple[RouteAccess, ...]:
    """Return who may use each route, in their order; the first that matches a request counts."""
    unsaid = SIGNED_IN if by else ANYONE
    return tuple(
        RouteAccess(one.path, one.methods, access_of(one.behind) or unsaid, by)
        for one in places_of(routes)
    )


def refuse_bare_cookies(routes: Sequence[BaseRoute]) -> None:
    """Raise `ConfigurationError` for a route that believes a cookie by itself.

    Browsers send cookies with requests that other sites forge; only the framework's own sessions
    are protected from that.
    """
    for context in iter_route_contexts(routes):
        dependant = getattr(context.route, "dependant", None)
        if isinstance(dependant, Dependant) and any(map(_reads_cookie, all_dependants(dependant))):
            raise ConfigurationError(
                f"{context.path} takes a cookie for a proof (APIKeyCookie), and browsers send it "
                "with requests that other sites forge: let a SessionAuthenticator sign them in, "
                "or take the proof from a header"
            )


def _reads_cookie(dependant: Dependant) -> bool:
    return isinstance(dependant.call, APIKeyCookie)


class RouteRules:
    """The access rules of all routes, by the same patterns and in the same order as FastAPI routes.

    Raises `ConfigurationError` for a rule by inputs on a route whose inputs are not known here, and
    for a route that believes a cookie by itself.
    """

    __slots__ = ("_places",)

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        refuse_bare_cookies(routes)
        self._places: list[Place] = list(places_of(routes))
        for place in self._places:
            said = access_of(place.behind)
            if _depends_on_inputs(said) and not hasattr(place.behind, ITSELF):
                raise ConfigurationError(
                    f"{place.path}: Require(when=…) decides by inputs, and those of a plain route "
                    "are not known to the gateway: declare it with Views, or check in the function"
                )

    def admit(self, scope: ASGIScope) -> bool:
        """Raise for a viewer whom the route refuses; return whether it has rules by inputs, too.

        A path that no route has passes, to be a 404.
        """
        place = self._find(scope)
        if place is None:
            return False
        admit(access_of(place.behind), scope[SCOPE])
        return getattr(place.behind, ITSELF, False)

    def template(self, scope: ASGIScope) -> str:
        """Return the template of the route that a request is for; empty where there is none."""
        if "app_root_path" in scope:  # a mount has changed the root path
            scope = {**scope, "root_path": scope["app_root_path"]}
        place = self._find(scope)
        return "" if place is None else place.path

    def _find(self, scope: ASGIScope) -> Place | None:
        method = scope.get("method", "")
        method, path = "GET" if method == "HEAD" else method, path_of(scope)
        for place in self._places:
            is_other = place.is_socket and scope["type"] == "http"
            if not is_other and place.holds(method, path):
                return place
        return None


class Guard:
    """In front of FastAPI: checks the access rule of a route before FastAPI reads the body."""

    __slots__ = ("_app", "_rules")

    def __init__(self, app: ASGIApp, rules: RouteRules) -> None:
        self._app = app
        self._rules = rules

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Check the rule, then call the application; the lifespan is passed on unchecked."""
        if scope["type"] != "lifespan":
            self._rules.admit(scope)
        return self._app(scope, receive, send)
