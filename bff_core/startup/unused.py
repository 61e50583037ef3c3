"""Declarations without effect: limits on unknown paths, access rules without an authenticator."""

from collections.abc import Iterator, Sequence
from typing import Final

from starlette.routing import BaseRoute

from bff_core.admin.webhook import PURGE_PATH
from bff_core.auth.access import Require
from bff_core.auth.authenticator import Authenticator
from bff_core.compat.fastapi import (
    Dependant,
    RouteContext,
    all_dependants,
    dependant_of,
    iter_route_contexts,
)
from bff_core.composition.composition import Composition
from bff_core.composition.wiring import COMPOSED_CLASS
from bff_core.policy.edge.rate_limits import Limit
from bff_core.routing.access import RouteAccess
from bff_core.routing.route_table import RouteEntry, RouteTable

NOT_SIGNED_IN: Final = (
    "{routes}: Require(...) admits viewers who are signed in, and this gateway has no "
    "authenticator, so that all their requests are answered 401: pass gateway(..., "
    "authenticator=...), or set BFF_AUTH=demo in development"
)

OPERATOR: Final = "/operator"
"""The path of the admin endpoints, which are not routes."""


def unused_limit_paths(limits: Sequence[Limit], table: RouteTable) -> Iterator[tuple[str, str]]:
    """Yield the paths of limits that match no route: an option, and a sentence for the log."""
    for limit in limits:
        for option in ("paths", "exempt"):
            for path in getattr(limit, option):
                is_used = any(_may_hold(limit, path, route) for route in table.entries)
                if not is_used and not _is_own(path):
                    methods = f" for {', '.join(limit.methods)}" if limit.methods else ""
                    shown = path.rstrip("/") or "/"
                    reason = f"{shown} is the beginning of no route{methods}: is it misspelt?"
                    yield f"Limit {limit.name!r}.{option}", reason


def unusable_access_rules(
    rules: Sequence[RouteAccess], authenticator: Authenticator | None
) -> Iterator[tuple[str, str]]:
    """Yield a warning if routes require a viewer, and no authenticator can identify one."""
    if authenticator is not None:
        return
    closed = [one for one in rules if isinstance(one.access, Require)]
    if closed:
        shown = [f"{' '.join(sorted(one.methods))} {one.path}".strip() for one in closed[:3]]
        yield (
            "authenticator",
            NOT_SIGNED_IN.format(routes=", ".join(shown) + (", …" if len(closed) > 3 else "")),
        )


def routes_with(screen: object, routes: Sequence[BaseRoute]) -> list[str]:
    """Return the routes that use a screen: methods, path and function of each."""
    return [
        place_of(context)
        for context in iter_route_contexts(routes)
        if any(getattr(one.call, COMPOSED_CLASS, None) is screen for one in _dependencies(context))
    ]


def screens_of(routes: Sequence[BaseRoute]) -> list[type[Composition]]:
    """Return the compositions that routes and their dependencies take, each once."""
    found = (
        getattr(one.call, COMPOSED_CLASS, None)
        for context in iter_route_contexts(routes)
        for one in _dependencies(context)
    )
    return list(dict.fromkeys(one for one in found if one is not None))


def dependants_of(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, Dependant]]:
    """Yield what FastAPI reads for each route, also of mounted apps, each with its route."""
    for context in iter_route_contexts(routes):
        dependant = dependant_of(context)
        if dependant is not None:
            yield place_of(context), dependant
        else:
            yield from dependants_of(getattr(context, "routes", None) or ())


def place_of(context: RouteContext) -> str:
    """Return a route in words: methods, path and function."""
    methods = " ".join(sorted(context.methods or ()))
    return f"{methods} {context.path} ({name_of(context.endpoint)})"


def name_of(endpoint: object) -> str:
    """Return the name of a function, with its module."""
    return f"{getattr(endpoint, '__module__', '')}.{getattr(endpoint, '__qualname__', '')}"


def _dependencies(route: object) -> Iterator[Dependant]:
    dependant = dependant_of(route)
    if dependant is not None:
        yield from all_dependants(dependant)


def _is_own(path: str) -> bool:
    return f"{OPERATOR}/".startswith(path) or path.startswith((f"{OPERATOR}/", f"{PURGE_PATH}/"))


def _may_hold(limit: Limit, prefix: str, route: RouteEntry) -> bool:
    """Whether a limit on this prefix counts any request of a route."""
    methods = {"GET" if method == "HEAD" else method for method in route.methods}
    if limit.methods and methods and methods.isdisjoint(limit.methods):
        return False
    return route.is_below(prefix) is not False
