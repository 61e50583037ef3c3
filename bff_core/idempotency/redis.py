"""An idempotency store in Redis, for several gateway processes; a claim is a lease."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import count
from typing import Final

import msgspec

from bff_core.clock import Chance
from bff_core.errors import StoreUnavailable
from bff_core.events import AnswerForgotten, Events
from bff_core.idempotency.interface import REUSED, RUNNING, Claim, ClaimResult
from bff_core.policy.edge.idempotency import IdempotencyOptions, StoredAnswer
from bff_core.redis.interface import RedisInterface

Spawn = Callable[[Coroutine[object, object, None]], asyncio.Task[None]]

PREFIX: Final = "bff:idempotency:"

TIMEOUT_SECONDS: Final = 0.25
"""Seconds for one command. It is long, since a keyed request is refused if the command fails."""

POLL_SECONDS: Final = 0.05
"""Seconds between two reads of a key that another request holds, about."""

RENEWALS_PER_LEASE: Final = 3
"""Renewals within the time of a lease, so that two may fail."""

# An entry is a hash: `print` is the fingerprint of its request; `owner` and `until` (milliseconds,
# by the clock of Redis) are set while it is claimed, `answer` once that is final.
CLAIM: Final = """
local print, ends, answer = unpack(redis.call('HMGET', KEYS[1], 'print', 'until', 'answer'))
if print and print ~= ARGV[1] then return {'reused'} end
if answer then return {'stored', answer} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ends and tonumber(ends) > now then return {'running'} end
local lease = string.format('%d', now + ARGV[3])
redis.call('HSET', KEYS[1], 'print', ARGV[1], 'owner', ARGV[2], 'until', lease)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {'claimed'}
"""

RENEW: Final = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'until', string.format('%d', now + ARGV[2]))
return 1
"""

STORE: Final = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'answer', ARGV[2])
redis.call('HDEL', KEYS[1], 'owner', 'until')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""

FREE: Final = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'owner', 'until')
return 1
"""

FORGET: Final = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""

_decode = msgspec.msgpack.Decoder(StoredAnswer).decode
_encode = msgspec.msgpack.Encoder().encode


class RedisIdempotencyStore:
    """Claims and answers that all processes of a gateway share.

    A claim is a lease that is renewed while its request runs, so a process that is killed blocks a
    key for `lease` seconds. If Redis is down for longer, the request loses its lease, and its
    answer is not stored.
    """

    def __init__(
        self,
        link: RedisInterface,
        options: IdempotencyOptions,
        *,
        spawn: Spawn,
        chance: Chance,
        events: Events,
    ) -> None:
        self._link = link
        self._lease = options.lease
        self._lifetime = _milliseconds(options.lifetime)
        self._spawn = spawn
        self._chance = chance
        self._events = events
        self._process = f"{int(chance() * 2**53):x}{int(chance() * 2**53):x}"
        self._numbers = count(1)
        self._held: dict[Claim, None] = {}
        self._renewing: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"{self._link!r}, {len(self._held)} running"

    async def claim(self, key: str, fingerprint: bytes) -> ClaimResult:
        """Claim a key for a request; return its answer if there is one."""
        claim = Claim(key, fingerprint, f"{self._process}-{next(self._numbers)}")
        try:
            found = await self._run(
                CLAIM, claim, fingerprint, claim.owner, _milliseconds(self._lease), self._lifetime
            )
        except (StoreUnavailable, asyncio.CancelledError):
            # Redis may have granted the claim, and its reply was lost.
            self._spawn(self._end(FREE, claim))
            raise
        return self._found(found, claim)

    async def save(self, claim: Claim, answer: StoredAnswer) -> None:
        """Store a final answer for the key's lifetime, and release the claim."""
        self._held.pop(claim, None)
        # In a task of its own: the answer is stored even if the request is cancelled now.
        await asyncio.shield(self._spawn(self._store(claim, answer)))

    def release(self, claim: Claim, *, forget: bool = False) -> None:
        """Release a claim in the background; if that fails, the lease expires."""
        self._held.pop(claim, None)
        self._spawn(self._end(FORGET if forget else FREE, claim))

    async def wait_for_change(self, key: str, timeout: float) -> None:  # noqa: ARG002, ASYNC109 # it polls all keys alike
        """Wait for a moment: other processes do not announce that they release a claim."""
        await asyncio.sleep(min(timeout, POLL_SECONDS * (0.5 + self._chance())))

    def _found(self, found: object, claim: Claim) -> ClaimResult:
        match found:
            case [b"claimed"]:
                self._hold(claim)
                return claim
            case [b"running"]:
                return RUNNING
            case [b"reused"]:
                return REUSED
            case [b"stored", bytes(answer)]:
                return self._decoded(answer)
        raise StoreUnavailable(self._link.name, f"replies {found!r} to a claim")

    def _decoded(self, answer: bytes) -> StoredAnswer:
        try:
            return _decode(answer)
        except msgspec.DecodeError as error:
            raise StoreUnavailable(self._link.name, "holds a value that is no answer") from error

    def _hold(self, claim: Claim) -> None:
        self._held[claim] = None
        if self._renewing is None or self._renewing.done():
            self._renewing = self._spawn(self._renew())

    async def _renew(self) -> None:
        """Renew the leases of all running requests, until none is left."""
        while self._held:
            await asyncio.sleep(self._lease / RENEWALS_PER_LEASE)
            for claim in tuple(self._held):
                if claim in self._held:
                    await self._renew_one(claim)

    async def _renew_one(self, claim: Claim) -> None:
        with suppress(StoreUnavailable):
            is_ours = await self._run(RENEW, claim, claim.owner, _milliseconds(self._lease))
            if not is_ours:
                self._held.pop(claim, None)

    async def _store(self, claim: Claim, answer: StoredAnswer) -> None:
        is_stored: object = False
        with suppress(StoreUnavailable):
            is_stored = await self._run(STORE, claim, claim.owner, _encode(answer), self._lifetime)
        if not is_stored and self._events.sinks:
            self._events.emit(AnswerForgotten("store"))

    async def _end(self, script: str, claim: Claim) -> None:
        with suppress(StoreUnavailable):
            await self._run(script, claim, claim.owner)

    def _run(
        self, script: str, claim: Claim, *args: str | bytes | int
    ) -> Coroutine[object, object, object]:
        return self._link.script(script, (PREFIX + claim.key,), args, within=TIMEOUT_SECONDS)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
