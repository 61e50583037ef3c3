"""What a route may have beside its upstream: files, a canary, a mirror, web sockets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from starlette.types import ASGIApp
from starlette.types import Scope as ASGIScope

from bff_core.auth.access import ANYONE
from bff_core.composition.wiring import Wiring
from bff_core.events import Events
from bff_core.proxy.destination import Destination, Named
from bff_core.proxy.mirroring import Mirroring
from bff_core.proxy.route import Route
from bff_core.proxy.splitting import Splitter
from bff_core.proxy.static_files import files_app
from bff_core.proxy.traffic import Split
from bff_core.routing.wiring import wiring_of
from bff_core.upstream.client import Upstream


class RunningWiring:
    """The wiring of the gateway that runs, as the latest request of a route found it."""

    __slots__ = ("_wiring",)

    def __init__(self) -> None:
        self._wiring: Wiring | None = None

    def note(self, scope: ASGIScope) -> None:
        """Note the wiring of the gateway that serves a request."""
        self._wiring = wiring_of(scope)

    def events(self) -> Events:
        """Return the sinks of the gateway."""
        return Events() if self._wiring is None else self._wiring.events

    def finds(self, named: Named) -> Callable[[], Upstream]:
        """Return a function that finds an upstream when it is needed."""
        destination = Destination(named)
        return lambda: destination.among(self._wiring)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteParts:
    """The optional parts of a route; None for each that it does not have.

    A part finds upstreams and events by `wiring`, which is None for a route without parts.
    """

    wiring: RunningWiring | None = None
    files: ASGIApp | None = None
    splitter: Splitter | None = None
    mirroring: Mirroring | None = None

    @classmethod
    def of(cls, route: Route) -> Self:
        """Return the parts of a route; raise `ConfigurationError` for wrong options of one."""
        wiring, splits = RunningWiring(), splits_of(route)
        if route.files is None and route.mirror is None and not splits:
            return cls()
        mirror = route.mirror
        return cls(
            wiring=wiring,
            files=_files_of(route, wiring),
            splitter=Splitter(
                route.id, splits, names=[*map(_name_of, named_sides(route))], events=wiring.events
            )
            if splits
            else None,
            mirroring=None
            if mirror is None
            else Mirroring(route.id, mirror, wiring.finds(mirror.to), events=wiring.events),
        )


def splits_of(route: Route) -> tuple[Split, ...]:
    """Return the splits of a route."""
    return route.split if isinstance(route.split, tuple) else (route.split,)


def named_sides(route: Route) -> list[Named]:
    """Return the upstreams that a split chooses from, the route's own first."""
    return [route.to or "", *(one.to for one in splits_of(route))]


def _name_of(named: Named) -> str:
    return named if isinstance(named, str) else named.name


def _files_of(route: Route, wiring: RunningWiring) -> ASGIApp | None:
    if route.files is None:
        return None
    transform, source = route.transform, route.files.fallback_from
    return files_app(
        route.files,
        None if source is None else wiring.finds(source),
        changes=None if transform is None else transform.response_headers,
        is_shared=route.access is ANYONE,
    )
