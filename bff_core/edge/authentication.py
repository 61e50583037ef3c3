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
    """After the limits by address: gives the `Scope` its viewer and audience.

    Anonymous callers get the anonymous viewer. What a viewer may do is checked where it is known
    what a request is for: at routes, fields, parts.
    """

    __slots__ = ("_authenticator", "_challenge", "_issuer")

    def __init__(self, authenticator: Authenticator | None) -> None:
        self._authenticator = authenticator
        challenge = "Bearer" if authenticator is None else authenticator.challenge
        self._challenge = challenge.encode("latin-1")
        self._issuer = "" if authenticator is None else issuer_of(authenticator)

    def check(self, context: RequestContext) -> Awaitable[None] | None:
        """Find the viewer; raises what the authenticator refuses with."""
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
        viewer, scope.audience = _named(viewer, issuer)
    scope.viewer = viewer
    scope.tenant = viewer.tenant


def _named(viewer: Viewer, issuer: str) -> tuple[Viewer, str]:
    """Return a viewer that has an issuer, and its audience."""
    # A subclass may compare by fewer fields than it has: only plain viewers are looked up.
    if type(viewer) is Viewer:
        return _known(viewer, issuer)
    named = viewer.issued_by(issuer)
    return named, named.audience


@lru_cache(maxsize=1024)
def _known(viewer: Viewer, issuer: str) -> tuple[Viewer, str]:
    named = viewer.issued_by(issuer)
    return named, named.audience
