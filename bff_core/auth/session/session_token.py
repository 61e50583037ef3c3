"""The access token of a session, which the credentials layer relays to services."""

from bff_core.auth.session.interface import StoredSession
from bff_core.auth.session.token_refresh import SessionEnded, TokenRefresher


class SessionToken:
    """The access token of a session; refreshed when it expires, or a service refuses it."""

    __slots__ = ("_refresher", "_stored")

    def __init__(self, refresher: TokenRefresher, stored: StoredSession) -> None:
        self._refresher = refresher
        self._stored = stored

    async def current(self) -> str:
        """Return the access token; refresh it first if it has expired."""
        if self._refresher.has_expired(self._stored.session):
            self._stored = await self._refresher.refreshed(self._stored)
        return self._access

    async def renewed(self, refused: str) -> str | None:
        """Return another token than the one that a service refused; None if there is none."""
        if self._access == refused and not self._refresher.is_new(self._stored.session):
            self._stored = await self._refresher.refreshed(self._stored)
        return None if self._access == refused else self._access

    @property
    def _access(self) -> str:
        tokens = self._stored.session.tokens
        if tokens is None:
            raise SessionEnded
        return tokens.access
