"""How one saga executes: it journals each step before and after, and compensates on failure."""

import asyncio
from collections.abc import Sequence

import msgspec

from bff_core.clock import Chance, Clock
from bff_core.errors import BFFError, PartFailed, StoreUnavailable
from bff_core.events import Events, SagaEnded, SagaStuck
from bff_core.saga.indeterminate import Effect, effect_of, is_settled, may_be_busy
from bff_core.saga.journal.interface import Journal
from bff_core.saga.policy import SagaPolicy
from bff_core.saga.record import (
    Do,
    End,
    SagaRecord,
    StepFailure,
    StepPlan,
    StepRecord,
    Undo,
    can_compensate,
    is_committed,
    next_action,
    unsettled,
)
from bff_core.saga.step_runner import Done, Failed, NotDone, StepRunner

INDETERMINATE = frozenset({"started", "undoing"})
"""States of a step whose request was sent, and whose outcome is not known."""


class LeaseLost(Exception):  # no error: another process continues the saga
    """Another process holds the lease of the record now."""


class SagaExecution:
    """The execution of one saga in this process; `ended` is set when it ends or is parked.

    `cause` is the last error of a step while the saga went forward; `last_error` is the last error
    of any attempt.
    """

    def __init__(
        self,
        record: SagaRecord,
        plan: Sequence[StepPlan],
        steps: StepRunner,
        journal: Journal,
        *,
        owner: str,
        lease: float,
        policy: SagaPolicy,
        wall: Clock,
        chance: Chance,
        events: Events,
    ) -> None:
        self.record = record
        self.ended = asyncio.Event()
        self.error: StoreUnavailable | None = None
        self.cause: Exception | None = None
        self.last_error: Exception | None = None
        self._plan = plan
        self._steps = steps
        self._journal = journal
        self._owner = owner
        self._lease = lease
        self._policy = policy
        self._wall = wall
        self._chance = chance
        self._events = events
        self._skipped: set[int] = set()

    def compensate(self, reason: StepFailure) -> None:
        """Compensate the completed steps, unless the commit point has begun."""
        if self.record.direction == "forward" and can_compensate(self.record, self._plan):
            self.record.direction = "back"
            self.record.failure = self.record.failure or reason

    async def run(self) -> None:
        """Execute until the saga has ended, or has to be parked for a while."""
        try:
            await self._execute()
        except LeaseLost:
            pass
        except StoreUnavailable as error:
            # The last effect may not be journaled: a process that takes over repeats it by its key.
            self.error = error
        finally:
            self.ended.set()

    async def park(self, seconds: float = 0.0) -> None:
        """Release the lease, so that any process may continue after some seconds."""
        await self._journal.park(self.record.id, self.record.encode(), self._owner, seconds)

    async def _execute(self) -> None:
        for step in self.record.steps:
            step.tries = 0
            if step.state == "not-undone":
                step.state = "undoing" if step.since else "done"
        while not isinstance(action := self._next(), End):
            step = self.record.steps[action.step]
            # If the last attempt leaves the outcome unknown, the check runs too.
            needs_check = self._needs_check(action)
            if step.tries < self._policy.tries + needs_check and (
                needs_check or not self._has_key_expired(step)
            ):
                await self._attempt(action, needs_check=needs_check)
            elif self._exhausted(action):
                break
        await self._finish(action)

    def _next(self) -> Do | Undo | End:
        return next_action(self.record, self._plan, self._skipped)

    def _has_key_expired(self, step: StepRecord) -> bool:
        """Return whether services may have forgotten the key of the step's request."""
        return step.state in INDETERMINATE and self._wall() - step.since > self._policy.key_lifetime

    def _needs_check(self, action: Do | Undo) -> bool:
        """Return whether a check has to find out the outcome before the request is sent again."""
        is_unknown = self.record.steps[action.step].state in INDETERMINATE
        return is_unknown and self._plan[action.step].is_checked(undo=isinstance(action, Undo))

    def _exhausted(self, action: Do | Undo) -> bool:
        """Handle an action whose attempts are exhausted; return whether to park the saga.

        1. A compensation that fails does not block the other compensations.
        2. Nor does a step whose outcome can't be found out.
        3. Before the commit point, the saga is compensated.
        4. After it, the saga is parked and tried again later.
        """
        record, step = self.record, self.record.steps[action.step]
        if isinstance(action, Undo):
            step.state = "not-undone"
        elif record.direction == "back":
            self._skipped.add(action.step)
        elif can_compensate(record, self._plan):
            self._fail_step(step)
            step.tries = 0
        else:
            return True
        return False

    def _fail_step(self, step: StepRecord) -> None:
        """Compensate because of a step; a step that was not sent, or was refused, has failed."""
        if step.state == "not-started":
            step.state = "failed"
        self.record.direction = "back"
        self.record.failure = self.record.failure or step.failure

    async def _attempt(self, action: Do | Undo, *, needs_check: bool) -> None:
        step = self.record.steps[action.step]
        if step.tries:
            await asyncio.sleep(self._backoff(step.tries))
            if self._next() != action:
                return  # the direction changed meanwhile
        if needs_check:
            await self._check(action, step)
        else:
            await self._send(action, step)
        if step.state not in INDETERMINATE:
            await self._save()

    async def _check(self, action: Do | Undo, step: StepRecord) -> None:
        """Run the check of the outcome; a check without a result counts as an attempt."""
        steps, record, is_undo = self._steps, self.record, isinstance(action, Undo)
        found = await (steps.find_undone if is_undo else steps.find)(action.step, record)
        if isinstance(found, Done):
            if is_undo:
                self._apply_undo_result(step, found, is_again=True)
            else:
                self._apply_result(step, found, is_again=True)
        elif isinstance(found, NotDone) and self._wall() >= step.sent + self._policy.check_delay:
            step.since = step.sent = 0.0
            step.state = "done" if is_undo else "not-started"
            if record.direction == "back" and not is_undo:
                step.state = "failed"
        else:
            step.tries += 1
            if isinstance(found, Failed):
                step.failure = failure_of(found.error)

    async def _send(self, action: Do | Undo, step: StepRecord) -> None:
        before = step.state
        step.sent = self._wall()
        if before not in INDETERMINATE:
            step.since = step.sent
        step.tries += 1
        step.state = "started" if isinstance(action, Do) else "undoing"
        await self._record_before_sending(step, before)
        if isinstance(action, Undo):
            ended = await self._steps.undo(action.step, self.record)
            self._apply_undo_result(step, ended, is_again=before == "undoing")
        elif before == "not-started" and self.record.direction == "back":
            step.state = before  # the direction changed: not sent
        else:
            ended = await self._steps.do(action.step, self.record)
            self._apply_result(step, ended, is_again=before == "started")

    async def _record_before_sending(self, step: StepRecord, before: str) -> None:
        """Journal that a request is about to be sent; if that fails, it is not sent."""
        try:
            await self._save()
        except StoreUnavailable:
            if before == "not-started":
                step.state = "not-started"
            raise

    def _apply_result(self, step: StepRecord, ended: Done | Failed, *, is_again: bool) -> None:
        if isinstance(ended, Done):
            step.state, step.result = "done", ended.result
            step.failure, step.tries = None, 0
            return
        effect = self._apply_failure(step, ended, is_again=is_again)
        if step.since:
            return
        step.state = "not-started"
        if effect != "later" and not is_committed(self.record, self._plan):
            self._fail_step(step)

    def _apply_undo_result(self, step: StepRecord, ended: Done | Failed, *, is_again: bool) -> None:
        if isinstance(ended, Done):
            step.state, step.failure = "undone", None
            return
        self._apply_failure(step, ended, is_again=is_again)
        if not step.since:
            step.state = "done"

    def _apply_failure(self, step: StepRecord, failed: Failed, *, is_again: bool) -> Effect:
        """Record the failure of an attempt, and whether it is known to have had no effect.

        `is_again` is whether an earlier attempt may have taken effect. A service that refused a key
        refuses it again, so that the next attempt gets another key.
        """
        step.failure, self.last_error = failure_of(failed.error), failed.error
        step.sent = 0.0 if is_settled(failed.error, failed.unsafe_calls) else self._wall()
        if self.record.direction == "forward":
            self.cause = failed.error
        effect = effect_of(failed.error, failed.unsafe_calls)
        if effect == "refused":
            is_known = not (is_again and may_be_busy(step.failure, self._wall() - step.since))
            step.round += is_known
        else:
            is_known = effect != "open" and not is_again
        if is_known:
            step.since = 0.0
        return effect

    async def _finish(self, action: Do | Undo | End) -> None:
        record = self.record
        if isinstance(action, End) and action.outcome:
            record.outcome = action.outcome
            # A compensated saga that may succeed now starts again when its key is sent again.
            retention = 0.0 if record.may_be_repeated else self._policy.retention
            await self._journal.end(record.id, record.encode(), self._owner, retention)
            self._emit(SagaEnded(record.saga, record.id, action.outcome))
            return
        record.resumed += 1
        pause = min(
            self._policy.longest_pause, self._policy.pause * 2 ** min(record.resumed - 1, 16)
        )
        await self.park(pause)
        stuck = unsettled(record, self._plan) or record.steps[-1]
        code = stuck.failure.code if stuck.failure else ""
        self._emit(SagaStuck(record.saga, record.id, stuck.name, code, pause, self.last_error))

    async def _save(self) -> None:
        record = self.record
        if not await self._journal.record(record.id, record.encode(), self._owner, self._lease):
            raise LeaseLost

    def _backoff(self, tries: int) -> float:
        policy = self._policy
        backoff = min(policy.longest_backoff, policy.backoff * 2 ** (tries - 1))
        return float(backoff * (0.5 + self._chance() / 2))

    def _emit(self, event: SagaEnded | SagaStuck) -> None:
        if self._events.sinks:
            self._events.emit(event)


def failure_of(error: BaseException) -> StepFailure:
    """Return the public part of an error, as problem details have it."""
    if isinstance(error, PartFailed):
        return failure_of(error.cause)
    if not isinstance(error, BFFError):
        return StepFailure(status=500, code=BFFError.code, title=BFFError.title)
    return StepFailure(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        retry_after=error.retry_after,
        members=msgspec.to_builtins(dict(error.members), enc_hook=str),
    )
