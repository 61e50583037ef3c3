"""Access rules of routes: a route requires a signed-in viewer unless it declares otherwise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
    admit,
)
from bff_core.compat.fastapi import Dependant, all_dependants, dependant_of, iter_route_contexts
from bff_core.compat.fastapi import Depends as Dependency
from bff_core.errors import ConfigurationError
from bff_core.http_exchange.request_context import SCOPE
from bff_core.routing.route_table import (
    CHECKS_ACCESS,
    RouteEntry,
    RouteTable,
    UnlistedRoute,
    route_entries,
)

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
    """Return the access rule of each route, in the order in which routes are matched.

    A viewer has to meet the rule of a mount, and the rule of the route below it.
    """
    default = SIGNED_IN if by else ANYONE
    entries = route_entries(routes)
    return tuple(rule for one in entries for rule in _rules_of(one, default, by))


def _rules_of(entry: RouteEntry, default: Access, by: tuple[str, ...]) -> Iterator[RouteAccess]:
    """Yield the rule of a route; below a mount, those that routes add to the rule of the mount."""
    yield RouteAccess(entry.path, entry.methods, entry.access or default, by)
    for one in () if entry.below is None else entry.below.entries:
        for rule in _rules_of(one, ANYONE, by):
            if isinstance(rule.access, Require):
                yield replace(rule, path=entry.path + rule.path)


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
    routes: list[RouteEntry | UnlistedRoute] = [*table.entries, *table.unlisted]
    for entry in routes:
        _check_rule(entry)
        if entry.below is not None:
            check_rules(entry.below)


def _check_rule(entry: RouteEntry | UnlistedRoute) -> None:
    if _depends_on_inputs(entry.access) and not hasattr(entry.endpoint, CHECKS_ACCESS):
        raise ConfigurationError(
            f"{entry.path}: Require(when=…) decides by inputs, and those of a plain route "
            "are not known to the gateway: declare it with Views, or check in the function"
        )


def admit_to_route(table: RouteTable, scope: ASGIScope) -> bool:
    """Check the access rule of a request's route; return whether its face checks further rules.

    Raises `NotAuthenticated` or `NotAllowed`. A path without a route passes, and becomes a 404.
    The rule of a route in a mounted application adds to the rule of the mount.
    """
    return _admit(table, scope, is_mounted=False)


def _admit(table: RouteTable, scope: ASGIScope, *, is_mounted: bool) -> bool:
    match = table.match(scope)
    unlisted = table.unlisted_route(scope, match.entry)
    serving: RouteEntry | UnlistedRoute | None = unlisted or match.entry
    if serving is None:
        return False
    _check_rule(serving)  # it may have been added after the start
    if serving.access is not None or not is_mounted:
        admit(serving.access, scope[SCOPE])
    if serving.below is None:
        return serving.has_inner_rules
    below_scope = match.scope_below(scope) if unlisted is None else {**scope}
    serving.below.renew(below_scope)
    return _admit(serving.below, below_scope, is_mounted=True)
