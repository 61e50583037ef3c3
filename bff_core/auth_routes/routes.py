"""Which endpoints the authenticator of a gateway adds."""

from starlette.routing import Route

from bff_core.auth.authenticator import Authenticator, HasDevices, SignsIn, each_of
from bff_core.auth_routes.devices import device_routes
from bff_core.errors import ConfigurationError


def routes_for(authenticator: Authenticator | None) -> list[Route]:
    """Return the routes of an authenticator, or of the members of a `FirstOf`.

    They check access by themselves. Raises `ConfigurationError` if two authenticators have one
    prefix.
    """
    found: dict[str, list[Route]] = {}
    for one in each_of(authenticator):
        if isinstance(one, SignsIn):
            if one.prefix in found:
                raise ConfigurationError(
                    f"two authenticators sign in at {one.prefix}: give one another prefix"
                )
            found[one.prefix] = _session_routes(one)
        if isinstance(one, HasDevices) and one.has_devices:
            found["devices"] = device_routes(one.active_devices)
    return [route for routes in found.values() for route in routes]


def _session_routes(authenticator: SignsIn) -> list[Route]:
    # Imported here because the modules of sessions are slow to load, and most gateways have none.
    from bff_core.auth.session.authenticator import (  # noqa: PLC0415 # see above
        SessionAuthenticator,
    )
    from bff_core.auth_routes.browser import SessionEndpoints  # noqa: PLC0415 # see above

    if isinstance(authenticator, SessionAuthenticator):
        return SessionEndpoints(authenticator).routes()
    return []
