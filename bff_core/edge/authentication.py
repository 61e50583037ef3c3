"""Finds out who asks; innermost, since all before it is cheaper than checking credentials."""

from functools import lru_cache

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.auth.authenticator import Authenticator, issuer_of, name_of
from bff_core.auth.refusal_reasons import name_refusal
from bff_core.auth.viewer import ANONYMOUS, Viewer
from bff_core.errors import ClientError
from bff_core.exchange.context import exchange_of


class Authentication:
    """Between the limits and the faces: gives the `Scope` its viewer and audience.

    What a viewer may do is asked where it is known what a request is for: at routes, fields, parts.
    """

    __slots__ = ("_app", "_authenticator", "_challenge", "_issuer")

    def __init__(self, app: ASGIApp, *, authenticator: Authenticator | None) -> None:
        self._app = app
        self._authenticator = authenticator
        challenge = "Bearer" if authenticator is None else authenticator.challenge
        self._challenge = challenge.encode("latin-1")
        self._issuer = "" if authenticator is None else issuer_of(authenticator)

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Ask who calls; raises what the authenticator refuses with."""
        exchange = exchange_of(scope)
        exchange.challenge = self._challenge
        viewer = None
        exchange.scope.is_guarded = self._authenticator is not None
        if self._authenticator is not None:
            try:
                viewer = await self._authenticator.authenticate(exchange.scope)
            except ClientError as error:
                name_refusal(error, name_of(self._authenticator))
                raise
        audience = ANONYMOUS.audience
        if viewer is None:
            viewer = ANONYMOUS
        else:
            viewer, audience = _named(viewer, self._issuer)
        exchange.scope.viewer = viewer
        exchange.scope.audience = audience
        exchange.scope.tenant = viewer.tenant
        await self._app(scope, receive, send)


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
