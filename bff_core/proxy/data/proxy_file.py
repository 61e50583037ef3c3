"""`read_proxy`: reads a file of routes and upstreams, and reports all of its faults at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.endpoints import (
    LIST_SCHEMES,
    SERVICE_SCHEMES,
    EndpointOptions,
    checked_address,
)
from bff_core.policy.upstream.policy import Policy
from bff_core.proxy.data.binding import (
    MAX_FAULTS,
    WRONG,
    ModelBinder,
    Wrong,
    each_name,
    upstream_key,
)
from bff_core.proxy.data.faults import ProxyFileError, fault_of_file
from bff_core.proxy.data.places import Place, UnreadableFile
from bff_core.proxy.data.text import read_values
from bff_core.proxy.precedence import NamedMatch, conflicts
from bff_core.proxy.route import Route
from bff_core.proxy.value_checks import nearest, upstream_complaint
from bff_core.upstream.client import Upstream

TABLES: Final = ("upstreams", "routes")
"""The tables at the top of a file."""

MAX_ROUTES: Final = 10_000
"""How many routes a file has."""

DEFAULTS: Final[Mapping[str, object]] = {"keyed": False}
"""Options of an upstream without code that differ from those of one in Python.

Its service is not known to support Idempotency-Keys, so a POST is sent again only if it never was.
"""


@dataclass(frozen=True, slots=True)
class ProxyFile:
    """The routes and the upstreams of a file; `places` are those of the routes, by their ids."""

    path: Path
    routes: tuple[Route, ...]
    upstreams: tuple[type[Upstream], ...]
    places: Mapping[str, Place]

    def place_of(self, route_id: str) -> str:
        """Return the file and the line of a route; empty for a route that is not of the file."""
        place = self.places.get(route_id)
        return "" if place is None else f"{self.path}:{place.line}"


def read_proxy(
    path: str | Path,
    known: Sequence[type[Upstream]] = (),
    earlier: Sequence[type[Upstream]] = (),
) -> ProxyFile:
    """Read a file of TOML or YAML; `known` are upstreams in Python, which routes may name, too.

    Of `earlier` upstreams of the file, those that did not change are returned again: their
    connections, circuits and counters stay.

    Raises `ProxyFileError` with all faults, each with its line and column.
    """
    path = Path(path)
    try:
        values, places = read_values(path)
    except UnreadableFile as error:
        raise fault_of_file(str(path), error.complaint, error.place) from None
    binder = ModelBinder(str(path), places)
    for name in list(values)[:MAX_FAULTS]:
        if name not in TABLES:
            hint = nearest(str(name), TABLES)
            binder.report((str(name),), f"is no table of a file of routes{hint}", is_key=True)
    made = _upstreams(binder, values.get("upstreams", {}), known, earlier)
    routes = _routes(binder, values.get("routes", []))
    places_of_routes = {route.id: binder.places.of_value(at) for route, at in routes}
    _check_together(binder, routes)
    if binder.faults:
        raise ProxyFileError(sorted(binder.faults, key=lambda fault: fault.place))
    return ProxyFile(path, tuple(route for route, _ in routes), made, places_of_routes)


def _upstreams(
    binder: ModelBinder,
    tables: object,
    known: Sequence[type[Upstream]],
    earlier: Sequence[type[Upstream]],
) -> tuple[type[Upstream], ...]:
    """Return the upstreams of a file, and let routes name them."""
    names: dict[str, type[Upstream] | str] = {upstream_key(kind.name): kind for kind in known}
    binder.upstreams = names
    if not isinstance(tables, Mapping):
        binder.report(("upstreams",), "must be tables, [upstreams.NAME]", tables)
        return ()
    made = []
    for name, table in each_name(tables):
        path = ("upstreams", name)
        if complaint := upstream_complaint(name):
            binder.report(path, complaint, is_key=True)
        elif upstream_key(name) in names:
            where = "in Python" if any(name == kind.name for kind in known) else "here"
            binder.report(path, f"is an upstream {where} already: rename one", is_key=True)
        kind = _upstream(binder, name, table)
        kind = next((one for one in earlier if kind and _is_same(one, kind)), kind)
        # A route that names a wrong upstream has no fault of its own.
        names[upstream_key(name)] = name if kind is None else kind
        made += [] if kind is None else [kind]
    return tuple(made)


def _upstream(binder: ModelBinder, name: str, table: object) -> type[Upstream] | None:
    path = ("upstreams", name)
    if not isinstance(table, Mapping):
        binder.report(path, "must be a table with endpoints", table)
        return None
    options = {key: value for key, value in table.items() if key != "endpoints"}
    policy = binder.table(Policy, options, path, DEFAULTS)
    endpoints = _endpoints(binder, table.get("endpoints", []), (*path, "endpoints"))
    if isinstance(policy, Wrong) or isinstance(endpoints, Wrong) or upstream_complaint(name):
        return None
    members = {"name": upstream_key(name), "policy": policy, "endpoints": endpoints}
    try:
        return type(_class_name(name), (Upstream,), {**members, "__module__": __name__})
    except ConfigurationError as error:
        binder.report(path, str(error).removeprefix(f"{_class_name(name)}."))
        return None


def _is_same(one: type[Upstream], other: type[Upstream]) -> bool:
    """Whether two upstreams of a file are called in the same way."""
    return all(
        getattr(one, name) == getattr(other, name) for name in ("name", "policy", "endpoints")
    )


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in upstream_key(name).split("_"))


def _endpoints(binder: ModelBinder, value: object, path: tuple[str | int, ...]) -> Any:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return binder.report(path, "must be a list of addresses", value)
    found = [_endpoint(binder, one, (*path, place)) for place, one in enumerate(value)]
    return WRONG if any(isinstance(one, Wrong) for one in found) else tuple(found)


def _endpoint(binder: ModelBinder, value: object, path: tuple[str | int, ...]) -> Any:
    if isinstance(value, Mapping):
        return binder.table(EndpointOptions, value, path)
    if not isinstance(value, str):
        return binder.report(path, "must be an address, or a table with url", value)
    try:
        checked_address(value, (*SERVICE_SCHEMES, *LIST_SCHEMES))
    except ValueError as error:
        return binder.report(path, str(error), value)
    return value


def _routes(binder: ModelBinder, tables: object) -> list[tuple[Route, tuple[str | int, ...]]]:
    """Return the routes of a file that have no fault, each with its path."""
    if not isinstance(tables, list):
        binder.report(("routes",), "must be a list of tables, [[routes]]", tables)
        return []
    if len(tables) > MAX_ROUTES:
        binder.report(("routes",), f"has {len(tables):,} routes, {MAX_ROUTES:,} at most")
        return []
    found: list[tuple[Route, tuple[str | int, ...]]] = []
    for number, table in enumerate(tables):
        path: tuple[str | int, ...] = ("routes", number)
        route = binder.table(Route, table, path)
        if isinstance(route, Route):
            found.append((_located(route, Path(binder.file).parent), path))
    return found


def _located(route: Route, folder: Path) -> Route:
    """Return a route whose folder of files is relative to the file that names it."""
    if route.files is None:
        return route
    files = replace(route.files, directory=str(folder / route.files.directory))
    return replace(route, files=files)


def _check_together(
    binder: ModelBinder, routes: Sequence[tuple[Route, tuple[str | int, ...]]]
) -> None:
    """Report ids that are there twice, and routes in conflict."""
    first: dict[str, tuple[str | int, ...]] = {}
    for route, path in routes:
        if route.id in first:
            line = binder.places.of_value((*first[route.id], "id")).line
            binder.report((*path, "id"), f"is the id of the route in line {line}, too", route.id)
        first.setdefault(route.id, path)
    paths = {id(route.match): path for route, path in routes}
    for one, other in conflicts([NamedMatch(route.id, route.match) for route, _ in routes]):
        path, line = paths[id(other.match)], binder.places.of_value(paths[id(one.match)]).line
        binder.report(
            (*path, "match"),
            f"{other.name} and {one.name} (line {line}) take the same requests: "
            "give one an `order`",
        )
