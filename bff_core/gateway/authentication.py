"""Which authenticator a gateway has, and what it needs while the gateway runs."""

from contextlib import AbstractAsyncContextManager, nullcontext

from bff_core.auth.authenticator import (
    Authenticator,
    ChecksSettings,
    MakeAuthenticator,
    MayBeUnready,
    NeedsResources,
    Resources,
    check_authenticator,
    each_of,
    is_authenticator,
)
from bff_core.auth.demo import DemoAuthenticator, DemoViewer
from bff_core.auth.viewer import Viewer
from bff_core.edge.health import Check
from bff_core.settings.model import Settings


def make_authenticator(
    given: Authenticator | MakeAuthenticator | None,
    settings: Settings,
    demo: DemoViewer | None = None,
) -> Authenticator | None:
    """Return the authenticator of a gateway; None where every caller is anonymous.

    With BFF_AUTH=demo that is the demo's, else the one that the author gave. Raises
    `ConfigurationError` where it can't work with these settings.
    """
    if settings.auth == "demo":
        return DemoAuthenticator(env=settings.env, viewer=demo or Viewer)
    made = given if given is None or is_authenticator(given) else given(settings)
    if given is not None:
        check_authenticator(made)
    if isinstance(made, ChecksSettings):
        made.check(settings)
    return made


def readiness_checks(authenticator: Authenticator | None) -> list[tuple[str, Check]]:
    """Return the readiness checks of an authenticator, each with its name in `/readyz`."""
    return [
        ("sign-in", one.unready) for one in each_of(authenticator) if isinstance(one, MayBeUnready)
    ]


def open_authenticator(
    authenticator: Authenticator | None, resources: Resources
) -> AbstractAsyncContextManager[object]:
    """Return the context in which an authenticator has its resources."""
    if isinstance(authenticator, NeedsResources):
        return authenticator.open(resources)
    return nullcontext()
