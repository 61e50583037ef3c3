"""Runs the cache's commands in Redis: an answer or none, and one wait at most per request."""

from collections.abc import Sequence
from typing import Final

from bff_core.cache.stores.purge_epoch import PurgeEpoch
from bff_core.cache.stores.scripts import PURGES, RELEASE, TAG_EXPIRIES, TAGS
from bff_core.clock import Clock
from bff_core.errors import StoreUnavailable
from bff_core.redis.interface import RedisInterface, Value

RESPITE: Final = 0.1
"""Seconds that Redis is left alone after a failure, so that a request waits for it once."""

SHARED_KEYS: Final = (PURGES, TAGS, TAG_EXPIRIES)
"""The keys that every script declares first; its own follow."""


class RedisCommands:
    """Runs scripts and commands, and learns from each answer how many purges there were."""

    def __init__(self, link: RedisInterface, *, process: str, clock: Clock) -> None:
        self.link = link
        self.epoch = PurgeEpoch(clock)
        self.has_lost_count = False
        self._process = process
        self._clock = clock
        self._rests_until = 0.0

    async def script(
        self, source: str, keys: Sequence[bytes], args: Sequence[Value]
    ) -> list[object] | None:
        """Return what a script answers beside what is learnt; None where Redis is away.

        None, too, where Redis knows of fewer purges than it did: it was restored, or another has
        taken its place. It `has_lost_count` then, until a new era begins.
        """
        if self._clock() < self._rests_until:
            return None
        era_before, count_before = self.epoch.era, self.epoch.count
        try:
            found = await self.link.script(source, (*SHARED_KEYS, *keys), (self._process, *args))
        except StoreUnavailable:
            self._rest()
            return None
        match found:
            case [bytes(era), int(count), bytes(time), *answer]:
                self.epoch.learn(era.decode(), count)
                self.epoch.set_clock(int(time))
                is_same = self.epoch.era == era_before
                self.has_lost_count = is_same and (self.has_lost_count or count < count_before)
                return None if self.has_lost_count else answer
        return None

    async def take(self, key: bytes, owner: str, seconds: float) -> bool:
        """Set a key that is not there, for a while; True where Redis is away."""
        if self._clock() < self._rests_until:
            return True
        lifetime = max(1, int(seconds * 1000))
        try:
            answer = await self.link.run("SET", key, owner, "NX", "PX", lifetime)
        except StoreUnavailable:
            self._rest()
            return True
        return answer is not None

    async def drop(self, key: bytes, owner: str) -> None:
        """Take a key away that is still its owner's."""
        if self._clock() >= self._rests_until:
            try:
                await self.link.script(RELEASE, (key,), (owner,))
            except StoreUnavailable:
                self._rest()

    def _rest(self) -> None:
        self._rests_until = self._clock() + RESPITE
