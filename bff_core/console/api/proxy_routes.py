"""The routes of a gateway that need no code, as the API page lists them."""

from collections.abc import Iterator

from bff_core.console.model import ProxyRouteInfo, ProxyTarget
from bff_core.gateway.app import Gateway
from bff_core.inspection.function_source import shown_place
from bff_core.inspection.proxied import conditions_of, name_of_upstream, shown_size
from bff_core.inspection.routes import (
    RouteDescription,
    describe_limit,
    is_default_criticality,
    routes_of,
)
from bff_core.proxy.face import Proxy
from bff_core.proxy.route import MIB, Route


def proxy_routes(gateway: Gateway) -> list[ProxyRouteInfo]:
    """Return the proxied routes of a gateway as they are now, sorted by path and id."""
    faces = [one for one in gateway.config.faces if isinstance(one, Proxy)]
    found = [
        _described(one, one.proxied, faces) for one in routes_of(gateway) if one.proxied is not None
    ]
    return sorted(found, key=lambda one: (one.path, one.id))


def _described(one: RouteDescription, route: Route, faces: list[Proxy]) -> ProxyRouteInfo:
    places = (face.place_of(route.id) for face in faces)
    return ProxyRouteInfo(
        id=route.id,
        path=route.match.path,
        access=one.access,
        methods=list(route.match.methods),
        conditions=[*conditions_of(route.match), *_order(route)],
        targets=list(_targets(route)),
        files="" if route.files is None else str(route.files.directory),
        place=shown_place(next(filter(None, places), "")),
        options=list(_options(one, route)),
    )


def _order(route: Route) -> Iterator[str]:
    if route.match.order:
        yield f"order {route.match.order}"


def _targets(route: Route) -> Iterator[ProxyTarget]:
    if route.to is None:
        return
    left = 100 - sum(one.percent for one in route.splits)
    yield ProxyTarget(upstream=name_of_upstream(route.to), percent=left)
    for one in route.splits:
        yield ProxyTarget(
            upstream=name_of_upstream(one.to), kind="canary", percent=one.percent, by=one.by
        )
    if route.mirror is not None:
        to, percent = name_of_upstream(route.mirror.to), route.mirror.percent
        yield ProxyTarget(upstream=to, kind="mirror", percent=percent)


def _options(one: RouteDescription, route: Route) -> Iterator[str]:
    if route.websocket:
        yield "web socket"
    if route.max_body != MIB:
        yield f"body up to {shown_size(route.max_body)}"
    if route.timeout is not None:
        yield f"deadline {route.timeout:g} s"
    if not is_default_criticality(one):
        yield one.criticality
    yield from (describe_limit(limit) for limit in route.limits)
    if route.cache is False:
        yield "not cached"
