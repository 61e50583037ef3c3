"""Finds the wiring of the gateway that serves a request, from which compositions are built."""

from collections.abc import Mapping

from bff_core.composition.wiring import Wiring
from bff_core.errors import ConfigurationError

WIRING = "bff.wiring"
"""Where the ASGI scope holds the gateway's wiring."""


def wiring_of(scope: Mapping[str, object]) -> Wiring:
    """Return the wiring of the gateway that serves a request."""
    wiring = scope.get(WIRING)
    if not isinstance(wiring, Wiring):
        raise ConfigurationError(
            "compositions are built in routes of a gateway that has started: make the app with "
            "gateway(...) and run its lifespan (in tests: bff_core.testing.client)"
        )
    return wiring
