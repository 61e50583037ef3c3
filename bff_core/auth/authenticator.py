"""What the edge asks to learn who calls, and which one the settings choose."""

from typing import Protocol

from bff_core.auth.demo import DemoAuthenticator
from bff_core.auth.viewer import Viewer
from bff_core.errors import ConfigurationError
from bff_core.scope import Scope


class Authenticator(Protocol):
    """Tells the caller of a request from its headers."""

    @property
    def challenge(self) -> str:
        """The `WWW-Authenticate` value that goes with a 401 (RFC 9110, section 11.6.1)."""
        ...

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer, or None for an anonymous caller.

        Raises NotAuthenticated when credentials were sent that are not valid: a caller that
        believes to be signed in must not silently get what everybody gets.
        """
        ...


def authenticator_for(auth: str, *, env: str) -> Authenticator | None:
    """Build the authenticator that `BFF_AUTH` names; None when every caller is anonymous."""
    match auth:
        case "none":
            return None
        case "demo":
            return DemoAuthenticator(env=env)
    raise ConfigurationError(f"BFF_AUTH={auth!r} is unknown: use none or demo.")
