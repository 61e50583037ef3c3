"""Announces invalidations to Redis and to the other processes, and repeats those that failed."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Final

import msgspec

from bff_core.cache.stores.codec import raw
from bff_core.cache.stores.purge_log import REMEMBERED
from bff_core.cache.stores.redis_commands import RedisCommands
from bff_core.cache.stores.scripts import PURGE, PURGES, RESET
from bff_core.redis.interface import Value

Spawn = Callable[[Coroutine[object, object, None]], asyncio.Task[None]]

OWED: Final = 10_000
"""So many tags and keys are owed at most; beyond that everything is to be forgotten."""

RETRY: Final = 0.1
"""Seconds between two attempts."""


class Forgetting(msgspec.Struct, array_like=True, frozen=True):
    """What a process invalidates, for the other processes to forget, too.

    Keys are those of entries in Redis. It is `all` where Redis lost count, or the process did.
    """

    process: str
    tags: tuple[bytes, ...] = ()
    keys: tuple[bytes, ...] = ()
    all: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Forgetting).decode


def heard(message: bytes) -> tuple[str, int, Forgetting]:
    """Return era, number of purges and what is to be forgotten; `ValueError` for anything else."""
    era, number, body = message.split(b" ", 2)
    return era.decode(), int(number), _decode(body)


class InvalidationOutbox:
    """Announces what is to be forgotten, however long Redis is away.

    What could not be said is owed. While anything is, nothing that Redis has may be believed.
    """

    def __init__(self, session: RedisCommands, *, process: str, spawn: Spawn) -> None:
        self._session = session
        self._process = process
        self._spawn = spawn
        self._tags: set[bytes] = set()
        self._keys: set[bytes] = set()
        self._all = False
        self._is_paying = False
        self._payer: asyncio.Task[None] | None = None

    @property
    def owes(self) -> bool:
        """Whether something could not be said yet."""
        return self._all or bool(self._tags or self._keys) or self._session.has_lost_count

    async def announce(self, tags: Iterable[str] = (), keys: Iterable[bytes] = ()) -> None:
        """Say what is to be forgotten, now or as soon as that is possible."""
        names, entries = [*map(raw, tags)], [*keys]
        is_announced = False
        try:
            is_announced = await self._say(names, entries)
        finally:  # also when the caller is cancelled
            if not is_announced:
                self._owe(names, entries)

    async def pay(self) -> bool:
        """Say what is owed; return whether all is said. Who comes meanwhile need not wait."""
        if self._is_paying or not self.owes:
            return not self.owes
        self._is_paying = True
        tags, keys, is_all = self._tags, self._keys, self._all or self._session.has_lost_count
        try:
            if await self._say([*tags], [*keys], is_all=is_all):
                self._tags, self._keys, self._all = self._tags - tags, self._keys - keys, False
        finally:
            self._is_paying = False
        return not self.owes

    async def aclose(self) -> None:
        """Try once more."""
        if self._payer is not None:
            self._payer.cancel()
            await asyncio.wait([self._payer])
        await self.pay()

    async def _say(
        self, tags: Sequence[bytes], keys: Sequence[bytes], *, is_all: bool = False
    ) -> bool:
        script = RESET if is_all else PURGE
        message = _encode(Forgetting(self._process, tuple(tags), tuple(keys), all=is_all))
        rest: tuple[Value, ...] = (PURGES, message, REMEMBERED, len(tags), *tags)
        return await self._session.script(script, keys, rest) is not None

    def _owe(self, tags: Iterable[bytes], keys: Iterable[bytes]) -> None:
        # Others than those that are being paid: more of them may be owed meanwhile.
        self._tags = self._tags.union(tags)
        self._keys = self._keys.union(keys)
        if len(self._tags) + len(self._keys) > OWED:
            self._tags, self._keys, self._all = set(), set(), True
        if self._payer is None or self._payer.done():
            self._payer = self._spawn(self._pay_on())

    async def _pay_on(self) -> None:
        while not await self.pay():  # noqa: ASYNC110 # nothing announces that Redis is back
            await asyncio.sleep(RETRY)
