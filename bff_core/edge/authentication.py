"""Authenticates each request once, after all cheaper checks."""

from collections.abc import Awaitable
from functools import lru_cache

from bff_core.auth.authenticator import Authenticator, issuer_of, name_of
from bff_core.auth.refusal_reasons import name_refusal
from bff_core.auth.viewer import ANONYMOUS, Viewer
from bff_core.errors import ClientError
from bff_core.http_exchange.request_context import RequestContext
from bff_core.scope import Scope


class Authentication:
    """After the limits by address: sets the viewer and the audience of the `Scope`.

    Anonymous callers get the anonymous viewer. Access rules are checked later: at routes, fields
    and parts.
    """

    __slots__ = ("_authenticator", "_challenge", "_issuer")

    def __init__(self, authenticator: Authenticator | None) -> None:
        self._authenticator = authenticator
        challenge = "Bearer" if authenticator is None else authenticator.challenge
        self._challenge = challenge.encode("latin-1")
        self._issuer = "" if authenticator is None else issuer_of(authenticator)

    def check(self, context: RequestContext) -> Awaitable[None] | None:
        """Authenticate the request; raise the authenticator's error if it refuses."""
        context.challenge = self._challenge
        scope = context.scope
        scope.is_guarded = self._authenticator is not None
        if self._authenticator is not None:
            return self._authenticate(self._authenticator, scope)
        _set_viewer(scope, None, "")
        return None

    async def _authenticate(self, authenticator: Authenticator, scope: Scope) -> None:
        try:
            viewer = await authenticator.authenticate(scope)
        except ClientError as error:
            name_refusal(error, name_of(authenticator))
            raise
        _set_viewer(scope, viewer, self._issuer)


def _set_viewer(scope: Scope, viewer: Viewer | None, issuer: str) -> None:
    if viewer is None:
        viewer, scope.audience = ANONYMOUS, ANONYMOUS.audience
    else:
        # A subclass may compare by fewer fields than it has: only plain viewers are cached.
        name = _name_once if type(viewer) is Viewer else _name
        viewer, scope.audience = name(viewer, issuer)
    scope.viewer = viewer
    scope.tenant = viewer.tenant


def _name(viewer: Viewer, issuer: str) -> tuple[Viewer, str]:
    """Return a viewer with its issuer, and its audience."""
    named = viewer.issued_by(issuer)
    return named, named.audience


_name_once = lru_cache(maxsize=1024)(_name)
