"""Lets anybody be anybody: for a laptop, and refused in production."""

import re
from collections.abc import Mapping
from typing import ClassVar

from bff_core.auth.viewer import Viewer
from bff_core.call import find_header
from bff_core.errors import ConfigurationError, NotAuthenticated
from bff_core.scope import Scope

_CREDENTIALS = re.compile(rb"bearer +demo-([A-Za-z0-9][A-Za-z0-9_-]{0,63})", re.IGNORECASE)


class DemoAuthenticator:
    """Takes `Authorization: Bearer demo-<user id>` at its word.

    Without the header the caller is anonymous; anything else in it is refused with 401. Raises
    ConfigurationError when it is built for production.
    """

    challenge = 'Bearer realm="demo"'
    security_scheme: ClassVar[Mapping[str, object]] = {"type": "http", "scheme": "bearer"}

    def __init__(self, *, env: str) -> None:
        if env == "production":
            raise ConfigurationError(
                "BFF_AUTH=demo believes whatever user id a caller sends, so it does not start "
                "with BFF_ENV=production: set BFF_ENV=development to try things out, or choose "
                "another BFF_AUTH."
            )

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the user that the token names; None without a token."""
        credentials = find_header(scope.headers, b"authorization")
        if credentials is None:
            return None
        match = _CREDENTIALS.fullmatch(credentials)
        if match is None:
            raise NotAuthenticated("Send 'Authorization: Bearer demo-<user id>', as in demo-1.")
        return Viewer(match[1].decode())
