"""Answers to keyed requests in the memory of this process, bounded in number and bytes."""

import asyncio
from contextlib import suppress

from cachetools import FIFOCache

from bff_core.clock import Clock
from bff_core.events import AnswerForgotten, Events
from bff_core.idempotency.interface import REUSED, RUNNING, Claim, Found
from bff_core.policy.edge.idempotency import IdempotencyOptions, StoredAnswer

OVERHEAD = 700
"""Bytes (about) that an entry takes beside its body and its header fields."""

REPORT_SECONDS = 60.0
"""Seconds between two events of evictions: under pressure there are as many as requests."""


class _Running:
    """A key that is claimed, and who waits for its end."""

    __slots__ = ("claim", "waiters")

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.waiters: list[asyncio.Future[None]] = []


class _Settled:
    """A key that is free: its request's print, and the answer if that was final."""

    __slots__ = ("answer", "expires", "print", "size")

    def __init__(self, print_: bytes, answer: StoredAnswer | None, expires: float) -> None:
        self.print = print_
        self.answer = answer
        self.expires = expires
        self.size = OVERHEAD if answer is None else OVERHEAD + answer.size


class MemoryIdempotencyStore:
    """Claims and answers of one process; a second process knows nothing of them.

    The oldest answers go first when there are more than `max_answers` or they take more than
    `max_bytes`. Claims are bounded by the requests in flight.
    """

    def __init__(self, options: IdempotencyOptions, clock: Clock, events: Events) -> None:
        self._options = options
        self._clock = clock
        self._events = events
        self._running: dict[str, _Running] = {}
        # In the order in which they were settled, hence in that of their expiry.
        self._settled: FIFOCache[str, _Settled] = FIFOCache(
            options.max_bytes, getsizeof=lambda settled: settled.size
        )
        self._evicted = 0
        self._reported_at = -REPORT_SECONDS

    def __repr__(self) -> str:
        return f"memory     {len(self._settled)} answers, {len(self._running)} running"

    @property
    def size(self) -> int:
        """How many bytes its answers take, about."""
        return int(self._settled.currsize)

    async def claim(self, key: str, print: bytes) -> Found:  # noqa: A002 # the field's name
        """Return the claim of a key that is free, or what became of it."""
        running = self._running.get(key)
        if running is not None:
            return RUNNING if running.claim.print == print else REUSED
        self._expire()
        settled = self._settled.get(key)
        if settled is not None:
            if settled.print != print:
                return REUSED
            if settled.answer is not None:
                return settled.answer
            del self._settled[key]
        claim = Claim(key, print)
        self._running[key] = _Running(claim)
        return claim

    async def save(self, claim: Claim, answer: StoredAnswer) -> None:
        """Keep the final answer for the key's lifetime, and let go of the claim."""
        self._settle(claim, answer)

    def release(self, claim: Claim, *, forget: bool = False) -> None:
        """Let go of the claim; what the key was used for is remembered unless `forget`."""
        if forget:
            self._wake(claim)
        else:
            self._settle(claim, None)

    async def wait_for_change(self, key: str, timeout: float) -> None:  # noqa: ASYNC109 # a store may poll
        """Wait until the claim of the key is let go of, `timeout` seconds at most."""
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
            self._store(claim.key, _Settled(claim.print, answer, expires))

    def _wake(self, claim: Claim) -> bool:
        """Let go of a claim once; those who wait for it look again."""
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

    def _store(self, key: str, settled: _Settled) -> None:
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
