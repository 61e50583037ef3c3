"""Publishes invalidations to Redis and to the other processes, and retries those that failed."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Final

import msgspec

from bff_core.cache.stores.codec import raw
from bff_core.cache.stores.purge_log import MAX_LOGGED_TAGS
from bff_core.cache.stores.redis_commands import RedisCommands
from bff_core.cache.stores.scripts import PURGE, PURGES, RESET
from bff_core.redis.interface import Value

Spawn = Callable[[Coroutine[object, object, None]], asyncio.Task[None]]

MAX_PENDING: Final = 10_000
"""Pending tags and keys, at most; beyond that everything is invalidated."""

RETRY_SECONDS: Final = 0.1
"""The pause between two attempts."""


class Invalidation(msgspec.Struct, array_like=True, frozen=True):
    """A message to the other processes: the tags and Redis keys that one process invalidates.

    `everything` is set if Redis lost its purge log, or if too much was pending.
    """

    process: str
    tags: tuple[bytes, ...] = ()
    keys: tuple[bytes, ...] = ()
    everything: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Invalidation).decode


def parse_message(message: bytes) -> tuple[str, int, Invalidation]:
    """Parse a message into era, purge count and invalidation; raise `ValueError` if malformed."""
    era, number, body = message.split(b" ", 2)
    return era.decode(), int(number), _decode(body)


class InvalidationOutbox:
    """Publishes invalidations, and stores those that Redis did not accept until it does.

    While any is pending, entries from Redis must not be used.
    """

    def __init__(self, session: RedisCommands, *, process: str, spawn: Spawn) -> None:
        self._session = session
        self._process = process
        self._spawn = spawn
        self._tags: set[bytes] = set()
        self._keys: set[bytes] = set()
        self._everything = False
        self._is_flushing = False
        self._retrying: asyncio.Task[None] | None = None

    @property
    def has_pending(self) -> bool:
        """Whether an invalidation is not yet published."""
        return self._everything or bool(self._tags or self._keys) or self._session.has_lost_count

    async def publish(self, tags: Iterable[str] = (), keys: Iterable[bytes] = ()) -> None:
        """Publish an invalidation, now or as soon as Redis answers."""
        names, entries = [*map(raw, tags)], [*keys]
        is_sent = False
        try:
            is_sent = await self._send(names, entries)
        finally:  # also when the caller is cancelled
            if not is_sent:
                self._add(names, entries)

    async def flush(self) -> bool:
        """Publish what is pending; return whether nothing is left. Only one caller waits."""
        if self._is_flushing or not self.has_pending:
            return not self.has_pending
        self._is_flushing = True
        tags, keys = self._tags, self._keys
        everything = self._everything or self._session.has_lost_count
        try:
            if await self._send([*tags], [*keys], everything=everything):
                self._tags, self._keys = self._tags - tags, self._keys - keys
                self._everything = False
        finally:
            self._is_flushing = False
        return not self.has_pending

    async def aclose(self) -> None:
        """Try a last time to publish what is pending."""
        if self._retrying is not None:
            self._retrying.cancel()
            await asyncio.wait([self._retrying])
        await self.flush()

    async def _send(
        self, tags: Sequence[bytes], keys: Sequence[bytes], *, everything: bool = False
    ) -> bool:
        script = RESET if everything else PURGE
        message = _encode(Invalidation(self._process, tuple(tags), tuple(keys), everything))
        rest: tuple[Value, ...] = (PURGES, message, MAX_LOGGED_TAGS, len(tags), *tags)
        return await self._session.script(script, keys, rest) is not None

    def _add(self, tags: Iterable[bytes], keys: Iterable[bytes]) -> None:
        # New sets: `flush` may be publishing the old ones.
        self._tags = self._tags.union(tags)
        self._keys = self._keys.union(keys)
        if len(self._tags) + len(self._keys) > MAX_PENDING:
            self._tags, self._keys, self._everything = set(), set(), True
        if self._retrying is None or self._retrying.done():
            self._retrying = self._spawn(self._retry())

    async def _retry(self) -> None:
        while not await self.flush():  # noqa: ASYNC110 # nothing announces that Redis is back
            await asyncio.sleep(RETRY_SECONDS)
