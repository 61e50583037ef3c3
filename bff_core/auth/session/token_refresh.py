"""Refreshes the tokens of sessions: once for all who need it, in whatever process they are.

Providers that rotate refresh tokens take a second use of one for theft, and end everything. So the
stored session is read again before its token is used, one process at a time holds the lease, and
what the provider gave is written down before anybody else may try.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from bff_core.auth.oidc.client import OIDCClient
from bff_core.auth.session.session import Session, Tokens, new_secret
from bff_core.auth.session.store import SessionStore, StoredSession
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

LEASE: Final = 30.0
"""Seconds after which a lease is free again, whose holder was lost."""

LOOK: Final = 0.05
"""Seconds between two looks whether the process that holds the lease has new tokens."""

WRITES: Final = 30
"""Tries to write new tokens down, `LOOK` and then ever longer apart, before they are given up."""

EARLY: Final = 30.0
"""Seconds before its end at which a token is refreshed behind the request that has it."""

EARLY_SHARE: Final = 0.2
"""The part of its lifetime that `EARLY` is at most."""

NEW: Final = 30.0
"""Seconds for which a token is not replaced because a service refused it."""

MARGIN: Final = 5.0
"""Seconds before its end at which a token is not used any more."""

MARGIN_SHARE: Final = 0.1
"""The part of its lifetime that `MARGIN` is at most: a new token can always be used."""


class NotSignedIn(NotAuthenticated):
    """The browser has no session; `login` is where to sign in."""

    def __init__(self, login: str = "", message: str = "Sign in.") -> None:
        super().__init__(message)
        self._login = login

    @property
    def members(self) -> dict[str, object]:
        """Where to sign in."""
        return {"login": self._login} if self._login else {}


class SessionEnded(NotSignedIn):
    """The session that a cookie stood for is over; `login` is where to sign in anew."""

    code = "session_ended"
    title = "The session has ended"
    reason = "session_ended"

    def __init__(self, login: str = "") -> None:
        super().__init__(login, "Sign in again.")


class Refresher:
    """One refresh at a time for a session, however many requests of it are under way.

    `changed` is told of each session that has new tokens, or has ended (None). `revoke` revokes the
    tokens of a session that ended while they were fetched.
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
        self._flights: dict[str, asyncio.Future[StoredSession]] = {}

    def is_due(self, session: Session) -> bool:
        """Whether it is time to refresh, though the token may be used for a while."""
        tokens = session.tokens
        if tokens is None or not tokens.refresh:
            return False
        margin = min(EARLY, EARLY_SHARE * tokens.lifetime)
        return tokens.expires_at < self._wall() + margin

    def has_expired(self, session: Session) -> bool:
        """Whether the access token can't be used any more."""
        tokens = session.tokens
        if tokens is None:
            return False
        margin = min(MARGIN, MARGIN_SHARE * tokens.lifetime)
        return tokens.expires_at < self._wall() + margin

    def is_new(self, session: Session) -> bool:
        """Whether the tokens were given just now: whoever refuses them refuses all."""
        return session.tokens is not None and session.tokens.given_at > self._wall() - NEW

    def begin(self, kept: StoredSession) -> "asyncio.Future[StoredSession]":
        """Return the refresh of a session that is under way, or begin one."""
        flight = self._flights.get(kept.key)
        if flight is None:
            flight = self._flights[kept.key] = asyncio.get_running_loop().create_future()
            flight.add_done_callback(_looked_at)
            self._spawn(self._fly(kept, flight))
        return flight

    async def refreshed(self, kept: StoredSession) -> StoredSession:
        """Return the session with tokens that follow those it has.

        Raises `SessionEnded` where the provider refuses, `ProviderUnavailable` or
        `StoreUnavailable` where it or the store can't be asked: the session then lives on.
        """
        return await asyncio.shield(self.begin(kept))

    async def _fly(self, kept: StoredSession, flight: "asyncio.Future[StoredSession]") -> None:
        holder = new_secret()
        failure: BaseException = ProviderUnavailable("the gateway is closing")
        try:
            found = await self._turn(kept, holder)
            if not _follows(found, kept):
                found = await self._ask(found, flight)
            _land(flight, found)
        except BFFError as error:
            failure = error
        finally:
            del self._flights[kept.key]
            if not flight.done():
                flight.set_exception(failure)
            await self._give_back(kept.key, holder)

    async def _turn(self, kept: StoredSession, holder: str) -> StoredSession:
        """Return the session as it is stored: refreshed by somebody else, or ours to refresh."""
        until, is_ours = self._clock() + LEASE, False
        while True:
            found = await self._store.get(kept.key)
            if found is None:
                self._end(kept, "gone")
            if is_ours or _follows(found, kept):  # what the last holder wrote was read again
                self._changed(kept.key, found)
                return found
            is_ours = await self._store.lease(kept.key, holder, LEASE)
            if not is_ours:
                if self._clock() > until:
                    raise ProviderUnavailable("another process has been refreshing for too long")
                await asyncio.sleep(LOOK)

    async def _ask(
        self, kept: StoredSession, flight: "asyncio.Future[StoredSession]"
    ) -> StoredSession:
        tokens = kept.session.tokens
        if tokens is None or not tokens.refresh:
            await self._store.remove([kept.key])
            self._end(kept, "expired")
        try:
            grant = await self._client.refresh(tokens.refresh, self._identity(kept.session))
        except GrantRefused:
            await self._store.remove([kept.key])
            self._end(kept, "refused")
        fresh = tokens_of(grant, self._wall(), before=tokens)
        session = kept.session.with_tokens(fresh)
        if grant.scope is not None:
            session = session.with_scopes(grant.scope)
        found = StoredSession(kept.key, session, kept.left, kept.idle_left)
        self._changed(kept.key, found)
        _land(flight, found)  # nobody waits for the store
        await self._write(kept, found)
        return found

    def _identity(self, session: Session) -> Mapping[str, str]:
        """Return the claims by which an ID token names the user of a session."""
        sign_in = self._client.sign_in
        claims = {sign_in.subject: session.subject, "sub": session.provider_subject}
        return claims | ({sign_in.tenant: session.tenant} if sign_in.tenant else {})

    async def _write(self, kept: StoredSession, found: StoredSession) -> None:
        """Write new tokens down; the old ones are of no use to anybody any more."""
        for attempt in range(WRITES):
            try:
                if await self._store.replace(kept, found.session):
                    self._tell("refreshed")
                    return
                # It has another cookie since, or has ended.
                moved = await self._store.get(kept.key)
            except StoreUnavailable:
                await asyncio.sleep(LOOK * min(attempt + 1, 20))
                continue
            if moved is None:  # signed out meanwhile: nobody shall have what was given
                self._forget(found)
                return
            if moved.key == kept.key:
                break
            kept = moved
        self._tell("lost")

    def _forget(self, found: StoredSession) -> None:
        self._changed(found.key, None)
        self._tell("gone")
        self._revoke(found.session)

    async def _give_back(self, key: str, holder: str) -> None:
        try:
            await self._store.release(key, holder)
        except StoreUnavailable:
            return  # it ends by itself

    def _end(self, kept: StoredSession, why: Change) -> NoReturn:
        self._changed(kept.key, None)
        self._tell(why)
        raise SessionEnded(self._login)

    def _tell(self, what: Change) -> None:
        if self._events.sinks:
            self._events.emit(SessionChanged(what))


def tokens_of(grant: Grant, wall: float, before: Tokens | None = None) -> Tokens:
    """Return what a session keeps of a grant."""
    refresh = grant.refresh or ("" if before is None else before.refresh)
    generation = 0 if before is None else before.generation + 1
    return Tokens(grant.access, refresh, wall, wall + grant.expires_in, generation)


def _follows(found: StoredSession, kept: StoredSession) -> bool:
    theirs, ours = found.session.tokens, kept.session.tokens
    return theirs is not None and ours is not None and theirs.follows(ours)


def _land(flight: "asyncio.Future[StoredSession]", found: StoredSession) -> None:
    if not flight.done():
        flight.set_result(found)


def _looked_at(flight: "asyncio.Future[StoredSession]") -> None:
    """Take note of an error that nobody waited for: a refresh that was begun early."""
    if not flight.cancelled():
        flight.exception()
