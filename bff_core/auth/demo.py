"""Demo authentication: accepts any user id in a token, for development only."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar
from urllib.parse import parse_qs

from bff_core.auth.authenticator import GatewayAuthenticator
from bff_core.auth.viewer import Viewer
from bff_core.errors import ConfigurationError, NotAuthenticated
from bff_core.keywords import checks_keywords
from bff_core.scope import Scope
from bff_core.settings.model import Settings

_CREDENTIALS = re.compile(
    rb"bearer +demo-([A-Za-z0-9][A-Za-z0-9_-]{0,63})(?:\?([!-~]{1,2000}))?", re.IGNORECASE
)
_REFUSAL = (
    "Send 'Authorization: Bearer demo-<user id>', as in demo-1, or with other scopes or roles than "
    "this user's, as in 'demo-1?scope=openid+orders:read&roles=support'."
)

DemoViewer = Callable[[str], Viewer]
"""Makes the viewer of a user id, with the scopes and roles of this user."""


@checks_keywords
class DemoAuthenticator(GatewayAuthenticator):
    """Accepts `Authorization: Bearer demo-<user id>` without any proof.

    `viewer` decides which scopes and roles a user has; by default users have none. A token can
    name other scopes and roles, to try out a viewer with fewer or more rights:

        Authorization: Bearer demo-1?scope=openid+orders:read&roles=support

    Without the header the caller is anonymous; anything else in it is refused with 401. `env` is
    that of the gateway by default. Raises ConfigurationError when it is built for production.
    """

    challenge = 'Bearer realm="demo"'
    security_scheme: ClassVar[Mapping[str, object]] = {"type": "http", "scheme": "bearer"}

    def __init__(self, *, env: str = "", viewer: DemoViewer = Viewer) -> None:
        self._is_given = self._is_allowed = bool(env)
        _refuse_production(env)
        self._viewer = viewer

    def check(self, settings: Settings) -> None:
        """Raise `ConfigurationError` in production, unless `env` was given."""
        if not self._is_given:
            _refuse_production(settings.env)
            self._is_allowed = True

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer that the token names; None without a token."""
        if not self._is_allowed:
            raise ConfigurationError("DemoAuthenticator: a gateway has to check its settings first")
        credentials = scope.field(b"authorization")
        if credentials is None:
            return None
        match = _CREDENTIALS.fullmatch(credentials)
        if match is None:
            raise NotAuthenticated(_REFUSAL, reason="malformed")
        viewer = self._viewer(match[1].decode())
        return viewer if match[2] is None else _with_grants(viewer, match[2].decode())


def _refuse_production(env: str) -> None:
    if env == "production":
        raise ConfigurationError(
            "BFF_AUTH=demo accepts any user id without proof, so it does not start "
            "with BFF_ENV=production: set BFF_ENV=development to try things out, or choose "
            "another BFF_AUTH."
        )


def _with_grants(viewer: Viewer, query: str) -> Viewer:
    """Return the viewer with the scopes and roles of the token's query in place of its own."""
    try:
        named = parse_qs(query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise NotAuthenticated(_REFUSAL, reason="malformed") from None
    values = {name: frozenset(" ".join(texts).split()) for name, texts in named.items()}
    scopes, roles = values.pop("scope", viewer.scopes), values.pop("roles", viewer.roles)
    if values:
        raise NotAuthenticated(_REFUSAL, reason="malformed")
    return replace(viewer, scopes=scopes, roles=roles)
