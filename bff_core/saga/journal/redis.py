"""A journal in Redis, for gateways on several machines; as durable as that Redis is."""

from collections.abc import Sequence
from typing import Final

from bff_core.redis.interface import RedisInterface

WITHIN: Final = 1.0
"""Seconds for one command: a write that is recorded late is better than one refused."""

# An entry is a hash (body, owner, queue). Each kind has a queue, a sorted set with its entries that
# are open, by the instant (ms, by Redis' clock) up to which somebody holds them.
_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
BEGIN: Final = (
    _NOW
    + """
local known = redis.call('HGET', KEYS[1], 'body')
if known then return known end
redis.call('HSET', KEYS[1], 'body', ARGV[1], 'owner', ARGV[2], 'queue', KEYS[2])
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[4])
redis.call('SADD', KEYS[3], KEYS[2])
return false
"""
)
RECORD: Final = (
    _NOW
    + """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'body', ARGV[1], 'owner', ARGV[5])
if ARGV[6] == '1' then
  redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[4])
else
  redis.call('ZREM', KEYS[2], ARGV[4])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1
"""
)
DUE: Final = (
    _NOW
    + """
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
"""
)
CLAIM: Final = (
    _NOW
    + """
local found = {}
for i = 2, #KEYS do
  local id = ARGV[i + 1]
  local until_ = redis.call('ZSCORE', KEYS[1], id)
  if until_ and tonumber(until_) <= now then
    local body = redis.call('HGET', KEYS[i], 'body')
    if body then
      redis.call('HSET', KEYS[i], 'owner', ARGV[1])
      redis.call('ZADD', KEYS[1], now + ARGV[2], id)
      found[#found + 1] = body
    else
      redis.call('ZREM', KEYS[1], id)
    end
  end
end
return found
"""
)
# KEYS: the queue, the entries that are due; ARGV from 3: the names of those. Another process may
# have claimed some of them since.
BODIES: Final = """
local found = {}
for i = 1, #KEYS do
  local body = redis.call('HGET', KEYS[i], 'body')
  if body then found[#found + 1] = body end
end
return found
"""
DROP: Final = """
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('DEL', KEYS[1])
"""


class RedisJournal:
    """Entries in Redis. With `appendonly yes` and `appendfsync always` a crash of it loses none."""

    def __init__(self, link: RedisInterface) -> None:
        self._link = link
        self._prefix = link.prefix("journal")
        self._kinds = f"{self._prefix}kinds"

    def __repr__(self) -> str:
        return f"journal    {self._link.name}"

    async def begin(
        self, entry_id: str, kind: str, body: bytes, owner: str, seconds: float
    ) -> bytes | None:
        """Write down an entry and hold it; or return the one that is known by this id."""
        args = (body, owner, _ms(seconds), entry_id)
        keys = (self._key(entry_id), self._queue(kind), self._kinds)
        known = await self._link.script(BEGIN, keys, args, within=WITHIN)
        return known if isinstance(known, bytes) else None

    async def record(self, entry_id: str, body: bytes, owner: str, seconds: float) -> bool:
        """Write down how far it has come and hold it on."""
        return await self._write(entry_id, body, owner, seconds, owner, is_open=True)

    async def park(self, entry_id: str, body: bytes, owner: str, seconds: float) -> None:
        """Let go of an entry that is to be taken up again."""
        await self._write(entry_id, body, owner, seconds, "", is_open=True)

    async def end(self, entry_id: str, body: bytes, owner: str, retention: float) -> bool:
        """Write down the end."""
        return await self._write(entry_id, body, owner, retention, "", is_open=False)

    async def claim(self, kind: str, owner: str, seconds: float, most: int) -> Sequence[bytes]:
        """Take over entries of a kind that nobody holds."""
        queue = self._queue(kind)
        due = _strings(await self._link.script(DUE, (queue,), (most,), within=WITHIN))
        if not due:
            return []
        keys: list[str | bytes] = [queue, *(self._key(name.decode()) for name in due)]
        args: list[str | bytes | int | float] = [owner, _ms(seconds), *due]
        return _strings(await self._link.script(CLAIM, keys, args, within=WITHIN))

    async def open_entries(self, most: int) -> Sequence[bytes]:
        """Return entries that are not ended."""
        names: list[bytes] = []
        for queue in _strings(await self._link.run("SMEMBERS", self._kinds, within=WITHIN)):
            listed = await self._link.run("ZRANGE", queue, 0, most - 1, within=WITHIN)
            names += _strings(listed)
        keys = [self._key(name.decode()) for name in names[:most]]
        return _strings(await self._link.script(BODIES, keys, within=WITHIN)) if keys else []

    async def drop(self, entry_id: str) -> bool:
        """Forget an entry that a person has settled."""
        queue = await self._queue_of(entry_id)
        if queue is None:
            return False
        keys = (self._key(entry_id), queue)
        return await self._link.script(DROP, keys, (entry_id,), within=WITHIN) == 1

    async def aclose(self) -> None:
        """Leave the link to its owner."""

    async def _write(
        self, entry_id: str, body: bytes, owner: str, seconds: float, then: str, *, is_open: bool
    ) -> bool:
        queue = await self._queue_of(entry_id)
        if queue is None:
            return False
        args = (body, owner, _ms(seconds), entry_id, then, "1" if is_open else "0")
        keys = (self._key(entry_id), queue)
        return await self._link.script(RECORD, keys, args, within=WITHIN) == 1

    def _key(self, entry_id: str) -> str:
        return f"{self._prefix}{entry_id}"

    def _queue(self, kind: str) -> str:
        return f"{self._prefix}open:{kind}"

    async def _queue_of(self, entry_id: str) -> bytes | None:
        """Return the queue of an entry, which a script has to declare; None for no entry."""
        found = await self._link.run("HGET", self._key(entry_id), "queue", within=WITHIN)
        return found if isinstance(found, bytes) else None


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _strings(found: object) -> list[bytes]:
    values = found if isinstance(found, list | set) else ()
    return [value for value in values if isinstance(value, bytes)]
