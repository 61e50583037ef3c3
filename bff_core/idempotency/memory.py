"""An idempotency store in memory, bounded by the number and the size of its answers."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from cachetools import FIFOCache

from bff_core.clock import Clock
from bff_core.events import AnswerForgotten, Events
from bff_core.idempotency.interface import REUSED, RUNNING, Claim, ClaimResult
from bff_core.policy.edge.idempotency import IdempotencyOptions, StoredAnswer

OVERHEAD_BYTES = 700
"""Bytes of an entry besides its body and its headers, about."""

REPORT_SECONDS = 60.0
"""Seconds between two events about evictions: a full store evicts an answer per request."""


@dataclass(slots=True, eq=False)
class _Running:
    """A claimed key, and the requests that wait for its release."""

    claim: Claim
    waiters: list[asyncio.Future[None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class _Settled:
    """A used key without a claim: the fingerprint of its request, and the answer if it is final."""

    fingerprint: bytes
    answer: StoredAnswer | None
    expires: float

    @property
    def size(self) -> int:
        """The bytes that it takes, about."""
        return OVERHEAD_BYTES + (0 if self.answer is None else self.answer.size)


class MemoryIdempotencyStore:
    """Claims and answers of one process, which other processes do not share.

    If there are more than `max_answers`, or they take more than `max_bytes`, the oldest answers are
    evicted. There are as many claims as requests in flight, at most.
    """

    def __init__(self, options: IdempotencyOptions, clock: Clock, events: Events) -> None:
        self._options = options
        self._clock = clock
        self._events = events
        self._running: dict[str, _Running] = {}
        # In the order of their expiry, since all live equally long.
        self._settled: FIFOCache[str, _Settled] = FIFOCache(
            options.max_bytes, getsizeof=lambda settled: settled.size
        )
        self._evicted = 0
        self._reported_at = -REPORT_SECONDS

    def __repr__(self) -> str:
        return f"memory     {len(self._settled)} answers, {len(self._running)} running"

    @property
    def size(self) -> int:
        """The bytes that its answers take, about."""
        return int(self._settled.currsize)

    async def claim(self, key: str, fingerprint: bytes) -> ClaimResult:
        """Claim a key for a request; return its answer if there is one."""
        running = self._running.get(key)
        if running is not None:
            return RUNNING if running.claim.fingerprint == fingerprint else REUSED
        self._expire()
        settled = self._settled.get(key)
        if settled is not None:
            if settled.fingerprint != fingerprint:
                return REUSED
            if settled.answer is not None:
                return settled.answer
            del self._settled[key]
        claim = Claim(key, fingerprint)
        self._running[key] = _Running(claim)
        return claim

    async def save(self, claim: Claim, answer: StoredAnswer) -> None:
        """Store a final answer for the key's lifetime, and release the claim."""
        self._settle(claim, answer)

    def release(self, claim: Claim, *, forget: bool = False) -> None:
        """Release a claim; unless `forget`, the key stays bound to its request."""
        if forget:
            self._wake(claim)
        else:
            self._settle(claim, None)

    async def wait_for_change(self, key: str, timeout: float) -> None:  # noqa: ASYNC109 # a store may poll
        """Wait until the claim of a key is released, `timeout` seconds at most."""
        running = self._running.get(key)
        if running is None:
            return
        waiter = asyncio.get_running_loop().create_future()
        running.waiters.append(waiter)
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await waiter

    def _settle(self, claim: Claim, answer: StoredAnswer | None) -> None:
        if self._wake(claim):
            expires = self._clock() + self._options.lifetime
            self._add(claim.key, _Settled(claim.fingerprint, answer, expires))

    def _wake(self, claim: Claim) -> bool:
        """Release a claim and wake the requests that wait for it; return whether it was held."""
        running = self._running.get(claim.key)
        if running is None or running.claim is not claim:
            return False
        del self._running[claim.key]
        for waiter in running.waiters:
            if not waiter.done():
                waiter.set_result(None)
        return True

    def _expire(self) -> None:
        now = self._clock()
        while self._settled:
            key = next(iter(self._settled))
            if self._settled[key].expires > now:
                return
            del self._settled[key]

    def _add(self, key: str, settled: _Settled) -> None:
        answers, options = self._settled, self._options
        is_small = settled.size <= options.max_bytes
        while (
            answers
            and is_small
            and (
                len(answers) >= options.max_answers or self.size + settled.size > options.max_bytes
            )
        ):
            _, oldest = answers.popitem()
            self._evicted += oldest.answer is not None
        if is_small:
            answers[key] = settled
        else:
            self._evicted += settled.answer is not None
        if self._evicted and self._events.sinks:
            self._report(self._clock())

    def _report(self, now: float) -> None:
        if now - self._reported_at >= REPORT_SECONDS:
            self._events.emit(AnswerForgotten("evicted", self._evicted))
            self._reported_at, self._evicted = now, 0
