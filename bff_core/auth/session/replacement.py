"""What a new session of a browser ends: the sessions that it had before, and their tokens."""

import asyncio
from collections.abc import Iterable

from bff_core.auth.oidc.client import OIDCClient
from bff_core.auth.session.active import GRACE, Sessions
from bff_core.auth.session.pending_sign_ins import Former
from bff_core.auth.session.session import (
    Session,
    owner_of,
    provider_session_of,
    provider_subject_of,
)
from bff_core.auth.session.store import StoredSession
from bff_core.errors import ProviderUnavailable, StoreUnavailable
from bff_core.upstream.runtime import Spawn


class Succession:
    """Ends sessions for good, and revokes the tokens that no living session shares.

    Certified providers revoke a grant as a whole: if tokens of the session before were revoked when
    its user signs in again, those of the new session would end as well.
    """

    def __init__(self, sessions: Sessions, client: OIDCClient, spawn: Spawn) -> None:
        self._sessions = sessions
        self._client = client
        self._spawn = spawn

    async def former(self, secret: str | None) -> Former | None:
        """Return the session of a browser that leaves for the provider; None without one."""
        try:
            kept = None if secret is None else await self._sessions.find(secret)
        except StoreUnavailable:  # no reason to refuse a sign-in
            return None
        if kept is None:
            return None
        return Former(owner_of(kept.session.subject, kept.session.tenant), kept.session.handle)

    async def follow(
        self, session: Session, *, secret: str | None, former: Former | None, began: float
    ) -> None:
        """End what a browser had before a new session of it, whose sign-in began at a Unix time.

        1. The session that it left with (`former`), by whatever cookie it comes back.
        2. The session of the cookie that it came back with (`secret`). If another of its tabs has
           just begun that one, for the same user, the page there may still use it for a while.
        3. Other sessions of the same session at the provider, which is that of this browser. Those
           that began meanwhile are left: their answers may yet be under way to it.
        """
        left = await self._left_with(former)
        sent = None if secret is None else await self._sessions.find(secret)
        ended = {kept.key: kept for kept in (*left, *await self._siblings(session, began))}
        if sent is not None and sent.key not in ended:
            if session.shares_grant_with(sent.session) and sent.session.signed_in_at >= began:
                self._spawn(self._end_later(sent))
            else:
                ended[sent.key] = sent
        await self._sessions.replace(list(ended.values()))
        self.revoke(*(kept.session for kept in ended.values()))

    def revoke(self, *ended: Session) -> None:
        """Have the provider revoke the tokens of sessions that have ended, in the background."""
        self._spawn(self._revoke(ended))

    async def _left_with(self, former: Former | None) -> Iterable[StoredSession]:
        if former is None:
            return ()
        found = await self._sessions.store.listed(former.owner)
        return [kept for kept in found if kept.session.handle == former.handle]

    async def _siblings(self, session: Session, began: float) -> Iterable[StoredSession]:
        if not session.provider_sid:
            return ()
        found = await self._sessions.store.listed(provider_session_of(session.provider_sid))
        return [
            kept
            for kept in found
            if kept.session.shares_grant_with(session) and kept.session.signed_in_at < began - GRACE
        ]

    async def _end_later(self, kept: StoredSession) -> None:
        await asyncio.sleep(GRACE)
        try:
            await self._sessions.replace([kept])
        except StoreUnavailable:
            return  # it ends by itself

    async def _revoke(self, ended: Iterable[Session]) -> None:
        for session in ended:
            tokens = session.tokens
            if tokens is None or not tokens.refresh:
                continue
            try:
                if not await self._is_shared(session):
                    await self._client.revoke(tokens.refresh)
            except (ProviderUnavailable, StoreUnavailable):
                continue  # they end by themselves, and are stored nowhere

    async def _is_shared(self, session: Session) -> bool:
        name = provider_subject_of(session.provider_subject)
        living = await self._sessions.store.listed(name)
        return any(session.shares_grant_with(kept.session) for kept in living)
