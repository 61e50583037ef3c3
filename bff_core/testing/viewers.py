"""Signs in the viewers of a test, by tokens that only the test's client sends."""

from bff_core.auth.authenticator import Authenticator, FirstOf, each_of
from bff_core.auth.demo import DemoAuthenticator
from bff_core.auth.viewer import Viewer
from bff_core.scope import Scope

_PREFIX = "Bearer viewer-of-the-test-"


class GivenViewers:
    """Authenticates by the tokens that it made, and lets all other credentials pass."""

    challenge = 'Bearer realm="test"'

    def __init__(self) -> None:
        self._viewers: list[Viewer] = []

    def credentials_of(self, viewer: Viewer) -> str:
        """Return the value of Authorization that signs in as a viewer."""
        self._viewers.append(viewer)
        return f"{_PREFIX}{len(self._viewers) - 1}"

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer of a token of this object; None without one."""
        value = (scope.field(b"authorization") or b"").decode("latin-1")
        number = value.removeprefix(_PREFIX)
        return self._viewers[int(number)] if value != number else None


def with_viewers(viewers: GivenViewers, own: Authenticator | None) -> Authenticator:
    """Return an authenticator for the viewers of a test, and for those of the gateway."""
    return viewers if own is None else FirstOf(viewers, own)


def credentials_of(
    viewer: Viewer | str, viewers: GivenViewers, authenticator: Authenticator | None
) -> str:
    """Return the value of Authorization that signs in as a viewer; a text is a user id.

    The demo authenticator makes the viewer of a user id, with the scopes and roles of this user.
    """
    if isinstance(viewer, Viewer):
        return viewers.credentials_of(viewer)
    if any(isinstance(one, DemoAuthenticator) for one in each_of(authenticator)):
        return f"Bearer demo-{viewer}"
    return viewers.credentials_of(Viewer(viewer))
