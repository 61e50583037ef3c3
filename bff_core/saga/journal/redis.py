"""A journal in Redis, for gateways on several machines; as durable as the Redis server."""

from collections.abc import Sequence
from typing import Final

from bff_core.redis.interface import RedisInterface, Value
from bff_core.saga.journal.interface import OpenRecord

TIMEOUT_SECONDS: Final = 1.0
"""Seconds for one command: to journal a write late is better than to refuse it."""

# A record is a hash (body, owner, queue). Each kind has a queue: a sorted set of open records by
# the end of their leases (milliseconds, by the clock of Redis).
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
# KEYS: open records. Returns the time, and the body and the owner of each.
LEASES: Final = (
    _NOW
    + """
local found = {}
for i = 1, #KEYS do found[i] = redis.call('HMGET', KEYS[i], 'body', 'owner') end
return {now, found}
"""
)
RELEASE: Final = """
if redis.call('HGET', KEYS[1], 'owner') ~= '' then return 0 end
redis.call('ZADD', KEYS[2], 'XX', 0, ARGV[1])
return redis.call('ZSCORE', KEYS[2], ARGV[1]) and 1 or 0
"""
DROP: Final = """
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('DEL', KEYS[1])
"""


class RedisJournal:
    """A journal in Redis; durable with `appendonly yes` and `appendfsync always`."""

    def __init__(self, link: RedisInterface) -> None:
        self._link = link
        self._prefix = link.prefix("journal")
        self._kinds = f"{self._prefix}kinds"

    def __repr__(self) -> str:
        return f"journal    {self._link.name}"

    async def begin(
        self, record_id: str, kind: str, body: bytes, owner: str, seconds: float
    ) -> bytes | None:
        """Store a new record and lease it; return the existing record if the id is in use."""
        args = (body, owner, _ms(seconds), record_id)
        keys = (self._key(record_id), self._queue(kind), self._kinds)
        existing = await self._link.script(BEGIN, keys, args, within=TIMEOUT_SECONDS)
        return existing if isinstance(existing, bytes) else None

    async def record(self, record_id: str, body: bytes, owner: str, seconds: float) -> bool:
        """Update a record and renew its lease."""
        return await self._write(record_id, body, owner, seconds, owner, is_open=True)

    async def park(self, record_id: str, body: bytes, owner: str, seconds: float) -> None:
        """Update a record and release its lease."""
        await self._write(record_id, body, owner, seconds, "", is_open=True)

    async def end(self, record_id: str, body: bytes, owner: str, retention: float) -> bool:
        """Close a record."""
        return await self._write(record_id, body, owner, retention, "", is_open=False)

    async def claim(self, kind: str, owner: str, seconds: float, limit: int) -> Sequence[bytes]:
        """Lease records of a kind whose leases have expired."""
        queue = self._queue(kind)
        due = _strings(await self._link.script(DUE, (queue,), (limit,), within=TIMEOUT_SECONDS))
        if not due:
            return []
        keys = (queue, *(self._key(name.decode()) for name in due))
        args: Sequence[Value] = (owner, _ms(seconds), *due)
        return _strings(await self._link.script(CLAIM, keys, args, within=TIMEOUT_SECONDS))

    async def open_records(self, limit: int) -> Sequence[bytes]:
        """Return open records."""
        names: list[bytes] = []
        for queue in _strings(
            await self._link.run("SMEMBERS", self._kinds, within=TIMEOUT_SECONDS)
        ):
            listed = await self._link.run("ZRANGE", queue, 0, limit - 1, within=TIMEOUT_SECONDS)
            names += _strings(listed)
        keys = [self._key(name.decode()) for name in names[:limit]]
        return (
            _strings(await self._link.script(BODIES, keys, within=TIMEOUT_SECONDS)) if keys else []
        )

    async def open_leases(self, limit: int) -> Sequence[OpenRecord]:
        """Return open records with their leases."""
        due: list[tuple[float, bytes]] = []
        for queue in _strings(
            await self._link.run("SMEMBERS", self._kinds, within=TIMEOUT_SECONDS)
        ):
            listed = await self._link.run(
                "ZRANGE", queue, 0, limit - 1, "WITHSCORES", within=TIMEOUT_SECONDS
            )
            if isinstance(listed, list):
                due += [(until, name) for name, until in listed]
        due = sorted(due)[:limit]
        keys = [self._key(name.decode()) for _, name in due]
        if not keys:
            return []
        match await self._link.script(LEASES, keys, within=TIMEOUT_SECONDS):
            case [int(now), list(rows)]:
                times = [(until - now) / 1000 for until, _ in due]
                return [
                    OpenRecord(row[0], bool(row[1]) and left > 0, left)
                    for left, row in zip(times, rows, strict=True)
                    if isinstance(row[0], bytes)
                ]
        return []

    async def release(self, record_id: str) -> bool:
        """Let a parked record be claimed at once."""
        queue = await self._queue_of(record_id)
        if queue is None:
            return False
        keys = (self._key(record_id), queue)
        return await self._link.script(RELEASE, keys, (record_id,), within=TIMEOUT_SECONDS) == 1

    async def drop(self, record_id: str) -> bool:
        """Delete a record that an operator has settled."""
        queue = await self._queue_of(record_id)
        if queue is None:
            return False
        keys = (self._key(record_id), queue)
        return await self._link.script(DROP, keys, (record_id,), within=TIMEOUT_SECONDS) == 1

    async def aclose(self) -> None:
        """Do nothing: the gateway closes the connection."""

    async def _write(
        self,
        record_id: str,
        body: bytes,
        owner: str,
        seconds: float,
        next_owner: str,
        *,
        is_open: bool,
    ) -> bool:
        queue = await self._queue_of(record_id)
        if queue is None:
            return False
        args = (body, owner, _ms(seconds), record_id, next_owner, "1" if is_open else "0")
        keys = (self._key(record_id), queue)
        return await self._link.script(RECORD, keys, args, within=TIMEOUT_SECONDS) == 1

    def _key(self, record_id: str) -> str:
        return f"{self._prefix}{record_id}"

    def _queue(self, kind: str) -> str:
        return f"{self._prefix}open:{kind}"

    async def _queue_of(self, record_id: str) -> bytes | None:
        """Return the queue of a record, which a script has to declare; None for no record."""
        found = await self._link.run("HGET", self._key(record_id), "queue", within=TIMEOUT_SECONDS)
        return found if isinstance(found, bytes) else None


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _strings(found: object) -> list[bytes]:
    values = found if isinstance(found, list | set) else ()
    return [value for value in values if isinstance(value, bytes)]
