"""Sessions of a single process, in its memory; gone when it ends."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bff_core.auth.session.session import Session, indexes_of
from bff_core.auth.session.store import MOST_PER_SUBJECT, Lifetimes, StoredSession, newest_first
from bff_core.clock import Clock

MOST: Final = 100_000
"""Sessions that are kept; one more ends the one that was used longest ago."""

MOST_NAMES: Final = 100_000
"""Leases, notes and former keys that are known at a time."""


@dataclass(slots=True)
class _Entry:
    session: Session
    idle_until: float
    until: float


class _Names(OrderedDict[str, tuple[str, float]]):
    """What stands for a while; of too many the oldest go."""

    def find(self, name: str, now: float) -> str | None:
        value, until = self.get(name, ("", now))
        return value if now < until else None

    def put(self, name: str, value: str, until: float) -> None:
        self.pop(name, None)
        self[name] = value, until
        if len(self) > MOST_NAMES:
            self.popitem(last=False)


class MemorySessionStore:
    """Keeps sessions while the process runs."""

    is_shared = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._index: dict[str, dict[str, None]] = {}
        self._moved = _Names()
        self._leases = _Names()
        self._noted = _Names()

    async def add(self, key: str, session: Session, lifetimes: Lifetimes) -> None:
        """Keep a new session."""
        now = self._clock()
        until = now + lifetimes.absolute
        self._put(key, _Entry(session, min(now + lifetimes.idle, until), until))
        for old in (await self.listed(indexes_of(session)[0]))[MOST_PER_SUBJECT:]:
            self._drop(old.key)
        if len(self._entries) > MOST:
            self._drop(next(iter(self._entries)))

    async def get(self, key: str) -> StoredSession | None:
        """Return a session, by its key or one that it had a moment ago."""
        return self._kept(self._moved.find(key, self._clock()) or key)

    async def replace(self, kept: StoredSession, session: Session) -> bool:
        """Keep a changed session, unless its tokens were changed since."""
        entry = self._alive(kept.key)
        if entry is None or entry.session.tokens != kept.session.tokens:
            return False
        entry.session = session
        return True

    async def touch(self, key: str, idle: float) -> None:
        """Let it live for longer."""
        entry = self._alive(key)
        if entry is not None:
            entry.idle_until = min(self._clock() + idle, entry.until)
            self._entries.move_to_end(key)

    async def move(self, key: str, to: str, grace: float) -> bool:
        """Give a session another key."""
        entry = self._alive(key)
        if entry is None:
            return False
        self._drop(key)
        self._put(to, entry)
        self._moved.put(key, to, self._clock() + grace)
        return True

    async def remove(self, keys: Sequence[str]) -> int:
        """End sessions."""
        return sum(self._drop(key) for key in keys)

    async def listed(self, name: str) -> Sequence[StoredSession]:
        """Return the sessions that are listed under a name, newest first."""
        found = [self._kept(key) for key in list(self._index.get(name, ()))]
        return newest_first(kept for kept in found if kept is not None)

    async def end_listed(self, name: str, word: str, seconds: float) -> Sequence[str] | None:
        """End all sessions that are listed under a name, once for each `word`."""
        if not await self.note(word, seconds):
            return None
        keys = [kept.key for kept in await self.listed(name)]
        await self.remove(keys)
        return keys

    async def lease(self, name: str, holder: str, seconds: float) -> bool:
        """Take something that one at a time may have."""
        now = self._clock()
        if self._leases.find(name, now) not in {None, holder}:
            return False
        self._leases.put(name, holder, now + seconds)
        return True

    async def release(self, name: str, holder: str) -> None:
        """Give it back."""
        if self._leases.find(name, self._clock()) == holder:
            del self._leases[name]

    async def note(self, name: str, seconds: float) -> bool:
        """Remember a name for a while; whether it is heard for the first time."""
        now = self._clock()
        if self._noted.find(name, now) is not None:
            return False
        self._noted.put(name, "noted", now + seconds)
        return True

    async def noted(self, name: str) -> bool:
        """Return whether a name is remembered."""
        return self._noted.find(name, self._clock()) is not None

    def _kept(self, key: str) -> StoredSession | None:
        entry, now = self._alive(key), self._clock()
        if entry is None:
            return None
        return StoredSession(key, entry.session, entry.until - now, entry.idle_until - now)

    def _alive(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is not None and self._clock() >= entry.idle_until:
            self._drop(key)
            return None
        return entry

    def _put(self, key: str, entry: _Entry) -> None:
        self._entries[key] = entry
        for name in indexes_of(entry.session):
            self._index.setdefault(name, {})[key] = None

    def _drop(self, key: str) -> bool:
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        for name in indexes_of(entry.session):
            keys = self._index[name]
            del keys[key]
            if not keys:
                del self._index[name]
        return True
