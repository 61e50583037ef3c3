"""`bff routes`: the routes of gateways, with what is declared on them."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from bff_core.cli.gateways import LoadedGateway, load_gateways
from bff_core.cli.output import columns, console, first_that_fits, print_json, print_lines
from bff_core.inspection.explanation import unstored_because_of
from bff_core.inspection.proxied import shown_targets
from bff_core.inspection.routes import (
    SHARED_BY,
    RouteDescription,
    describe_limit,
    is_default_criticality,
    routes_of,
)
from bff_core.policy.edge.rate_limits import Limit

OWN: Final = {"sign-in": "sign-in", "fastapi": "FastAPI's own"}
"""The kinds of routes that no user declares."""

CACHED: Final = {
    SHARED_BY[0]: "all",
    SHARED_BY[1]: "tenant",
    SHARED_BY[2]: "viewer",
}
"""Who may share a cached answer, for a narrow column."""


def show_routes(gateway: str, *, as_json: bool) -> None:
    """Print the routes of one gateway, or of all gateways of the project."""
    loaded = [(one, routes_of(one.app)) for one in load_gateways(gateway)]
    if as_json:
        print_json([_fields(one, route) for one, routes in loaded for route in routes])
        return
    out = console()
    for index, (one, routes) in enumerate(loaded):
        common = _common_limits(routes)
        own = [route for route in routes if route.kind not in OWN]
        notes = ["; ".join(_notes(one, route, common)) for route in own]
        tables = [
            _table(own, notes, with_functions=True),
            _table(own, notes),
            _table(own, notes, gap=1),
        ]
        heading = _heading(one, common)
        heading = Text("\n").append(heading) if index else heading
        print_lines(out, heading, first_that_fits(out, *tables), _others(routes))


def _heading(one: LoadedGateway, limits: Sequence[Limit]) -> Text:
    text = Text.assemble((one.name, "bold"))
    if one.entry is not None:
        text.append(f"  {one.entry.app}, port {one.entry.port}", "dim")
    for limit in limits:
        text.append(f"\n  limit: {describe_limit(limit)}", "dim")
    return text


def _common_limits(routes: Sequence[RouteDescription]) -> Sequence[Limit]:
    """Return the limits that count the requests of all routes."""
    first, *others = [one.limits for one in routes] or [()]
    return [limit for limit in first if all(limit in one for one in others)]


def _table(
    routes: Sequence[RouteDescription],
    notes: Sequence[str],
    *,
    with_functions: bool = False,
    gap: int = 2,
) -> Table:
    names = ["method", "path", "screens", "access", "cached"]
    names += ["function"] if with_functions else []
    names += ["notes"] if any(notes) else []
    table = columns(*names, fixed={"method", "path", "screens", "cached", "function"}, gap=gap)
    for one, note in zip(routes, notes, strict=True):
        cells = {
            "method": _method(one),
            "path": f"  {one.path}" if one.kind == "field" else one.path,
            "screens": ", ".join(screen.__name__ for screen in one.screens),
            "access": _access(one),
            "cached": CACHED.get(one.cache, one.cache),
            "function": _function(one),
            "notes": note,
        }
        table.add_row(*(cells[name] for name in names))
    return table


def _others(routes: Sequence[RouteDescription]) -> Text:
    """Return the routes that FastAPI and the framework add themselves, by who adds them."""
    text = Text()
    for kind, who in OWN.items():
        paths = dict.fromkeys(one.path for one in routes if one.kind == kind)
        if paths:
            text.append(f"\n{who}: {', '.join(paths)}", "dim")
    return text


def _function(one: RouteDescription) -> str:
    """Return the function of a route, or the id of a proxied one."""
    return ".".join(one.name.split(".")[-2:]) if one.proxied is None else one.proxied.id


def _method(one: RouteDescription) -> str:
    if one.kind == "field":
        return ""
    if one.proxied is not None and not one.methods:
        return "any"
    shown = [method for method in one.methods if method != "HEAD" or len(one.methods) == 1]
    return " ".join(shown) or {"mount": "mount", "websocket": "socket"}.get(one.kind, "")


def _access(one: RouteDescription) -> str:
    return one.access.removeprefix("signed in, with ")


def _notes(loaded: LoadedGateway, one: RouteDescription, common: Sequence[Limit]) -> Iterator[str]:
    if one.kind == "route":
        yield "FastAPI"
    if one.proxied is not None:
        yield f"to {shown_targets(one.proxied)}"
    if not is_default_criticality(one):
        yield one.criticality
    if uncached := unstored_because_of(loaded.app, one):
        yield f"cached without replies of {', '.join(uncached)} only"
    for limit in one.limits:
        if limit not in common:
            yield describe_limit(limit)


def _fields(loaded: LoadedGateway, one: RouteDescription) -> dict[str, object]:
    return {
        "gateway": loaded.name,
        "kind": one.kind,
        "methods": one.methods,
        "path": one.path,
        "function": one.name,
        "screens": [screen.__name__ for screen in one.screens],
        "access": one.access,
        "authenticators": one.by,
        "criticality": one.criticality,
        "limits": [describe_limit(limit) for limit in one.limits],
        "cache": one.cache,
        "uncached_services": unstored_because_of(loaded.app, one),
        "fast_path": one.is_fast,
        "route": "" if one.proxied is None else one.proxied.id,
        "to": "" if one.proxied is None else shown_targets(one.proxied),
    }
