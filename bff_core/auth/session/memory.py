"""A session store in the memory of one process; sessions are lost when it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cachetools import FIFOCache

from bff_core.auth.session.interface import (
    MAX_SESSIONS_PER_SUBJECT,
    Lifetimes,
    LiveSessions,
    StoredSession,
    newest_first,
)
from bff_core.auth.session.session import Session, indexes_of
from bff_core.clock import Clock

MAX_SESSIONS: Final = 100_000
"""Sessions of one process; one more ends the least recently used."""

MAX_NAMES: Final = 100_000
"""Leases, notes and previous keys that are stored at a time."""


@dataclass(slots=True)
class _Entry:
    session: Session
    idle_until: float
    until: float


class _ExpiringNames(FIFOCache[str, tuple[str, float]]):
    """Names with a value and an expiry; the oldest are evicted if there are too many."""

    def find(self, name: str, now: float) -> str | None:
        value, until = self.get(name, ("", now))
        return value if now < until else None


class MemorySessionStore:
    """Stores sessions in memory; it implements `SessionStore`."""

    is_shared = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: FIFOCache[str, _Entry] = FIFOCache(MAX_SESSIONS)
        self._index: dict[str, dict[str, None]] = {}
        self._moved = _ExpiringNames(MAX_NAMES)
        self._leases = _ExpiringNames(MAX_NAMES)
        self._notes = _ExpiringNames(MAX_NAMES)

    async def add(self, key: str, session: Session, lifetimes: Lifetimes) -> None:
        """Store a new session."""
        now = self._clock()
        until = now + lifetimes.absolute
        self._put(key, _Entry(session, min(now + lifetimes.idle, until), until))
        for old in (await self.listed(indexes_of(session)[0]))[MAX_SESSIONS_PER_SUBJECT:]:
            self._drop(old.key)

    async def get(self, key: str) -> StoredSession | None:
        """Return a session by its key, or by the key that it had before."""
        return self._find(self._moved.find(key, self._clock()) or key)

    async def replace(self, stored: StoredSession, session: Session) -> bool:
        """Store a changed session, unless its tokens were replaced since."""
        entry = self._live_entry(stored.key)
        if entry is None or entry.session.tokens != stored.session.tokens:
            return False
        entry.session = session
        return True

    async def touch(self, key: str, idle: float) -> None:
        """Extend the life of a session by its idle time."""
        entry = self._live_entry(key)
        if entry is not None:
            entry.idle_until = min(self._clock() + idle, entry.until)
            self._entries[key] = entry

    async def move(self, key: str, to: str, grace: float) -> bool:
        """Give a session another key."""
        entry = self._live_entry(key)
        if entry is None:
            return False
        self._drop(key)
        self._put(to, entry)
        self._moved[key] = to, self._clock() + grace
        return True

    async def remove(self, keys: Sequence[str]) -> int:
        """End sessions."""
        return sum(self._drop(key) for key in keys)

    async def listed(self, name: str) -> Sequence[StoredSession]:
        """Return the sessions of a list, newest first."""
        found = [self._find(key) for key in list(self._index.get(name, ()))]
        return newest_first(stored for stored in found if stored is not None)

    async def live(self, limit: int) -> LiveSessions:
        """Return the sessions that were stored last, and how many there are."""
        now = self._clock()
        alive = [key for key, entry in self._entries.items() if now < entry.idle_until]
        found = [self._find(key) for key in alive[-limit:]]
        return LiveSessions(newest_first(one for one in found if one is not None), len(alive))

    async def end_listed(self, name: str, note: str, seconds: float) -> Sequence[str] | None:
        """End all sessions of a list, once for each `note`."""
        if not await self.add_note(note, seconds):
            return None
        keys = [stored.key for stored in await self.listed(name)]
        await self.remove(keys)
        return keys

    async def lease(self, name: str, holder: str, seconds: float) -> bool:
        """Acquire a lease, which one holder at a time may have."""
        now = self._clock()
        if self._leases.find(name, now) not in {None, holder}:
            return False
        self._leases[name] = holder, now + seconds
        return True

    async def release(self, name: str, holder: str) -> None:
        """Release a lease that the holder still has."""
        if self._leases.find(name, self._clock()) == holder:
            del self._leases[name]

    async def add_note(self, name: str, seconds: float) -> bool:
        """Store a note for some seconds; return whether it is new."""
        now = self._clock()
        if self._notes.find(name, now) is not None:
            return False
        self._notes[name] = "noted", now + seconds
        return True

    async def has_note(self, name: str) -> bool:
        """Return whether a note is stored."""
        return self._notes.find(name, self._clock()) is not None

    def _find(self, key: str) -> StoredSession | None:
        entry, now = self._live_entry(key), self._clock()
        if entry is None:
            return None
        return StoredSession(key, entry.session, entry.until - now, entry.idle_until - now)

    def _live_entry(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is not None and self._clock() >= entry.idle_until:
            self._drop(key)
            return None
        return entry

    def _put(self, key: str, entry: _Entry) -> None:
        if len(self._entries) >= MAX_SESSIONS:
            self._unlink(*self._entries.popitem())
        self._entries[key] = entry
        for name in indexes_of(entry.session):
            self._index.setdefault(name, {})[key] = None

    def _drop(self, key: str) -> bool:
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        self._unlink(key, entry)
        return True

    def _unlink(self, key: str, entry: _Entry) -> None:
        for name in indexes_of(entry.session):
            keys = self._index[name]
            del keys[key]
            if not keys:
                del self._index[name]
