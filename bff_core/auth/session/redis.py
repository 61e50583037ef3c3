"""A session store in Redis, for all processes of a gateway: sealed sessions under hashed keys."""

from collections.abc import Sequence
from typing import Final

import msgspec

from bff_core.auth.session.interface import (
    MAX_SESSIONS_PER_SUBJECT,
    Lifetimes,
    LiveSessions,
    StoredSession,
    newest_first,
)
from bff_core.auth.session.sealing import Sealing
from bff_core.auth.session.session import Session, indexes_of
from bff_core.redis.interface import RedisInterface
from bff_core.redis.scan import scanned

# A session is a hash: the sealed session, the generation of its tokens, and its end by the clock of
# Redis (milliseconds), so clocks of processes don't matter. Its lists are sorted by those ends.

NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

ADD: Final = (
    NOW
    + """
local until_ = now + ARGV[3]
redis.call('HSET', KEYS[1], 'sealed', ARGV[1], 'generation', ARGV[2], 'until', until_)
redis.call('PEXPIRE', KEYS[1], math.min(ARGV[3], ARGV[4]))
for i = 2, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
  redis.call('ZADD', KEYS[i], until_ + time[2] % 1000 / 1000, ARGV[5])
  redis.call('PEXPIRE', KEYS[i], math.max(ARGV[3], redis.call('PTTL', KEYS[i])))
end
local surplus = redis.call('ZCARD', KEYS[2]) - ARGV[6]
if surplus <= 0 then return {} end
return redis.call('ZRANGE', KEYS[2], 0, surplus - 1)
"""
)
# Returns the oldest sessions of the first list that exceed its limit.

END: Final = """
for i = 2, #KEYS do
  redis.call('DEL', KEYS[i])
  redis.call('ZREM', KEYS[1], ARGV[i - 1])
end
"""

LISTED: Final = (
    NOW
    + """
local sessions = {}
for i = 2, #KEYS do
  local found = redis.call('HMGET', KEYS[i], 'sealed', 'until')
  if found[1] then
    local left = redis.call('PTTL', KEYS[i])
    table.insert(sessions, {ARGV[i - 1], found[1], found[2] - now, left})
  else
    redis.call('ZREM', KEYS[1], ARGV[i - 1])
  end
end
return sessions
"""
)

LIVE: Final = (
    NOW
    + """
local sessions = {}
for i = 1, #KEYS do
  local found = redis.call('HMGET', KEYS[i], 'sealed', 'until')
  if found[1] then
    table.insert(sessions, {ARGV[i], found[1], found[2] - now, redis.call('PTTL', KEYS[i])})
  end
end
return sessions
"""
)

END_LISTED: Final = """
if redis.call('EXISTS', KEYS[2]) == 1 then return false end
local declared, ended = {}, {}
for i = 2, #ARGV do declared[ARGV[i]] = true end
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if not declared[name] then return 'another' end
end
for i = 3, #KEYS do
  if redis.call('DEL', KEYS[i]) == 1 then table.insert(ended, ARGV[i - 1]) end
end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], 'noted', 'PX', ARGV[1])
return ended
"""
# KEYS: the list, the note, the listed sessions. ARGV: the lifetime of the note (milliseconds), the
# names of those sessions. Returns 'another' if the list has a session that is not declared.

GET: Final = (
    NOW
    + """
local found = redis.call('HMGET', KEYS[1], 'sealed', 'until', 'to')
if found[3] then return found[3] end
if not found[1] then return false end
return {ARGV[1], found[1], found[2] - now, redis.call('PTTL', KEYS[1])}
"""
)
# Returns the key that the session was moved to; else the session, or false without one.

REPLACE: Final = """
local known = redis.call('HGET', KEYS[1], 'generation')
if known ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'sealed', ARGV[2], 'generation', ARGV[3])
return 1
"""

TOUCH: Final = (
    NOW
    + """
local until_ = redis.call('HGET', KEYS[1], 'until')
if until_ then redis.call('PEXPIRE', KEYS[1], math.max(1, math.min(ARGV[1], until_ - now))) end
"""
)

MOVE: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HEXISTS', KEYS[1], 'to') == 1 then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[2], 'sealed', ARGV[1])
redis.call('HSET', KEYS[1], 'to', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
for i = 3, #KEYS do
  local score = redis.call('ZSCORE', KEYS[i], ARGV[2])
  redis.call('ZREM', KEYS[i], ARGV[2])
  if score then redis.call('ZADD', KEYS[i], score, ARGV[3]) end
end
return 1
"""

RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""

MAX_COUNTED: Final = 20_000
"""Keys of sessions that are counted at most."""

MAX_VISITED: Final = 50_000
"""Keys of any kind that are visited to find those of sessions."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Session).decode


class RedisSessionStore:
    """Stores sessions in Redis; it implements `SessionStore`."""

    is_shared = True

    def __init__(self, link: RedisInterface, sealing: Sealing, *, gateway: str) -> None:
        self._link = link
        self._sealing = sealing
        self._prefix = link.prefix(f"{gateway}:session")

    async def add(self, key: str, session: Session, lifetimes: Lifetimes) -> None:
        """Store a new session."""
        names = indexes_of(session)
        surplus = await self._link.script(
            ADD,
            [self._key(key), *map(self._list_key, names)],
            [
                self._seal(key, session),
                _generation(session),
                _milliseconds(lifetimes.absolute),
                _milliseconds(lifetimes.idle),
                key,
                MAX_SESSIONS_PER_SUBJECT,
            ],
        )
        if surplus and names:
            await self._script_on_listed(END, [self._list_key(names[0])], _names(surplus))

    async def get(self, key: str) -> StoredSession | None:
        """Return a session by its key, or by the key that it had before."""
        found = await self._link.script(GET, [self._key(key)], [key])
        if isinstance(found, bytes):
            name = found.decode()
            found = await self._link.script(GET, [self._key(name)], [name])
        return self._stored(found)

    async def replace(self, stored: StoredSession, session: Session) -> bool:
        """Store a changed session, unless its tokens were replaced since."""
        sealed = self._seal(stored.key, session)
        args = _generation(stored.session), sealed, _generation(session)
        return await self._link.script(REPLACE, [self._key(stored.key)], args) == 1

    async def touch(self, key: str, idle: float) -> None:
        """Extend the life of a session by its idle time."""
        await self._link.script(TOUCH, [self._key(key)], [_milliseconds(idle)])

    async def move(self, key: str, to: str, grace: float) -> bool:
        """Give a session another key."""
        stored = await self.get(key)
        if stored is None:
            return False
        names = [self._list_key(name) for name in indexes_of(stored.session)]
        keys = [self._key(stored.key), self._key(to), *names]
        args = self._seal(to, stored.session), stored.key, to, _milliseconds(grace)
        return await self._link.script(MOVE, keys, args) == 1

    async def remove(self, keys: Sequence[str]) -> int:
        """End sessions."""
        if not keys:
            return 0
        removed = await self._link.run("DEL", *map(self._key, keys))
        return removed if isinstance(removed, int) else 0

    async def listed(self, name: str) -> Sequence[StoredSession]:
        """Return the sessions of a list, newest first."""
        index = self._list_key(name)
        reply = await self._script_on_listed(LISTED, [index], await self._names_in(index))
        found = [self._stored(one) for one in reply] if isinstance(reply, list) else []
        return newest_first(session for session in found if session is not None)

    async def live(self, limit: int) -> LiveSessions:
        """Return some sessions, and how many there are if Redis does not hold too many keys."""
        scan = await scanned(self._link, self._prefix, limit=MAX_COUNTED, visited=MAX_VISITED)
        names = [name for name in scan.names if ":" not in name]  # not lists, notes and leases
        shown = names[: 2 * limit]  # some may be the previous keys of sessions
        keys = [self._key(name) for name in shown]
        reply = await self._link.script(LIVE, keys, shown) if keys else []
        found = [self._stored(one) for one in reply] if isinstance(reply, list) else []
        sessions = newest_first(one for one in found if one is not None)
        count = len(sessions) if len(names) <= len(shown) else len(names)
        return LiveSessions(sessions[:limit], count if scan.is_complete else None)

    async def end_listed(self, name: str, note: str, seconds: float) -> Sequence[str] | None:
        """End all sessions of a list, once for each `note`."""
        index = self._list_key(name)
        keys, term = [index, f"{self._prefix}noted:{note}"], _milliseconds(seconds)
        ended: object = b"another"
        while ended == b"another":  # another sign-in added a session meanwhile
            names = await self._names_in(index)
            ended = await self._script_on_listed(END_LISTED, keys, names, term)
        return _names(ended) if isinstance(ended, list) else None

    async def lease(self, name: str, holder: str, seconds: float) -> bool:
        """Acquire a lease, which one holder at a time may have."""
        key, term = f"{self._prefix}lease:{name}", _milliseconds(seconds)
        return await self._link.run("SET", key, holder, "NX", "PX", term) == b"OK"

    async def release(self, name: str, holder: str) -> None:
        """Release a lease that the holder still has."""
        await self._link.script(RELEASE, [f"{self._prefix}lease:{name}"], [holder])

    async def add_note(self, name: str, seconds: float) -> bool:
        """Store a note for some seconds; return whether it is new."""
        key, term = f"{self._prefix}noted:{name}", _milliseconds(seconds)
        return await self._link.run("SET", key, "noted", "NX", "PX", term) == b"OK"

    async def has_note(self, name: str) -> bool:
        """Return whether a note is stored."""
        return await self._link.run("EXISTS", f"{self._prefix}noted:{name}") == 1

    async def _names_in(self, index: str) -> list[str]:
        return _names(await self._link.run("ZRANGE", index, 0, -1))

    async def _script_on_listed(
        self, script: str, keys: Sequence[str], names: Sequence[str], *args: int
    ) -> object:
        """Run a script on listed sessions: declare their keys, and pass their names."""
        return await self._link.script(script, [*keys, *map(self._key, names)], [*args, *names])

    def _stored(self, found: object) -> StoredSession | None:
        match found:
            case [bytes(name), bytes(sealed), int(left), int(idle_left)]:
                key = name.decode()
                session = self._open(key, sealed)
                if session is not None:
                    return StoredSession(key, session, left / 1000, idle_left / 1000)
        return None

    def _key(self, key: str) -> str:
        return self._prefix + key

    def _list_key(self, name: str) -> str:
        return f"{self._prefix}list:{name}"

    def _seal(self, key: str, session: Session) -> bytes:
        return self._sealing.seal(_encode(session), f"session {key}")

    def _open(self, key: str, sealed: bytes) -> Session | None:
        plain = self._sealing.open(sealed, f"session {key}")
        try:
            return None if plain is None else _decode(plain)
        except msgspec.DecodeError:  # sealed by another version
            return None


def _names(found: object) -> list[str]:
    names = found if isinstance(found, list) else []
    return [name.decode() for name in names if isinstance(name, bytes)]


def _generation(session: Session) -> int:
    return 0 if session.tokens is None else session.tokens.generation


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
