"""A store of API keys in Redis, for gateways on several machines."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from bff_core.auth.api_keys.interface import LISTED_AFTER_END_SECONDS
from bff_core.auth.api_keys.record import ApiKeyRecord
from bff_core.errors import StoreUnavailable
from bff_core.redis.interface import RedisInterface

# A key is a hash: the record, and the two times that change, which scripts compare.

END: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local known = tonumber(redis.call('HGET', KEYS[1], 'expires_at'))
local ends = tonumber(ARGV[1])
if known > 0 and known < ends then ends = known end
redis.call('HSET', KEYS[1], 'expires_at', ends)
redis.call('EXPIREAT', KEYS[1], math.ceil(ends) + ARGV[2])
return 1
"""

USED: Final = """
local known = tonumber(redis.call('HGET', KEYS[1], 'last_used_at') or '-1')
if known >= 0 and known < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'last_used_at', ARGV[1])
end
"""

ADD: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'body', ARGV[1], 'expires_at', ARGV[2], 'last_used_at', ARGV[3])
redis.call('SADD', KEYS[2], ARGV[4])
if tonumber(ARGV[2]) > 0 then
  redis.call('EXPIREAT', KEYS[1], math.ceil(tonumber(ARGV[2])) + ARGV[5])
end
return 1
"""

RETENTION_SECONDS: Final = int(LISTED_AFTER_END_SECONDS)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ApiKeyRecord).decode


class RedisApiKeyStore:
    """Stores API keys in Redis, which has to persist to disk; it implements `ApiKeyStore`."""

    def __init__(self, link: RedisInterface) -> None:
        self._link = link
        self._prefix = link.prefix("api-key")
        self._all = f"{self._prefix.removesuffix(':')}s"

    async def add(self, record: ApiKeyRecord) -> bool:
        """Store a new key."""
        keys = [self._key(record.prefix), self._all]
        times = repr(record.expires_at), repr(record.last_used_at)
        return (
            await self._link.script(
                ADD, keys, [_encode(record), *times, record.prefix, RETENTION_SECONDS]
            )
            == 1
        )

    async def find(self, prefix: str) -> ApiKeyRecord | None:
        """Return the record of a key."""
        fields = ("body", "expires_at", "last_used_at")
        match await self._link.run("HMGET", self._key(prefix), *fields):
            case [bytes(body), bytes(ends), bytes(used)]:
                return self._read(body, ends, used)
        return None

    def _read(self, body: bytes, ends: bytes, used: bytes) -> ApiKeyRecord:
        try:
            return replace(_decode(body), expires_at=float(ends), last_used_at=float(used))
        except (msgspec.DecodeError, ValueError) as error:
            raise StoreUnavailable(self._link.name, "holds a value that is no API key") from error

    async def end(self, prefix: str, at: float) -> bool:
        """Bring the expiry of a key forward."""
        return await self._link.script(END, [self._key(prefix)], [repr(at), RETENTION_SECONDS]) == 1

    async def remove(self, prefix: str) -> bool:
        """Delete a key."""
        await self._link.run("SREM", self._all, prefix)
        return await self._link.run("DEL", self._key(prefix)) == 1

    async def used(self, prefix: str, at: float) -> None:
        """Store when a key was last used."""
        await self._link.script(USED, [self._key(prefix)], [repr(at)])

    async def listed(self, subject: str = "") -> Sequence[ApiKeyRecord]:
        """Return the records of keys, the newest first."""
        reply = await self._link.run("SMEMBERS", self._all)
        prefixes = [prefix.decode() for prefix in reply] if isinstance(reply, list | set) else []
        records = [await self.find(prefix) for prefix in prefixes]
        expired = [
            prefix for prefix, record in zip(prefixes, records, strict=True) if record is None
        ]
        if expired:
            await self._link.run("SREM", self._all, *expired)
        found = [record for record in records if record is not None]
        theirs = [record for record in found if subject in {"", record.subject}]
        return sorted(theirs, key=lambda one: (-one.created_at, one.prefix))

    async def aclose(self) -> None:
        """Do nothing: the gateway closes the connection."""

    def _key(self, prefix: str) -> str:
        return f"{self._prefix}{prefix}"
