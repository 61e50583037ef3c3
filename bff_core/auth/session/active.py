"""The sessions of browsers while a gateway runs: found by cookie, kept alive, ended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bff_core.auth.session.session import Session, key_of, new_secret, owner_of
from bff_core.auth.session.store import Lifetimes, SessionStore, StoredSession
from bff_core.clock import Clock
from bff_core.errors import StoreUnavailable
from bff_core.events import Events, SessionChanged
from bff_core.events.process import Change
from bff_core.upstream.runtime import Spawn

RECHECK: Final = 1.0
"""Seconds for which a session is believed that another process may have ended."""

REMEMBERED: Final = 10_000
"""Sessions that are known without asking a shared store."""

UNCONFIRMED: Final = 1_000
"""Logout tokens of which this process does not know whether the store took them."""

GRACE: Final = 10.0
"""Seconds for which a session is found by the cookie that it had before."""

TOUCH: Final = 0.1
"""The part of its idle time after which a session that is used is told to live on."""


@dataclass(frozen=True, slots=True)
class _Known:
    kept: StoredSession
    read_at: float


class Sessions:
    """Finds the session of a cookie, and everything that happens to one.

    What a shared store said is believed for a second, so that most requests don't ask it; what
    this process changed it knows at once.
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
        self._known: dict[str, _Known] = {}
        self._unconfirmed: dict[str, None] = {}

    async def find(self, secret: str) -> StoredSession | None:
        """Return the session of a cookie; None where there is none, or no more."""
        key = key_of(secret)
        known, now = self._known.get(key), self._clock()
        if known is not None and now - known.read_at < RECHECK:
            return known.kept
        kept = await self.store.get(key)
        if kept is None:
            self._known.pop(key, None)
            return None
        self._remember(kept, now)
        idle = min(self.lifetimes.idle, kept.left)
        if idle - kept.idle_left > idle * TOUCH:
            touching = self._touch(kept.key)
            if self.store.is_shared:  # nobody waits for that
                self._spawn(touching)
            else:
                await touching
        return kept

    async def begin(self, session: Session) -> str:
        """Keep a new session; return the value of its cookie."""
        secret = new_secret()
        await self.store.add(key_of(secret), session, self.lifetimes)
        self._tell("begun")
        return secret

    async def rotate(self, kept: StoredSession) -> str | None:
        """Give a session a new cookie; None where it has ended meanwhile."""
        secret = new_secret()
        if not await self.store.move(kept.key, key_of(secret), GRACE):
            return None
        self._known.pop(kept.key, None)
        return secret

    async def end(self, ended: Iterable[StoredSession], change: Change) -> int:
        """End sessions; return how many there were."""
        keys = [kept.key for kept in ended]
        for key in keys:
            self._known.pop(key, None)
        count = await self.store.remove(keys)
        for _ in range(count):
            self._tell(change)
        return count

    async def replace(self, ended: Sequence[StoredSession]) -> None:
        """End sessions whose browser has been given another."""
        for kept in ended:
            await self.store.note(f"replaced {kept.key}", GRACE)
        await self.end(ended, "signed_out")

    async def was_replaced(self, secret: str) -> bool:
        """Return whether a browser that sends this cookie has just been given another.

        The request was under way then: taking its cookie back would take the new one.
        """
        return await self.store.noted(f"replaced {key_of(secret)}")

    async def end_listed(self, name: str, word: str, seconds: float) -> bool:
        """End the sessions that are listed under a name; False where `word` was used before.

        If the store fails meanwhile, the same word may come again: it has ended all of the
        sessions, or none.
        """
        try:
            ended = await self.store.end_listed(name, word, seconds)
        except StoreUnavailable:
            self._unconfirmed[word] = None
            if len(self._unconfirmed) > UNCONFIRMED:
                del self._unconfirmed[next(iter(self._unconfirmed))]
            raise
        for key in ended or ():
            self._known.pop(key, None)
            self._tell("ended_elsewhere")
        is_repeated = word in self._unconfirmed
        self._unconfirmed.pop(word, None)
        return ended is not None or is_repeated

    async def of(self, subject: str, tenant: str = "") -> Sequence[StoredSession]:
        """Return the sessions of a person, newest first."""
        return await self.store.listed(owner_of(subject, tenant))

    def changed(self, key: str, kept: StoredSession | None) -> None:
        """Take note of what a refresh made of a session."""
        if kept is None:
            self._known.pop(key, None)
        else:
            self._remember(kept, self._clock())

    def _remember(self, kept: StoredSession, now: float) -> None:
        if not self.store.is_shared:
            return
        self._known.pop(kept.key, None)
        self._known[kept.key] = _Known(kept, now)
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]

    async def _touch(self, key: str) -> None:
        try:
            await self.store.touch(key, self.lifetimes.idle)
        except StoreUnavailable:
            return  # a later request will

    def _tell(self, change: Change) -> None:
        if self._events.sinks:
            self._events.emit(SessionChanged(change))
