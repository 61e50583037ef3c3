"""What keeps sessions: found by key, listed by owner, ended from anywhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bff_core.auth.session.session import Session

MOST_PER_SUBJECT = 100
"""Sessions that one person may have; one more ends the oldest."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """For how long a session is kept, in seconds: without a request, and at all."""

    idle: float
    absolute: float


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session in a store: `left` seconds from now it ends, whatever is done with it."""

    key: str
    session: Session
    left: float
    idle_left: float


class SessionStore(Protocol):
    """Keeps sessions for all processes of a gateway.

    Every method but `is_shared` may raise `StoreUnavailable`: nothing is known then, and nobody is
    taken for signed out.
    """

    @property
    def is_shared(self) -> bool:
        """Whether other processes may change what is kept."""
        ...

    async def add(self, key: str, session: Session, lifetimes: Lifetimes, /) -> None:
        """Keep a new session."""
        ...

    async def get(self, key: str, /) -> StoredSession | None:
        """Return a session, by its key or one that it had a moment ago."""
        ...

    async def replace(self, kept: StoredSession, session: Session, /) -> bool:
        """Keep a changed session, unless its tokens were changed since; its lifetime stays."""
        ...

    async def touch(self, key: str, idle: float, /) -> None:
        """Let it live for `idle` seconds from now, within its absolute lifetime."""
        ...

    async def move(self, key: str, to: str, grace: float, /) -> bool:
        """Give a session another key; the old one finds it for `grace` seconds more."""
        ...

    async def remove(self, keys: Sequence[str], /) -> int:
        """End sessions; return how many there were."""
        ...

    async def listed(self, name: str, /) -> Sequence[StoredSession]:
        """Return the sessions that have a name in their `indexes_of`, newest first."""
        ...

    async def end_listed(self, name: str, word: str, seconds: float, /) -> Sequence[str] | None:
        """End all sessions that are listed under a name, and remember `word` for some seconds.

        Both happen, or neither. Returns the keys of the sessions; None where `word` is remembered.
        """
        ...

    async def lease(self, name: str, holder: str, seconds: float, /) -> bool:
        """Take something for a while that one at a time may have; whether it is ours now."""
        ...

    async def release(self, name: str, holder: str, /) -> None:
        """Give it back, if it is still ours."""
        ...

    async def note(self, name: str, seconds: float, /) -> bool:
        """Remember a name for a while; whether it is heard for the first time."""
        ...

    async def noted(self, name: str, /) -> bool:
        """Return whether a name is remembered."""
        ...


def newest_first(found: Iterable[StoredSession]) -> list[StoredSession]:
    """Return sessions as they are listed."""
    return sorted(found, key=lambda kept: kept.session.signed_in_at, reverse=True)
