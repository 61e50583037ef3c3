"""Access rules of routes: a route requires a signed-in viewer unless it declares otherwise."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.auth.access import ACCESS_ATTRIBUTE, ANYONE, SIGNED_IN, Access, Require, admit
from bff_core.compat.fastapi import Dependant, all_dependants, dependant_of, iter_route_contexts
from bff_core.compat.fastapi import Depends as Dependency
from bff_core.errors import ConfigurationError
from bff_core.http_exchange.request_context import SCOPE
from bff_core.routing.route_table import CHECKS_ACCESS, RouteTable, route_entries

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class RouteAccess:
    """The access rule of a route, and `by`: the authenticators that identify viewers, in order.

    `methods` are empty for a mount, a web socket or a field of GraphQL.
    """

    path: str
    methods: frozenset[str]
    access: Access
    by: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{' '.join(sorted(self.methods)) or '*'} {self.path}: {self.access}"


def guard(rule: Access | None) -> Dependency:
    """Return a dependency that checks an access rule before anything else is read."""

    async def check(request: Request) -> None:
        admit(rule, request.scope[SCOPE])

    dependency: Dependency = Depends(check)
    return dependency


def guarded(endpoint: E, rule: Access | None, *, has_inner_rules: bool = False) -> E:
    """Mark an endpoint that checks its rule itself; a GraphQL schema has rules of its fields."""
    setattr(endpoint, CHECKS_ACCESS, has_inner_rules or _depends_on_inputs(rule))
    if rule is not None:
        setattr(endpoint, ACCESS_ATTRIBUTE, rule)
    return endpoint


def _depends_on_inputs(rule: Access | None) -> bool:
    return isinstance(rule, Require) and rule.when is not None


def effective(routes: Sequence[BaseRoute], by: tuple[str, ...]) -> tuple[RouteAccess, ...]:
    """Return the access rule of each route in order; the first that matches a request counts."""
    default = SIGNED_IN if by else ANYONE
    return tuple(
        RouteAccess(one.path, one.methods, one.access or default, by)
        for one in route_entries(routes)
    )


def refuse_bare_cookies(routes: Sequence[BaseRoute]) -> None:
    """Raise `ConfigurationError` for a route that authenticates by a cookie of its own.

    Browsers send cookies with requests that other sites forge; only the framework's own sessions
    are protected from that.
    """
    for context in iter_route_contexts(routes):
        dependant = dependant_of(context.route)
        if dependant is not None and any(map(_reads_cookie, all_dependants(dependant))):
            raise ConfigurationError(
                f"{context.path} takes a cookie as a credential (APIKeyCookie), and browsers "
                "send it with requests that other sites forge: use a SessionAuthenticator, or read "
                "the credential from a header"
            )


def _reads_cookie(dependant: Dependant) -> bool:
    return isinstance(dependant.call, APIKeyCookie)


def check_rules(table: RouteTable) -> None:
    """Raise `ConfigurationError` for a rule by inputs on a plain route: they are unknown."""
    for entry in table.entries:
        if _depends_on_inputs(entry.access) and not hasattr(entry.endpoint, CHECKS_ACCESS):
            raise ConfigurationError(
                f"{entry.path}: Require(when=…) decides by inputs, and those of a plain route "
                "are not known to the gateway: declare it with Views, or check in the function"
            )


def admit_to_route(table: RouteTable, scope: ASGIScope) -> bool:
    """Raise for a viewer whom the route refuses; return whether it has rules by inputs, too.

    A path that no route has passes, to be a 404.
    """
    entry = table.match(scope).entry
    if entry is None:
        return False
    admit(entry.access, scope[SCOPE])
    return entry.has_inner_rules


class AccessControl:
    """In front of FastAPI: checks the access rule of a route before FastAPI reads the body."""

    __slots__ = ("_app", "_table")

    def __init__(self, app: ASGIApp, table: RouteTable) -> None:
        self._app = app
        self._table = table

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Check the rule, then call the application; the lifespan is passed on unchecked."""
        if scope["type"] != "lifespan":
            admit_to_route(self._table, scope)
        return self._app(scope, receive, send)
