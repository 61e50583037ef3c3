"""How the tokens of a session are refreshed: once at a time over all requests and processes.

Providers that rotate refresh tokens treat a second use of one as theft, and revoke the grant. So a
refresh takes a lease, reads the stored session again, and stores the new tokens before it releases
the lease.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, NoReturn

from bff_core.auth.oidc.client import OIDCClient
from bff_core.auth.session.interface import SessionStore, StoredSession
from bff_core.auth.session.session import Session, SessionTokens, new_secret
from bff_core.clock import Clock
from bff_core.errors import (
    BFFError,
    GrantRefused,
    NotAuthenticated,
    ProviderUnavailable,
    StoreUnavailable,
)
from bff_core.events import Events, SessionChanged
from bff_core.events.process import Change
from bff_core.oauth.tokens import Grant
from bff_core.upstream.runtime import Spawn

LEASE_SECONDS: Final = 30.0
"""Seconds after which the lease of a lost process expires."""

POLL_SECONDS: Final = 0.05
"""Seconds between two reads of the session while another process holds the lease."""

MAX_WRITE_ATTEMPTS: Final = 30
"""Attempts to store new tokens, `POLL_SECONDS` and then ever longer apart."""

EARLY_SECONDS: Final = 30.0
"""Seconds before its expiry at which a token is refreshed in the background."""

EARLY_SHARE: Final = 0.2
"""The share of a token's lifetime that limits `EARLY_SECONDS`."""

NEW_SECONDS: Final = 30.0
"""Age in seconds below which a token is not refreshed because a service refused it."""

MARGIN_SECONDS: Final = 5.0
"""Seconds before its expiry from which a token counts as expired."""

MARGIN_SHARE: Final = 0.1
"""The share of a token's lifetime that limits `MARGIN_SECONDS`, so that a new token is usable."""


class NotSignedIn(NotAuthenticated):
    """The browser has no session; `login` is the path at which to sign in."""

    def __init__(self, login: str = "", message: str = "Sign in.") -> None:
        super().__init__(message)
        self._login = login

    @property
    def members(self) -> dict[str, object]:
        """The path at which to sign in."""
        return {"login": self._login} if self._login else {}


class SessionEnded(NotSignedIn):
    """The session of a cookie has ended; `login` is the path at which to sign in again."""

    code = "session_ended"
    title = "The session has ended"
    reason = "session_ended"

    def __init__(self, login: str = "") -> None:
        super().__init__(login, "Sign in again.")


class TokenRefresher:
    """Refreshes tokens, once at a time for each session.

    It calls `changed` with each session that has new tokens, and with None for one that has ended.
    It calls `revoke` for a session that ended while its tokens were fetched.
    """

    def __init__(
        self,
        store: SessionStore,
        client: OIDCClient,
        *,
        spawn: Spawn,
        clock: Clock,
        wall: Clock = time.time,
        events: Events,
        changed: Callable[[str, StoredSession | None], None],
        revoke: Callable[[Session], None],
        login: str = "",
    ) -> None:
        self._store = store
        self._client = client
        self._spawn = spawn
        self._clock = clock
        self._wall = wall
        self._events = events
        self._changed = changed
        self._revoke = revoke
        self._login = login
        self._refreshes: dict[str, asyncio.Future[StoredSession]] = {}

    def is_due(self, session: Session) -> bool:
        """Return whether to refresh the tokens in the background, before they expire."""
        tokens = session.tokens
        if tokens is None or not tokens.refresh:
            return False
        margin = min(EARLY_SECONDS, EARLY_SHARE * tokens.lifetime)
        return tokens.expires_at < self._wall() + margin

    def has_expired(self, session: Session) -> bool:
        """Return whether the access token has expired, or is about to."""
        tokens = session.tokens
        if tokens is None:
            return False
        margin = min(MARGIN_SECONDS, MARGIN_SHARE * tokens.lifetime)
        return tokens.expires_at < self._wall() + margin

    def is_new(self, session: Session) -> bool:
        """Return whether the tokens were just issued: a service that refuses them refuses all."""
        return session.tokens is not None and session.tokens.given_at > self._wall() - NEW_SECONDS

    def begin(self, stored: StoredSession) -> "asyncio.Future[StoredSession]":
        """Return the refresh of a session that is in flight, or begin one."""
        future = self._refreshes.get(stored.key)
        if future is None:
            future = self._refreshes[stored.key] = asyncio.get_running_loop().create_future()
            future.add_done_callback(_retrieve_error)
            self._spawn(self._run(stored, future))
        return future

    async def refreshed(self, stored: StoredSession) -> StoredSession:
        """Return the session with newer tokens.

        Raises `SessionEnded` if the provider refuses, `ProviderUnavailable` or `StoreUnavailable`
        if the provider or the store fails; the session stays active then.
        """
        return await asyncio.shield(self.begin(stored))

    async def _run(self, stored: StoredSession, future: "asyncio.Future[StoredSession]") -> None:
        holder = new_secret()
        failure: BaseException = ProviderUnavailable("the gateway is closing")
        try:
            found = await self._wait_for_lease(stored, holder)
            if not _is_newer(found, stored):
                found = await self._refresh(found, future)
            _set_result(future, found)
        except BFFError as error:
            failure = error
        finally:
            del self._refreshes[stored.key]
            if not future.done():
                future.set_exception(failure)
            await self._release(stored.key, holder)

    async def _wait_for_lease(self, stored: StoredSession, holder: str) -> StoredSession:
        """Return the stored session once another process has refreshed it, or the lease is ours."""
        until, has_lease = self._clock() + LEASE_SECONDS, False
        while True:
            found = await self._store.get(stored.key)
            if found is None:
                self._end(stored, "gone")
            if has_lease or _is_newer(found, stored):  # read again after the lease
                self._changed(stored.key, found)
                return found
            has_lease = await self._store.lease(stored.key, holder, LEASE_SECONDS)
            if not has_lease:
                if self._clock() > until:
                    raise ProviderUnavailable("another process has been refreshing for too long")
                await asyncio.sleep(POLL_SECONDS)

    async def _refresh(
        self, stored: StoredSession, future: "asyncio.Future[StoredSession]"
    ) -> StoredSession:
        tokens = stored.session.tokens
        if tokens is None or not tokens.refresh:
            await self._store.remove([stored.key])
            self._end(stored, "expired")
        try:
            grant = await self._client.refresh(tokens.refresh, self._claims_of(stored.session))
        except GrantRefused:
            await self._store.remove([stored.key])
            self._end(stored, "refused")
        session = replace(
            stored.session,
            tokens=tokens_of(grant, self._wall(), before=tokens),
            scopes=stored.session.scopes if grant.scope is None else grant.scope,
        )
        found = StoredSession(stored.key, session, stored.left, stored.idle_left)
        self._changed(stored.key, found)
        _set_result(future, found)  # requests don't wait for the store
        await self._write(stored, found)
        return found

    def _claims_of(self, session: Session) -> Mapping[str, str]:
        """Return the claims that the ID token of a refresh has to have: those of the user."""
        sign_in = self._client.sign_in
        claims = {sign_in.subject: session.subject, "sub": session.provider_subject}
        return claims | ({sign_in.tenant: session.tenant} if sign_in.tenant else {})

    async def _write(self, stored: StoredSession, found: StoredSession) -> None:
        """Store new tokens; retry, since the old ones are not valid any more."""
        for attempt in range(MAX_WRITE_ATTEMPTS):
            try:
                if await self._store.replace(stored, found.session):
                    self._emit("refreshed")
                    return
                # The session has another key since, or has ended.
                moved = await self._store.get(stored.key)
            except StoreUnavailable:
                await asyncio.sleep(POLL_SECONDS * min(attempt + 1, 20))
                continue
            if moved is None:  # signed out meanwhile: the new tokens are revoked
                self._drop(found)
                return
            if moved.key == stored.key:
                break
            stored = moved
        self._emit("lost")

    def _drop(self, found: StoredSession) -> None:
        self._changed(found.key, None)
        self._emit("gone")
        self._revoke(found.session)

    async def _release(self, key: str, holder: str) -> None:
        try:
            await self._store.release(key, holder)
        except StoreUnavailable:
            return  # the lease expires

    def _end(self, stored: StoredSession, change: Change) -> NoReturn:
        self._changed(stored.key, None)
        self._emit(change)
        raise SessionEnded(self._login)

    def _emit(self, change: Change) -> None:
        if self._events.sinks:
            self._events.emit(SessionChanged(change))


def tokens_of(grant: Grant, wall: float, before: SessionTokens | None = None) -> SessionTokens:
    """Return the tokens of a grant as a session stores them."""
    refresh = grant.refresh or ("" if before is None else before.refresh)
    generation = 0 if before is None else before.generation + 1
    return SessionTokens(grant.access, refresh, wall, wall + grant.expires_in, generation)


def _is_newer(found: StoredSession, stored: StoredSession) -> bool:
    new, old = found.session.tokens, stored.session.tokens
    return new is not None and old is not None and new.follows(old)


def _set_result(future: "asyncio.Future[StoredSession]", found: StoredSession) -> None:
    if not future.done():
        future.set_result(found)


def _retrieve_error(future: "asyncio.Future[StoredSession]") -> None:
    """Retrieve the error of a background refresh, so that asyncio does not log it as unhandled."""
    if not future.cancelled():
        future.exception()
