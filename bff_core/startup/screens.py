"""Checks that a gateway has the services, sagas and cache that its screens need."""

from collections.abc import Sequence
from contextlib import nullcontext

from starlette.routing import BaseRoute

from bff_core.cache.response_cache import NO_CACHE, ResponseCache
from bff_core.composition.composition import Composition
from bff_core.composition.wiring import shape_of
from bff_core.errors import ConfigurationError, wired_in
from bff_core.saga.coordinator import SagaCoordinator
from bff_core.saga.saga import Saga
from bff_core.startup.sent_types import check_sent_types
from bff_core.startup.unused import dependants_of, routes_with, screens_of
from bff_core.upstream.client import Upstream


def check_screen(
    composition: type[Composition],
    services: Sequence[type[Upstream]],
    routes: Sequence[BaseRoute] = (),
    *,
    has_cache: bool,
    sagas: Sequence[type[Saga]] = (),
) -> None:
    """Raise `ConfigurationError` for a screen that needs something the gateway does not have.

    The error names the routes that build the screen.
    """
    users = routes_with(composition, routes)
    with wired_in(", ".join(users)) if users else nullcontext():
        if issubclass(composition, Saga) and composition not in sagas:
            name = composition.__name__
            raise ConfigurationError(
                f"{name} is a saga: add it to the gateway's sagas, "
                f"gateway(..., sagas=[{name}, ...])"
            )
        _check_fields(composition, services, has_cache=has_cache)


def check_routes(
    routes: Sequence[BaseRoute],
    services: Sequence[type[Upstream]],
    *,
    has_cache: bool,
    sagas: Sequence[type[Saga]],
) -> None:
    """Check the screens of all routes, also of those that were added after the faces.

    Raises `ConfigurationError` as well for a plain route that reads a viewer from the body.
    """
    for screen in screens_of(routes):
        check_screen(screen, services, routes, has_cache=has_cache, sagas=sagas)
    for place, dependant in dependants_of(routes):
        check_sent_types(dependant, place)


def _check_fields(
    composition: type[Composition], services: Sequence[type[Upstream]], *, has_cache: bool
) -> None:
    for field, kind in shape_of(composition).services:
        if kind is ResponseCache and not has_cache:
            raise ConfigurationError(f"{composition.__name__}.{field}: {NO_CACHE}")
        if kind not in {SagaCoordinator, ResponseCache, *services}:
            raise ConfigurationError(
                f"{composition.__name__}.{field} needs {kind.__name__}: the gateway finds the "
                "services of its faces and sagas, not those of routes that are added later; add "
                f"it, gateway(..., services=[{kind.__name__}, ...])"
            )
