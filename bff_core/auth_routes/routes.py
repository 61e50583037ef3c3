"""Which endpoints an authenticator brings along."""

from starlette.routing import Route

from bff_core.auth.authenticator import Authenticator, HasDevices, SignsIn, each_of
from bff_core.errors import ConfigurationError


def routes_for(authenticator: Authenticator | None) -> list[Route]:
    """Return the routes that belong to an authenticator, or to those it asks in order.

    They ask for whoever may use them by themselves. Raises `ConfigurationError` where two would be
    at one place.
    """
    found: dict[str, list[Route]] = {}
    for one in each_of(authenticator):
        if isinstance(one, SignsIn):
            if one.prefix in found:
                raise ConfigurationError(
                    f"two authenticators sign in at {one.prefix}: give one another prefix"
                )
            found[one.prefix] = _routes_of(one)
        if isinstance(one, HasDevices):
            found["devices"] = _routes_of_devices(one)
    return [route for routes in found.values() for route in routes]


def _routes_of_devices(authenticator: HasDevices) -> list[Route]:
    from bff_core.auth.devices import DeviceSessions  # noqa: PLC0415 # as below
    from bff_core.auth_routes.devices import device_routes  # noqa: PLC0415 # as below

    devices = authenticator.devices
    return device_routes(devices) if isinstance(devices, DeviceSessions) else []


def _routes_of(authenticator: SignsIn) -> list[Route]:
    # What signs in loads a lot that most gateways need not wait for.
    from bff_core.auth.session.authenticator import (  # noqa: PLC0415 # see above
        SessionAuthenticator,
    )
    from bff_core.auth_routes.browser import SessionEndpoints  # noqa: PLC0415 # see above

    if isinstance(authenticator, SessionAuthenticator):
        return SessionEndpoints(authenticator).routes()
    return []
