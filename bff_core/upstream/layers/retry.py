"""Between coalesce and breaker: sends a failed call again, within its deadline and a budget."""

import asyncio
import time

from tenacity import AsyncRetrying, RetryCallState

from bff_core.call import Call, Handler, Reply
from bff_core.clock import Clock
from bff_core.errors import NotSent, UpstreamError
from bff_core.events import Retried, RetryRefused
from bff_core.policy.upstream.retry import Failure, Retry, RetryBudget, decide
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.state import BudgetState

REPORTED = frozenset({"budget", "deadline", "retry_after"})
"""The refusals that emit an event: under other conditions the call would be retried."""


class RetryLayer:
    """Makes up to `attempts` attempts; the outcome of the last one is that of the call.

    tenacity drives the attempts after the first one has failed, so that a success costs almost
    nothing. An error has the number of attempts that were sent. `budget` is the upstream's; hedges
    use it as well. A hedge is not retried, nor is the opening of a web socket, whose client tries
    again itself.
    """

    __slots__ = ("_clock", "_options", "_runtime", "_statuses", "_wall", "budget", "inner")

    def __init__(
        self,
        options: Retry,
        runtime: Runtime,
        inner: Handler,
        *,
        budget: RetryBudget | None = None,
        wall: Clock = time.time,
    ) -> None:
        self.inner = inner
        self.budget = budget or RetryBudget(options)
        self._options = options
        self._statuses = options.statuses
        self._runtime = runtime
        self._clock = runtime.clock
        self._wall = wall

    def __repr__(self) -> str:
        options = self._options
        return (
            f"retry      {options.attempts} attempts, {options.budget_ratio:.0%} of calls"
            f" + {options.budget_min}"
        )

    def state(self) -> BudgetState:
        """Return what operators see."""
        now = self._clock()
        return BudgetState(max(0.0, self.budget.left(now)), self.budget.size(now))

    async def __call__(self, call: Call) -> Reply:
        """Pass the call on, again if it fails."""
        if call.is_hedge or call.web_socket is not None:
            return await self.inner(call)
        self.budget.deposit(self._clock())
        failure: Failure
        try:
            failure = reply = await self.inner(call)
            if reply.status not in self._statuses:
                return reply
        except NotSent:
            raise
        except UpstreamError as error:
            failure = error
        return await _Attempts(self, call, failure).finish()

    def decide(self, call: Call, failure: Failure, attempt: int) -> float | None:
        """Return the delay in seconds before another attempt, or None; emit an event."""
        if isinstance(failure, Reply) and failure.status not in self._statuses:
            return None
        decision = decide(
            self._options,
            call,
            failure,
            attempt=attempt,
            now=self._clock(),
            wall=self._wall(),
            chance=self._runtime.chance,
            budget=self.budget,
        )
        self._report(call, failure, attempt, decision)
        return decision if isinstance(decision, float) else None

    def _report(self, call: Call, failure: Failure, attempt: int, decision: float | str) -> None:
        events = self._runtime.events
        if not events.sinks:
            return
        if isinstance(decision, float):
            reason = str(failure.status) if isinstance(failure, Reply) else failure.code
            events.emit(
                Retried(
                    call.upstream, call.operation, attempt + 1, reason, decision, span=call.span
                )
            )
        elif decision in REPORTED:
            events.emit(RetryRefused(call.upstream, call.operation, decision, span=call.span))


class _Attempts:
    """The attempts of one call after the first has failed, driven by tenacity.

    Failures are values: tenacity would store an exception, and its frames form a cycle.
    """

    def __init__(self, layer: RetryLayer, call: Call, failure: Failure) -> None:
        self._layer = layer
        self._call = call
        self._outcome = failure
        self._sent = 1
        self._is_first = True
        self._delay = 0.0

    async def finish(self) -> Reply:
        """Retry until an attempt succeeds or no further one is allowed."""
        retrying = AsyncRetrying(
            sleep=self._sleep, retry=self._should_retry, wait=lambda _: self._delay
        )
        outcome: Failure = await retrying(self._attempt)
        if isinstance(outcome, Reply):
            return outcome
        outcome.attempts = max(self._sent, len(self._call.trail))
        raise outcome

    async def _attempt(self) -> Failure:
        if self._is_first:
            self._is_first = False
            return self._outcome
        before = self._outcome
        try:
            self._outcome = await self._layer.inner(self._call)
        except NotSent as refused:
            refused.__cause__ = before if isinstance(before, UpstreamError) else None
            self._outcome = refused
        except UpstreamError as error:
            self._outcome = error
            self._sent += 1
        return self._outcome

    async def _sleep(self, seconds: float) -> None:
        """Wait for the next attempt, without the connection of a streamed reply."""
        if isinstance(self._outcome, Reply):
            await self._outcome.aclose()
        await asyncio.sleep(seconds)

    def _should_retry(self, state: RetryCallState) -> bool:
        if state.outcome is None or state.outcome.failed:
            return False  # cancelled, or a bug in an inner layer
        # Inner layers may have sent the call again: a stale connection, other credentials.
        made = max(state.attempt_number, len(self._call.trail))
        delay = self._layer.decide(self._call, self._outcome, made)
        self._delay = delay or 0.0
        return delay is not None
