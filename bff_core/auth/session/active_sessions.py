"""How a gateway finds, renews and ends the session of a cookie."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cachetools import FIFOCache

from bff_core.auth.session.interface import Lifetimes, SessionStore, StoredSession
from bff_core.auth.session.session import Session, key_of, new_secret, owner_of
from bff_core.clock import Clock
from bff_core.errors import StoreUnavailable
from bff_core.events import Events, SessionChanged
from bff_core.events.process import Change
from bff_core.upstream.runtime import Spawn

RECHECK_SECONDS: Final = 1.0
"""Seconds after which a session is read from a shared store again; another process may end it."""

MAX_CACHED_SESSIONS: Final = 10_000
"""Sessions of a shared store that one process caches."""

MAX_UNCONFIRMED_LOGOUTS: Final = 1_000
"""Logout tokens that one process remembers because the store failed while it handled them."""

GRACE_SECONDS: Final = 10.0
"""Seconds for which a session is found by its previous cookie."""

TOUCH_SHARE: Final = 0.1
"""The share of its idle time after which a request extends the life of a session."""


@dataclass(frozen=True, slots=True)
class _CachedSession:
    stored: StoredSession
    read_at: float


class ActiveSessions:
    """Finds, begins, rotates and ends sessions.

    Sessions of a shared store are cached for a second, so that most requests need no round trip.
    A change that this process makes takes effect in it at once.
    """

    def __init__(
        self,
        store: SessionStore,
        lifetimes: Lifetimes,
        *,
        clock: Clock,
        spawn: Spawn,
        events: Events,
    ) -> None:
        self.store = store
        self.lifetimes = lifetimes
        self._clock = clock
        self._spawn = spawn
        self._events = events
        self._cached: FIFOCache[str, _CachedSession] = FIFOCache(MAX_CACHED_SESSIONS)
        self._unconfirmed: FIFOCache[str, None] = FIFOCache(MAX_UNCONFIRMED_LOGOUTS)
        self._logout = asyncio.Lock()

    async def find(self, secret: str) -> StoredSession | None:
        """Return the session of a cookie; None if it has ended or never was."""
        key = key_of(secret)
        cached, now = self._cached.get(key), self._clock()
        if cached is not None and now - cached.read_at < RECHECK_SECONDS:
            return cached.stored
        stored = await self.store.get(key)
        if stored is None:
            self._cached.pop(key, None)
            return None
        self._cache(stored, now)
        idle = min(self.lifetimes.idle, stored.left)
        if idle - stored.idle_left > idle * TOUCH_SHARE:
            touching = self._touch(stored.key)
            if self.store.is_shared:  # no request waits for that
                self._spawn(touching)
            else:
                await touching
        return stored

    async def is_active(self, secret: str) -> bool:
        """Return whether a cookie has a session, or had one until a moment ago.

        To ask this is no use of the session, which would prolong it.
        """
        return await self.store.get(key_of(secret)) is not None or await self.was_replaced(secret)

    async def begin(self, session: Session) -> str:
        """Store a new session; return the value of its cookie."""
        secret = new_secret()
        await self.store.add(key_of(secret), session, self.lifetimes)
        self._emit("begun")
        return secret

    async def rotate(self, stored: StoredSession) -> str | None:
        """Give a session a new cookie and return its value; None if the session has ended."""
        secret = new_secret()
        if not await self.store.move(stored.key, key_of(secret), GRACE_SECONDS):
            return None
        self._cached.pop(stored.key, None)
        return secret

    async def end(self, ended: Iterable[StoredSession], change: Change) -> int:
        """End sessions; return how many were stored."""
        keys = [stored.key for stored in ended]
        for key in keys:
            self._cached.pop(key, None)
        count = await self.store.remove(keys)
        for _ in range(count):
            self._emit(change)
        return count

    async def replace(self, ended: Sequence[StoredSession]) -> None:
        """End sessions whose browser has a new one."""
        for stored in ended:
            await self.store.add_note(f"replaced {stored.key}", GRACE_SECONDS)
        await self.end(ended, "signed_out")

    async def was_replaced(self, secret: str) -> bool:
        """Return whether the browser that sends this cookie has just received a new one.

        The request was in flight then: clearing its cookie would clear the new one.
        """
        return await self.store.has_note(f"replaced {key_of(secret)}")

    async def end_listed(self, name: str, logout_id: str, seconds: float) -> bool:
        """End the sessions of a list; return False where `logout_id` was used before.

        If the store fails meanwhile, the caller may repeat the same `logout_id`: all sessions of
        the list have ended, or none.
        """
        try:
            async with self._logout:  # providers repeat a logout at once, and it is two commands
                ended = await self.store.end_listed(name, logout_id, seconds)
        except StoreUnavailable:
            self._unconfirmed[logout_id] = None
            raise
        for key in ended or ():
            self._cached.pop(key, None)
            self._emit("ended_elsewhere")
        is_repeated = logout_id in self._unconfirmed
        self._unconfirmed.pop(logout_id, None)
        return ended is not None or is_repeated

    async def of(self, subject: str, tenant: str = "") -> Sequence[StoredSession]:
        """Return the sessions of a subject, newest first."""
        return await self.store.listed(owner_of(subject, tenant))

    def changed(self, key: str, stored: StoredSession | None) -> None:
        """Update the cache after a token refresh; `stored` is None if the session has ended."""
        if stored is None:
            self._cached.pop(key, None)
        else:
            self._cache(stored, self._clock())

    def _cache(self, stored: StoredSession, now: float) -> None:
        if not self.store.is_shared:
            return
        self._cached[stored.key] = _CachedSession(stored, now)

    async def _touch(self, key: str) -> None:
        try:
            await self.store.touch(key, self.lifetimes.idle)
        except StoreUnavailable:
            return  # a later request will

    def _emit(self, change: Change) -> None:
        if self._events.sinks:
            self._events.emit(SessionChanged(change))
