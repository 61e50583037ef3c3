"""Declarations without effect: paths of limits, access rules without an authenticator."""

from collections.abc import Iterator, Sequence
from typing import Final

from starlette.routing import BaseRoute

from bff_core.admin.webhook import PATH as WEBHOOK
from bff_core.auth.access import Require
from bff_core.auth.authenticator import Authenticator
from bff_core.compat.fastapi import Dependant, all_dependants, dependant_of, iter_route_contexts
from bff_core.composition.wiring import MARK
from bff_core.policy.edge.rate_limits import Limit
from bff_core.routing.access import RouteAccess
from bff_core.routing.route_table import RouteEntry, route_entries

NOT_SIGNED_IN: Final = (
    "{routes}: Require(...) admits viewers who are signed in, and this gateway has no "
    "authenticator, so that all their requests are answered 401: pass gateway(..., "
    "authenticator=...), or set BFF_AUTH=demo in development"
)

OPERATOR: Final = "/operator"
"""Where the admin endpoints are; they are not routes."""


def unused_limit_paths(
    limits: Sequence[Limit], routes: Sequence[BaseRoute]
) -> Iterator[tuple[str, str]]:
    """Yield the options of limits that match no route: a name, and a sentence for the log."""
    places = list(route_entries(routes))
    for limit in limits:
        for option in ("paths", "exempt"):
            for path in getattr(limit, option):
                if not any(_may_hold(limit, path, place) for place in places) and not _is_own(path):
                    methods = f" for {', '.join(limit.methods)}" if limit.methods else ""
                    shown = path.rstrip("/") or "/"
                    reason = f"{shown} is the beginning of no route{methods}: is it misspelt?"
                    yield f"Limit {limit.name!r}.{option}", reason


def unusable_access_rules(
    rules: Sequence[RouteAccess], authenticator: Authenticator | None
) -> Iterator[tuple[str, str]]:
    """Yield a warning where routes require a viewer and nothing can sign one in."""
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
        f"{' '.join(sorted(context.methods or ()))} {context.path} ({name_of(context.endpoint)})"
        for context in iter_route_contexts(routes)
        if any(getattr(one.call, MARK, None) is screen for one in _dependencies(context.route))
    ]


def name_of(endpoint: object) -> str:
    """Return the name of a function as its module has it."""
    return f"{getattr(endpoint, '__module__', '')}.{getattr(endpoint, '__qualname__', '')}"


def _dependencies(route: object) -> Iterator[Dependant]:
    dependant = dependant_of(route)
    if dependant is not None:
        yield from all_dependants(dependant)


def _is_own(path: str) -> bool:
    return f"{OPERATOR}/".startswith(path) or path.startswith((f"{OPERATOR}/", f"{WEBHOOK}/"))


def _may_hold(limit: Limit, path: str, place: RouteEntry) -> bool:
    """Whether a request for a route may have a path that begins so."""
    methods = {"GET" if method == "HEAD" else method for method in place.methods}
    if limit.methods and methods and methods.isdisjoint(limit.methods):
        return False
    begin, steps = path.strip("/").split("/"), place.path.strip("/").split("/")
    if begin == [""]:
        return True
    for place_of_step, step in enumerate(begin):
        if place_of_step == len(steps) or steps == [""]:
            return not place.methods and not place.is_socket  # a mount goes on below its path
        own = steps[place_of_step]
        if ":path}" in own:
            return True
        if "{" not in own and own != step:
            return False
    return True
