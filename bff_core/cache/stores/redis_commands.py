"""Runs the cache's scripts and commands in Redis; a failure is no answer, not an exception."""

from collections.abc import Sequence
from typing import Final

from bff_core.cache.stores.purge_epoch import PurgeEpoch
from bff_core.cache.stores.scripts import PURGES, RELEASE, TAG_EXPIRIES, TAGS
from bff_core.clock import Clock
from bff_core.errors import StoreUnavailable
from bff_core.redis.interface import RedisInterface, Value

BACKOFF_SECONDS: Final = 0.1
"""How long Redis is skipped after a failure, so that a request waits for it only once."""

SHARED_KEYS: Final = (PURGES, TAGS, TAG_EXPIRIES)
"""The keys that every script declares before its own."""


class RedisCommands:
    """Runs scripts and commands, and reads the purge count from each answer."""

    def __init__(self, link: RedisInterface, *, process: str, clock: Clock) -> None:
        self.link = link
        self.epoch = PurgeEpoch(clock)
        self.has_lost_count = False
        self._process = process
        self._clock = clock
        self._backoff_until = 0.0

    async def script(
        self, source: str, keys: Sequence[bytes], args: Sequence[Value]
    ) -> list[object] | None:
        """Run a script and return its result without era, count and time; None on failure.

        If Redis has counted fewer purges than before, it was restored from a backup or replaced.
        Then it `has_lost_count`, and every result is None until a new era begins.
        """
        if self._clock() < self._backoff_until:
            return None
        era_before, count_before = self.epoch.era, self.epoch.count
        try:
            found = await self.link.script(source, (*SHARED_KEYS, *keys), (self._process, *args))
        except StoreUnavailable:
            self._back_off()
            return None
        match found:
            case [bytes(era), int(count), bytes(time), *answer]:
                self.epoch.learn(era.decode(), count)
                self.epoch.set_clock(int(time))
                is_same = self.epoch.era == era_before
                self.has_lost_count = is_same and (self.has_lost_count or count < count_before)
                return None if self.has_lost_count else answer
        return None

    async def set_if_absent(self, key: bytes, owner: str, seconds: float) -> bool:
        """Set a key for some seconds if it is absent; True also if Redis is unavailable."""
        if self._clock() < self._backoff_until:
            return True
        lifetime = max(1, int(seconds * 1000))
        try:
            answer = await self.link.run("SET", key, owner, "NX", "PX", lifetime)
        except StoreUnavailable:
            self._back_off()
            return True
        return answer is not None

    async def delete_if_owned(self, key: bytes, owner: str) -> None:
        """Delete a key if it still has this owner."""
        if self._clock() >= self._backoff_until:
            try:
                await self.link.script(RELEASE, (key,), (owner,))
            except StoreUnavailable:
                self._back_off()

    def _back_off(self) -> None:
        self._backoff_until = self._clock() + BACKOFF_SECONDS
