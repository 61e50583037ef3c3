"""Which screens need a service, and which of their parts call it: read from the source, once."""

from collections.abc import Iterable

from bff_core.composition.composition import Composition
from bff_core.console.upstreams.report import PartNeed, ScreenNeed
from bff_core.gateway.app import Gateway
from bff_core.inspection.explanation import own_requests, plan_of, requests_of
from bff_core.inspection.reader import parts_of
from bff_core.inspection.routes import RouteDescription, routes_of
from bff_core.inspection.steps import PartRef

SERVED = frozenset({"view", "stream", "field"})
"""The kinds of routes that serve screens."""


def needs_of(app: Gateway) -> dict[str, list[ScreenNeed]]:
    """Return the screens that need each service, by the name of the service."""
    found: dict[str, dict[str, ScreenNeed]] = {}
    for route in routes_of(app):
        if route.kind not in SERVED or not route.screens:
            continue
        used = {one.service.name for one in requests_of(route.find_step())}
        for name in sorted(used):
            for screen in route.screens:
                parts = _parts_calling(screen, name)
                _add(found.setdefault(name, {}), screen.__name__, _title(route), parts)
    return {
        name: sorted(needs.values(), key=lambda one: one.screen) for name, needs in found.items()
    }


def _add(needs: dict[str, ScreenNeed], screen: str, route: str, parts: list[PartNeed]) -> None:
    if not parts:
        return
    need = needs.setdefault(screen, ScreenNeed(screen, [], parts))
    if route not in need.routes:
        need.routes.append(route)


def _parts_calling(screen: type[Composition], upstream: str) -> list[PartNeed]:
    """Return the parts of a screen that call a service themselves."""
    refs = (PartRef(screen, plan.name, plan.kind) for plan in parts_of(screen).values())
    return [PartNeed(ref.name, plan_of(ref).timeout) for ref in refs if upstream in _called(ref)]


def _called(ref: PartRef) -> Iterable[str]:
    return {one.service.name for one in own_requests(ref)}


def _title(route: RouteDescription) -> str:
    """Return how clients call a route: `GET /v1/home`, or the name of a field."""
    if route.kind == "field":
        return route.path.rpartition(".")[2]
    return route.title.replace("GET HEAD", "GET")
