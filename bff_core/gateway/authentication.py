"""The authenticator of a gateway: how it is made, checked and opened."""

from contextlib import AbstractAsyncContextManager, nullcontext

from bff_core.auth.authenticator import (
    Authenticator,
    GatewayAuthenticator,
    MakeAuthenticator,
    MayBeUnready,
    Resources,
    check_authenticator,
    each_of,
    instance_of,
    is_authenticator,
)
from bff_core.auth.demo import DemoAuthenticator, DemoViewer
from bff_core.auth.viewer import Viewer
from bff_core.edge.health import Check
from bff_core.gateway.under_test import replaces_authenticator
from bff_core.settings.model import Settings


def make_authenticator(
    given: Authenticator | type[Authenticator] | MakeAuthenticator | None,
    settings: Settings,
    demo: DemoViewer | None = None,
) -> Authenticator | None:
    """Return the authenticator of a gateway; None if all callers are anonymous.

    BFF_AUTH=demo selects the demo authenticator, otherwise it is the one that the author gave. A
    test replaces that by the demo authenticator, too. Raises `ConfigurationError` if it can't work
    with these settings.
    """
    if settings.auth == "demo":
        return DemoAuthenticator(env=settings.env, viewer=demo or Viewer)
    if given is not None and replaces_authenticator():
        return DemoAuthenticator(env="test", viewer=demo or Viewer)
    made = _made(given, settings)
    if given is not None:
        check_authenticator(made)
    if isinstance(made, GatewayAuthenticator):
        made.check(settings)
    return made


def _made(
    given: Authenticator | type[Authenticator] | MakeAuthenticator | None, settings: Settings
) -> Authenticator | None:
    if given is None:
        return None
    if isinstance(given, type):
        return instance_of(given)
    return given if is_authenticator(given) else given(settings)


def readiness_checks(authenticator: Authenticator | None) -> list[tuple[str, Check]]:
    """Return the readiness checks of an authenticator, each with its name in `/readyz`."""
    return [
        ("sign-in", one.unready) for one in each_of(authenticator) if isinstance(one, MayBeUnready)
    ]


def open_authenticator(
    authenticator: Authenticator | None, resources: Resources
) -> AbstractAsyncContextManager[object]:
    """Return a context during which an authenticator can call its services."""
    if isinstance(authenticator, GatewayAuthenticator):
        return authenticator.open(resources)
    return nullcontext()
