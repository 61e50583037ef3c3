"""How many calls an upstream gets at once, and who is next."""

from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from bff_core.errors import ConfigurationError
from bff_core.policy.options import Option, check
from bff_core.policy.upstream.concurrency import Adaptive

Waiter = TypeVar("Waiter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulkhead:
    """How many calls may be under way to one upstream, and how many may wait for their turn.

    `adaptive` lets the limit follow what the upstream can take, up to `concurrent`.
    """

    concurrent: Annotated[int, Option("How many calls may be under way", 1, 100_000)] = 100
    queue: Annotated[int, Option("How many further calls may wait", 0, 100_000)] = 100
    adaptive: Adaptive | None = None

    def __post_init__(self) -> None:
        check(self)
        if not isinstance(self.adaptive, Adaptive | None):
            raise ConfigurationError("Bulkhead.adaptive must be Adaptive(...) or None")
        if self.adaptive is not None and self.adaptive.least > self.concurrent:
            raise ConfigurationError("Bulkhead.concurrent must be at least Adaptive.least")


class Permits(Generic[Waiter]):
    """The permits of one upstream and the queue for them: first come, first served.

    Whoever gives a permit back hands it on at once, so that no newcomer can overtake the queue.
    `limit` may be moved while calls are under way: permits beyond a lowered limit lapse as their
    calls end; whoever raises it promotes those who wait.
    """

    __slots__ = ("_queue", "in_use", "limit", "options")

    def __init__(self, options: Bulkhead) -> None:
        self.options = options
        self.limit = options.concurrent
        self.in_use = 0
        # A dict keeps the order of arrival and lets anyone leave from the middle at once.
        self._queue: dict[Waiter, None] = {}

    @property
    def waiting(self) -> int:
        """How many wait for a permit."""
        return len(self._queue)

    def admit(self) -> bool:
        """Take a permit if one is free and nobody waits for it."""
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
        """Hand a free permit to the first waiter, who is returned; None when there is neither."""
        if not self._queue or self.in_use >= self.limit:
            return None
        waiter = next(iter(self._queue))
        del self._queue[waiter]
        self.in_use += 1
        return waiter
