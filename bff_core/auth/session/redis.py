"""Sessions of all processes of a gateway, in Redis: sealed, and found by hashes alone."""

from collections.abc import Sequence
from typing import Final

import msgspec

from bff_core.auth.session.sealing import Sealing
from bff_core.auth.session.session import Session, indexes_of
from bff_core.auth.session.store import MOST_PER_SUBJECT, Lifetimes, StoredSession, newest_first
from bff_core.redis.interface import RedisInterface

# A session is a hash: what is sealed, the generation of its tokens, its end by Redis' own clock
# (milliseconds), so that no process's clock decides. Its lists are sorted by those ends.

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
# Returns the oldest sessions of the first list that are too many.

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
# KEYS: the list, the word, the listed sessions; ARGV: for how long to remember the word (ms), the
# names of those sessions. Returns 'another' where one is listed that is not declared.

GET: Final = (
    NOW
    + """
local found = redis.call('HMGET', KEYS[1], 'sealed', 'until', 'to')
if found[3] then return found[3] end
if not found[1] then return false end
return {ARGV[1], found[1], found[2] - now, redis.call('PTTL', KEYS[1])}
"""
)
# Returns the name that it was moved to, or what there is.

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

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Session).decode


class RedisSessionStore:
    """Keeps sessions in Redis; all processes of a gateway see the same."""

    is_shared = True

    def __init__(self, link: RedisInterface, sealing: Sealing, *, gateway: str) -> None:
        self._link = link
        self._sealing = sealing
        self._prefix = link.prefix(f"{gateway}:session")

    async def add(self, key: str, session: Session, lifetimes: Lifetimes) -> None:
        """Keep a new session."""
        names = indexes_of(session)
        surplus = await self._link.script(
            ADD,
            [self._named(key), *map(self._named_list, names)],
            [
                self._sealed(key, session),
                _generation(session),
                _milliseconds(lifetimes.absolute),
                _milliseconds(lifetimes.idle),
                key,
                MOST_PER_SUBJECT,
            ],
        )
        if surplus and names:
            await self._script_on_listed(END, [self._named_list(names[0])], _names(surplus))

    async def get(self, key: str) -> StoredSession | None:
        """Return a session, by its key or one that it had a moment ago."""
        found = await self._link.script(GET, [self._named(key)], [key])
        if isinstance(found, bytes):
            name = found.decode()
            found = await self._link.script(GET, [self._named(name)], [name])
        return self._stored(found)

    async def replace(self, kept: StoredSession, session: Session) -> bool:
        """Keep a changed session, unless its tokens were changed since."""
        args: list[str | bytes | int | float] = [
            _generation(kept.session),
            self._sealed(kept.key, session),
            _generation(session),
        ]
        return await self._link.script(REPLACE, [self._named(kept.key)], args) == 1

    async def touch(self, key: str, idle: float) -> None:
        """Let it live for longer."""
        await self._link.script(TOUCH, [self._named(key)], [_milliseconds(idle)])

    async def move(self, key: str, to: str, grace: float) -> bool:
        """Give a session another key."""
        kept = await self.get(key)
        if kept is None:
            return False
        names = [self._named_list(name) for name in indexes_of(kept.session)]
        keys = [self._named(kept.key), self._named(to), *names]
        args: list[str | bytes | int | float] = [
            self._sealed(to, kept.session),
            kept.key,
            to,
            _milliseconds(grace),
        ]
        return await self._link.script(MOVE, keys, args) == 1

    async def remove(self, keys: Sequence[str]) -> int:
        """End sessions."""
        if not keys:
            return 0
        gone = await self._link.run("DEL", *map(self._named, keys))
        return gone if isinstance(gone, int) else 0

    async def listed(self, name: str) -> Sequence[StoredSession]:
        """Return the sessions that are listed under a name, newest first."""
        index = self._named_list(name)
        told = await self._script_on_listed(LISTED, [index], await self._names_in(index))
        found = [self._stored(one) for one in told] if isinstance(told, list) else []
        return newest_first(session for session in found if session is not None)

    async def end_listed(self, name: str, word: str, seconds: float) -> Sequence[str] | None:
        """End all sessions that are listed under a name, once for each `word`."""
        index = self._named_list(name)
        keys, term = [index, f"{self._prefix}noted:{word}"], _milliseconds(seconds)
        ended: object = b"another"
        while ended == b"another":  # somebody signs in meanwhile
            names = await self._names_in(index)
            ended = await self._script_on_listed(END_LISTED, keys, names, term)
        return _names(ended) if isinstance(ended, list) else None

    async def lease(self, name: str, holder: str, seconds: float) -> bool:
        """Take something that one at a time may have."""
        key, term = f"{self._prefix}lease:{name}", _milliseconds(seconds)
        return await self._link.run("SET", key, holder, "NX", "PX", term) == b"OK"

    async def release(self, name: str, holder: str) -> None:
        """Give it back."""
        await self._link.script(RELEASE, [f"{self._prefix}lease:{name}"], [holder])

    async def note(self, name: str, seconds: float) -> bool:
        """Remember a name for a while; whether it is heard for the first time."""
        key, term = f"{self._prefix}noted:{name}", _milliseconds(seconds)
        return await self._link.run("SET", key, "noted", "NX", "PX", term) == b"OK"

    async def noted(self, name: str) -> bool:
        """Return whether a name is remembered."""
        return await self._link.run("EXISTS", f"{self._prefix}noted:{name}") == 1

    async def _names_in(self, index: str) -> list[str]:
        return _names(await self._link.run("ZRANGE", index, 0, -1))

    async def _script_on_listed(
        self, script: str, keys: Sequence[str], names: Sequence[str], *args: int
    ) -> object:
        """Run a script that declares listed sessions, and is handed their names."""
        return await self._link.script(script, [*keys, *map(self._named, names)], [*args, *names])

    def _stored(self, found: object) -> StoredSession | None:
        match found:
            case [bytes(name), bytes(sealed), int(left), int(idle_left)]:
                key = name.decode()
                session = self._opened(key, sealed)
                if session is not None:
                    return StoredSession(key, session, left / 1000, idle_left / 1000)
        return None

    def _named(self, key: str) -> str:
        return self._prefix + key

    def _named_list(self, name: str) -> str:
        return f"{self._prefix}list:{name}"

    def _sealed(self, key: str, session: Session) -> bytes:
        return self._sealing.seal(_encode(session), f"session {key}")

    def _opened(self, key: str, sealed: bytes) -> Session | None:
        plain = self._sealing.open(sealed, f"session {key}")
        try:
            return None if plain is None else _decode(plain)
        except msgspec.DecodeError:  # of a version that kept something else
            return None


def _names(found: object) -> list[str]:
    names = found if isinstance(found, list) else []
    return [name.decode() for name in names if isinstance(name, bytes)]


def _generation(session: Session) -> int:
    return 0 if session.tokens is None else session.tokens.generation


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
