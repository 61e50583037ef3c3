"""Which sessions a new sign-in of a browser replaces, and which tokens are revoked then."""

import asyncio
from collections.abc import Iterable

from bff_core.auth.oidc.client import OIDCClient
from bff_core.auth.session.active_sessions import GRACE_SECONDS, ActiveSessions
from bff_core.auth.session.interface import StoredSession
from bff_core.auth.session.pending_sign_ins import PreviousSession
from bff_core.auth.session.session import (
    Session,
    owner_of,
    provider_session_of,
    provider_subject_of,
)
from bff_core.errors import ProviderUnavailable, StoreUnavailable
from bff_core.upstream.runtime import Spawn


class SessionReplacement:
    """Ends the sessions that a new one replaces, and revokes tokens that no active session shares.

    Certified providers revoke a whole grant: to revoke the tokens of the previous session when its
    user signs in again would end those of the new session as well.
    """

    def __init__(self, sessions: ActiveSessions, client: OIDCClient, spawn: Spawn) -> None:
        self._sessions = sessions
        self._client = client
        self._spawn = spawn

    async def previous(self, secret: str | None) -> PreviousSession | None:
        """Return the session of a browser when a sign-in begins; None without one."""
        try:
            stored = None if secret is None else await self._sessions.find(secret)
        except StoreUnavailable:  # the sign-in works without it
            return None
        if stored is None:
            return None
        return PreviousSession(
            owner_of(stored.session.subject, stored.session.tenant), stored.session.handle
        )

    async def replace(
        self,
        session: Session,
        *,
        secret: str | None,
        previous: PreviousSession | None,
        began: float,
    ) -> None:
        """End the sessions that a new one replaces; its sign-in began at a Unix time.

        1. The session that the browser had when the sign-in began (`previous`).
        2. The session of the cookie at its end (`secret`). If another tab of the browser has just
           begun that session, for the same user, the session ends after a grace period, since the
           page of that tab may still use it.
        3. Other sessions of the same session at the provider. Sessions that began since stay: their
           answers may still be in flight to the browser.
        """
        departed = await self._found(previous)
        presented = None if secret is None else await self._sessions.find(secret)
        ended = {
            stored.key: stored
            for stored in (*departed, *await self._same_provider_session(session, began))
        }
        if presented is not None and presented.key not in ended:
            if (
                session.shares_grant_with(presented.session)
                and presented.session.signed_in_at >= began
            ):
                self._spawn(self._end_later(presented))
            else:
                ended[presented.key] = presented
        await self._sessions.replace(list(ended.values()))
        self.revoke(*(stored.session for stored in ended.values()))

    def revoke(self, *ended: Session) -> None:
        """Revoke the tokens of ended sessions at the provider, in the background."""
        self._spawn(self._revoke(ended))

    async def _found(self, previous: PreviousSession | None) -> Iterable[StoredSession]:
        if previous is None:
            return ()
        found = await self._sessions.store.listed(previous.owner)
        return [stored for stored in found if stored.session.handle == previous.handle]

    async def _same_provider_session(
        self, session: Session, began: float
    ) -> Iterable[StoredSession]:
        if not session.provider_sid:
            return ()
        found = await self._sessions.store.listed(provider_session_of(session.provider_sid))
        return [
            stored
            for stored in found
            if stored.session.shares_grant_with(session)
            and stored.session.signed_in_at < began - GRACE_SECONDS
        ]

    async def _end_later(self, stored: StoredSession) -> None:
        await asyncio.sleep(GRACE_SECONDS)
        try:
            await self._sessions.replace([stored])
        except StoreUnavailable:
            return  # the session expires

    async def _revoke(self, ended: Iterable[Session]) -> None:
        for session in ended:
            tokens = session.tokens
            if tokens is None or not tokens.refresh:
                continue
            try:
                if not await self._is_shared(session):
                    await self._client.revoke(tokens.refresh)
            except (ProviderUnavailable, StoreUnavailable):
                continue  # the tokens expire, and are stored nowhere

    async def _is_shared(self, session: Session) -> bool:
        name = provider_subject_of(session.provider_subject)
        living = await self._sessions.store.listed(name)
        return any(session.shares_grant_with(stored.session) for stored in living)
