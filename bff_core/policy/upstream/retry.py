"""Retries: whether, and after how long, a failed call is sent again."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from bff_core.call import Call, Reply
from bff_core.clock import Chance
from bff_core.errors import (
    AttemptTimedOut,
    ConfigurationError,
    TransportFailed,
    UpstreamError,
)
from bff_core.http_statuses import RETRYABLE
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check
from bff_core.policy.window import Window
from bff_core.retry_after import retry_after

Failure = Reply | UpstreamError
"""The outcome of a failed attempt: a reply with a failing status, or an error."""

Refusal = Literal["final", "attempts", "not_idempotent", "retry_after", "deadline", "budget"]
"""Why a failure is not retried; `final` means that another attempt could not help."""


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How failed calls are sent again; durations in seconds."""

    attempts: Annotated[
        int, Option("How many times a call is sent at most, the first time included", 1, 10)
    ] = 3
    backoff: Annotated[
        float, Option("The longest delay before the second attempt; doubles each time", 0, 60)
    ] = 0.025
    backoff_max: Annotated[float, Option("The longest delay before any attempt", 0, 60)] = 0.25
    statuses: frozenset[int] = RETRYABLE
    """The statuses that are retried; a 429 only if it has a Retry-After."""
    budget_ratio: Annotated[
        float, Option("How many retries the upstream's recent calls allow, per call", 0, 1)
    ] = 0.2
    budget_min: Annotated[
        int, Option("How many recent retries are allowed however few the calls", 0, 1000)
    ] = 3
    budget_window: Annotated[float, Option("How long a call is recent", 1, 600)] = 10.0

    def __post_init__(self) -> None:
        check(self)
        if self.backoff_max < self.backoff:
            raise ConfigurationError("Retry.backoff_max must be at least Retry.backoff")
        if not all(400 <= status <= 599 for status in self.statuses):
            raise ConfigurationError(
                f"Retry.statuses must be 400 to 599, not {sorted(self.statuses)}"
            )

    def pause(self, attempt: int, chance: Chance) -> float:
        """Return the delay after an attempt: exponential backoff with full jitter.

        Source: AWS builders' library, "Timeouts, retries and backoff with jitter".
        """
        return chance() * min(self.backoff_max, self.backoff * 2.0 ** (attempt - 1))


class RetryBudget:
    """How many retries one upstream may get: a share of its recent calls, and a few more.

    Otherwise retries would multiply the load of a failing upstream.
    """

    __slots__ = ("_calls", "_options", "_retries")

    def __init__(self, options: Retry) -> None:
        self._options = options
        self._calls = Window(options.budget_window)
        self._retries = Window(options.budget_window)

    @property
    def attempts(self) -> int:
        """How many times a call is sent at most, whatever the reason to send it again."""
        return self._options.attempts

    def deposit(self, now: float) -> None:
        """Count a call, which pays for a fraction of a retry."""
        self._calls.add(now)

    def withdraw(self, now: float) -> bool:
        """Take one retry; return False when none is left."""
        if self.left(now) < 1:
            return False
        self._retries.add(now)
        return True

    def left(self, now: float) -> float:
        """Return how many retries are left."""
        return self.size(now) - self._retries.total(now)

    def size(self, now: float) -> float:
        """Return how many retries the recent calls allow, used ones included."""
        return self._options.budget_min + self._options.budget_ratio * self._calls.total(now)


def decide(
    options: Retry,
    call: Call,
    failure: Failure,
    *,
    attempt: int,
    now: float,
    wall: float,
    chance: Chance,
    budget: RetryBudget,
) -> float | Refusal:
    """Return the delay in seconds before another attempt, or why there is none.

    `attempt` is how many attempts were made. A delay costs one retry of the budget.
    """
    wait = _retry_after_seconds(failure, wall)
    if not _may_help(failure, wait):
        return "final"
    if attempt >= options.attempts:
        return "attempts"
    if not _may_be_sent_again(call, failure):
        return "not_idempotent"
    delay = max(wait, options.pause(attempt, chance))
    if now + delay >= call.deadline:
        return "retry_after" if now + wait >= call.deadline else "deadline"
    return delay if budget.withdraw(now) else "budget"


def _retry_after_seconds(failure: Failure, wall: float) -> float:
    """Return the seconds of Retry-After; without the field 0, or infinity for a 429."""
    if not isinstance(failure, Reply):
        return 0.0
    wait = retry_after(failure, wall=wall)
    if wait is None:
        return math.inf if failure.status == 429 else 0.0
    return wait


def _may_help(failure: Failure, wait: float) -> bool:
    if isinstance(failure, Reply):
        return wait < math.inf
    if isinstance(failure, TransportFailed):
        return not failure.is_lasting
    # All other errors are final: a refused call would be refused again, a wrong payload would not
    # fit the second time, and there is no time after the deadline.
    return isinstance(failure, AttemptTimedOut)


def _may_be_sent_again(call: Call, failure: Failure) -> bool:
    was_never_received = isinstance(failure, TransportFailed) and not failure.is_sent
    return (call.is_idempotent or was_never_received) and call.can_be_sent_again
