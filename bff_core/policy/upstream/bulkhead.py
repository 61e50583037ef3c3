"""Bulkhead: limits the concurrent calls to an upstream, and queues those beyond the limit."""

from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check
from bff_core.policy.upstream.concurrency import Adaptive

Waiter = TypeVar("Waiter")


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Bulkhead:
    """How many calls may be in flight to one upstream, and how many may queue.

    With `adaptive` the limit follows the latency of calls, up to `concurrent`.
    """

    concurrent: Annotated[int, Option("How many calls may be in flight", 1, 100_000)] = 100
    queue: Annotated[int, Option("How many further calls may queue", 0, 100_000)] = 100
    adaptive: Adaptive | None = None

    def __post_init__(self) -> None:
        check(self)
        if self.adaptive is not None and self.adaptive.least > self.concurrent:
            raise ConfigurationError("Bulkhead.concurrent must be at least Adaptive.least")


class Permits(Generic[Waiter]):
    """The permits of one upstream and the queue for them, first in, first out.

    After `release` the caller promotes the next waiter at once, so that no new call overtakes the
    queue. `limit` may change at any time. A lower limit applies as calls end; after a raise, the
    caller promotes waiters.
    """

    __slots__ = ("_queue", "in_use", "limit", "options")

    def __init__(self, options: Bulkhead) -> None:
        self.options = options
        self.limit = options.concurrent
        self.in_use = 0
        # A dict preserves the order of arrival, and removes any waiter in constant time.
        self._queue: dict[Waiter, None] = {}

    @property
    def waiting(self) -> int:
        """How many calls wait for a permit."""
        return len(self._queue)

    def admit(self) -> bool:
        """Take a permit if one is free and the queue is empty."""
        if self.in_use >= self.limit or self._queue:
            return False
        self.in_use += 1
        return True

    def join(self, waiter: Waiter) -> bool:
        """Queue for a permit; False when the queue is full."""
        if len(self._queue) >= self.options.queue:
            return False
        self._queue[waiter] = None
        return True

    def leave(self, waiter: Waiter) -> None:
        """Stop waiting."""
        self._queue.pop(waiter, None)

    def release(self) -> None:
        """Give a permit back."""
        self.in_use -= 1

    def promote(self) -> Waiter | None:
        """Give a free permit to the first waiter; return that waiter, or None."""
        if not self._queue or self.in_use >= self.limit:
            return None
        waiter = next(iter(self._queue))
        del self._queue[waiter]
        self.in_use += 1
        return waiter
