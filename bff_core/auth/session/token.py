"""The access token of a session, for services that are called in its viewer's name."""

from bff_core.auth.session.store import StoredSession
from bff_core.auth.session.token_refresh import Refresher, SessionEnded


class SessionToken:
    """Knows the tokens of one request's session; refreshed when they end, or are refused."""

    __slots__ = ("_kept", "_refresher")

    def __init__(self, refresher: Refresher, kept: StoredSession) -> None:
        self._refresher = refresher
        self._kept = kept

    async def current(self) -> str:
        """Return a token that has not expired."""
        if self._refresher.has_expired(self._kept.session):
            self._kept = await self._refresher.refreshed(self._kept)
        return self._access

    async def renewed(self, refused: str) -> str | None:
        """Return another than a service refused: one that a sibling has, or a new one."""
        if self._access == refused and not self._refresher.is_new(self._kept.session):
            self._kept = await self._refresher.refreshed(self._kept)
        return None if self._access == refused else self._access

    @property
    def _access(self) -> str:
        tokens = self._kept.session.tokens
        if tokens is None:
            raise SessionEnded
        return tokens.access
