"""Access rules of routes: a route requires a signed-in viewer unless it declares otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie
from starlette.routing import BaseRoute
from starlette.types import Scope as ASGIScope

from bff_core.auth.access import (
    ACCESS_ATTRIBUTE,
    ANYONE,
    SIGNED_IN,
    Access,
    Require,
    access_of,
    admit,
)
from bff_core.compat.fastapi import Dependant, all_dependants, dependant_of, iter_route_contexts
from bff_core.compat.fastapi import Depends as Dependency
from bff_core.errors import ConfigurationError
from bff_core.http_exchange.request_context import SCOPE
from bff_core.routing.route_table import CHECKS_ACCESS, RouteEntry, RouteTable, route_entries

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class RouteAccess:
    """The access rule of one route, or of one field of GraphQL.

    `by` names the authenticators that identify viewers, in their order. A mount, a web socket and a
    field of GraphQL have no `methods`.
    """

    path: str
    methods: frozenset[str]
    access: Access
    by: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{' '.join(sorted(self.methods)) or '*'} {self.path}: {self.access}"


def guard(rule: Access | None) -> Dependency:
    """Return a dependency of FastAPI that checks an access rule before it reads any input."""

    async def check(request: Request) -> None:
        admit(rule, request.scope[SCOPE])

    dependency: Dependency = Depends(check)
    return dependency


def guarded(endpoint: E, rule: Access | None, *, has_inner_rules: bool = False) -> E:
    """Mark an endpoint as one that checks its access rule itself, and return it.

    It `has_inner_rules` if further rules are checked inside, such as those of GraphQL fields.
    """
    setattr(endpoint, CHECKS_ACCESS, has_inner_rules or _depends_on_inputs(rule))
    if rule is not None:
        setattr(endpoint, ACCESS_ATTRIBUTE, rule)
    return endpoint


def _depends_on_inputs(rule: Access | None) -> bool:
    return isinstance(rule, Require) and rule.when is not None


def effective(routes: Sequence[BaseRoute], by: tuple[str, ...]) -> tuple[RouteAccess, ...]:
    """Return the access rule of each route, in the order in which routes are matched."""
    default = SIGNED_IN if by else ANYONE
    return tuple(
        RouteAccess(one.path, one.methods, one.access or default, by)
        for one in route_entries(routes)
    )


def refuse_bare_cookies(routes: Sequence[BaseRoute]) -> None:
    """Raise `ConfigurationError` for a route that takes a cookie as a credential (CSRF).

    Browsers also send cookies with requests that other sites forge. Only the framework's own
    sessions are protected from that.
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
    """Raise `ConfigurationError` for `Require(when=…)` on a plain route of FastAPI.

    Such a rule reads the inputs of the route, which only views hand to it.
    """
    for entry in table.entries:
        _check_rule(entry)


def _check_rule(entry: RouteEntry) -> None:
    if _depends_on_inputs(entry.access) and not hasattr(entry.endpoint, CHECKS_ACCESS):
        raise ConfigurationError(
            f"{entry.path}: Require(when=…) decides by inputs, and those of a plain route "
            "are not known to the gateway: declare it with Views, or check in the function"
        )


def admit_to_route(table: RouteTable, scope: ASGIScope) -> bool:
    """Check the access rule of a request's route; return whether its face checks further rules.

    Raises `NotAuthenticated` or `NotAllowed`. A path without a route passes, and becomes a 404.
    """
    entry = table.match(scope).entry
    unlisted = table.unlisted_route(scope, entry)
    if unlisted is not None:
        route = unlisted.route
        admit(access_of(getattr(route, "app", None)) or access_of(route), scope[SCOPE])
        return False
    if entry is None:
        return False
    _check_rule(entry)  # it may have been added after the start
    admit(entry.access, scope[SCOPE])
    return entry.has_inner_rules
