"""What a session store has to do: find sessions by key, list them, and end them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bff_core.auth.session.session import Session

MAX_SESSIONS_PER_SUBJECT = 100
"""Sessions of one subject; one more ends the oldest."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session lives, in seconds: without a request, and in total."""

    idle: float
    absolute: float


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as a store returns it, with its key and the seconds that are left to it.

    It ends in `left` seconds at the latest, and in `idle_left` seconds without a request.
    """

    key: str
    session: Session
    left: float
    idle_left: float


@dataclass(frozen=True, slots=True)
class LiveSessions:
    """Sessions that have not ended, for operators; `count` is None if not all were counted."""

    sessions: Sequence[StoredSession]
    count: int | None


class SessionStore(Protocol):
    """Stores sessions of a gateway.

    Every method but `is_shared` may raise `StoreUnavailable`. The state of a session is unknown
    then, and must not count as signed out.
    """

    @property
    def is_shared(self) -> bool:
        """Whether other processes may change the stored sessions."""
        ...

    async def add(self, key: str, session: Session, lifetimes: Lifetimes, /) -> None:
        """Store a new session."""
        ...

    async def get(self, key: str, /) -> StoredSession | None:
        """Return a session by its key, or by the key that it had before; None without one."""
        ...

    async def replace(self, stored: StoredSession, session: Session, /) -> bool:
        """Store a changed session, unless its tokens were replaced since; its lifetime stays."""
        ...

    async def touch(self, key: str, idle: float, /) -> None:
        """Extend the life of a session to `idle` seconds from now, within its total lifetime."""
        ...

    async def move(self, key: str, to: str, grace: float, /) -> bool:
        """Give a session another key; the old key finds it for `grace` seconds more."""
        ...

    async def remove(self, keys: Sequence[str], /) -> int:
        """End sessions; return how many were stored."""
        ...

    async def listed(self, name: str, /) -> Sequence[StoredSession]:
        """Return the sessions that have a name in their `indexes_of`, newest first."""
        ...

    async def live(self, limit: int, /) -> LiveSessions:
        """Return up to `limit` sessions of any subject, and how many there are."""
        ...

    async def end_listed(self, name: str, note: str, seconds: float, /) -> Sequence[str] | None:
        """End all sessions of a list and store `note` for some seconds, both or neither.

        Returns the keys of the sessions; None if the note is stored already.
        """
        ...

    async def lease(self, name: str, holder: str, seconds: float, /) -> bool:
        """Acquire a lease for some seconds; return False while another holder has it."""
        ...

    async def release(self, name: str, holder: str, /) -> None:
        """Release a lease, if the holder still has it."""
        ...

    async def add_note(self, name: str, seconds: float, /) -> bool:
        """Store a note for some seconds; return whether it is new."""
        ...

    async def has_note(self, name: str, /) -> bool:
        """Return whether a note is stored."""
        ...


def newest_first(found: Iterable[StoredSession]) -> list[StoredSession]:
    """Return sessions sorted by sign-in, the newest first."""
    return sorted(found, key=lambda stored: stored.session.signed_in_at, reverse=True)
