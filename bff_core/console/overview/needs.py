"""Which services screens and proxied routes need, and which are critical."""

from collections.abc import Iterator

from bff_core.composition.composition import Composition
from bff_core.console.overview.down import ServiceNeed
from bff_core.console.screens.views import ScreenView, views_of
from bff_core.gateway.app import Gateway
from bff_core.inspection.explanation import calls_of, own_requests, plan_of, requests_of
from bff_core.inspection.proxied import name_of_upstream
from bff_core.inspection.reader import parts_of
from bff_core.inspection.routes import routes_of
from bff_core.inspection.steps import PartRef


def needs_of(app: Gateway) -> list[ServiceNeed]:
    """Return what the views and proxied routes need, each service of one once."""
    found: dict[tuple[str, str], bool] = {}
    for screen, view in views_of(app):
        for service, is_critical in _needs_of_view(screen, view):
            key = view.title, service
            found[key] = found.get(key, False) or is_critical
    return [
        *(ServiceNeed(route, service, critical) for (route, service), critical in found.items()),
        *_needs_of_proxied_routes(app),
    ]


def _needs_of_proxied_routes(app: Gateway) -> Iterator[ServiceNeed]:
    """Yield the service of each route without code, which fails without it."""
    for one in routes_of(app):
        if one.proxied is not None and one.proxied.to is not None:
            service = name_of_upstream(one.proxied.to)
            for method in one.methods:
                yield ServiceNeed(f"{method} {one.path}", service, is_critical=True)


def _needs_of_view(screen: type[Composition], view: ScreenView) -> Iterator[tuple[str, bool]]:
    """Yield services, and whether the view fails without them.

    A view needs what its source calls; of a field of GraphQL, clients choose the parts.
    """
    step = view.route.find_step()
    used = {one.service.name for one in requests_of(step)}
    for request, _ in calls_of(step):
        yield request.service.name, True
    for plan in parts_of(screen).values():
        ref = PartRef(screen, plan.name, plan.kind)
        for request in own_requests(ref):
            name = request.service.name
            if view.route.kind == "field" or name in used:
                yield name, not plan_of(ref).fallback
