"""Moves one saga on, each step written down before and after; belongs to the gateway."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from bff_core.call import Call
from bff_core.clock import Chance, Clock
from bff_core.errors import BFFError, PartFailed, StoreUnavailable
from bff_core.events import Events, SagaEnded, SagaStuck
from bff_core.saga.indeterminate import Verdict, is_over, may_be_busy, verdict
from bff_core.saga.journal.interface import Journal
from bff_core.saga.pace import Pace, longest_backoff
from bff_core.saga.record import (
    Do,
    End,
    SagaRecord,
    StepFailure,
    StepPlan,
    StepRecord,
    Undo,
    is_committed,
    may_turn_back,
    next_move,
    unsettled,
)

UNDER_WAY = frozenset({"started", "undoing"})
"""States in which something was sent, and how it ended is not known."""


@dataclass(frozen=True, slots=True)
class Fell:
    """A try that failed, and the calls that it made beyond plain reads."""

    error: Exception
    unsafe_calls: Sequence[Call]


@dataclass(frozen=True, slots=True)
class Done:
    """A try that succeeded, and what the step returned, as JSON."""

    result: str = ""


@dataclass(frozen=True, slots=True)
class NotDone:
    """A check that found no effect of what was sent."""


class Work(Protocol):
    """What a saga does: its steps, their compensations and checks, each bounded in time."""

    async def do(self, step: int, entry: SagaRecord) -> Done | Fell:
        """Run a step."""
        ...

    async def undo(self, step: int, entry: SagaRecord) -> Done | Fell:
        """Run its compensation."""
        ...

    async def find(self, step: int, entry: SagaRecord) -> Done | NotDone | Fell:
        """Find out whether the step happened, by its check."""
        ...

    async def find_undone(self, step: int, entry: SagaRecord) -> Done | NotDone | Fell | None:
        """Find out whether it is undone; None where no check can tell."""
        ...


class Lost(Exception):  # no error: another process goes on with the saga
    """Somebody else holds the entry now."""


class SagaExecution:
    """One saga under way, held by this process; `ended` is set when it ends or is put aside.

    `cause` is what a step failed of last, on the way forward; `trouble` what any try failed of.
    """

    def __init__(
        self,
        entry: SagaRecord,
        plan: Sequence[StepPlan],
        work: Work,
        journal: Journal,
        *,
        owner: str,
        lease: float,
        pace: Pace,
        wall: Clock,
        chance: Chance,
        events: Events,
    ) -> None:
        self.entry = entry
        self.ended = asyncio.Event()
        self.error: StoreUnavailable | None = None
        self.cause: Exception | None = None
        self.trouble: Exception | None = None
        self._plan = plan
        self._work = work
        self._journal = journal
        self._owner = owner
        self._lease = lease
        self._pace = pace
        self._wall = wall
        self._chance = chance
        self._events = events
        self._passed: set[int] = set()

    def turn_back(self, why: StepFailure) -> None:
        """Undo what was done, unless the commit point was begun: nobody waits any more."""
        if self.entry.direction == "forward" and may_turn_back(self.entry, self._plan):
            self.entry.direction = "back"
            self.entry.failure = self.entry.failure or why

    async def run(self) -> None:
        """Go on until the saga has ended, or must be put aside for a while."""
        try:
            await self._go_on()
        except Lost:
            pass
        except StoreUnavailable as error:
            # What was done last may not be written down: whoever takes over learns it by its key.
            self.error = error
        finally:
            self.ended.set()

    async def park(self, seconds: float = 0.0) -> None:
        """Let somebody else go on, not before so many seconds."""
        await self._journal.park(self.entry.id, self.entry.encode(), self._owner, seconds)

    async def _go_on(self) -> None:
        for step in self.entry.steps:
            step.tries = 0
            if step.state == "not-undone":
                step.state = "undoing" if step.since else "done"
        while not isinstance(move := self._next(), End):
            step = self.entry.steps[move.step]
            # When the last try leaves it unknown, its check is due, too.
            is_unknown = self._needs_check(move)
            if step.tries < self._pace.tries + is_unknown and (
                is_unknown or not self._is_forgotten(step)
            ):
                await self._make(move, is_unknown=is_unknown)
            elif self._give_up(move):
                break
        await self._finish(move)

    def _next(self) -> Do | Undo | End:
        return next_move(self.entry, self._plan, self._passed)

    def _is_forgotten(self, step: StepRecord) -> bool:
        """Whether the services may no longer know the key under which the step was sent."""
        return step.state in UNDER_WAY and self._wall() - step.since > self._pace.key_lifetime

    def _needs_check(self, move: Do | Undo) -> bool:
        """Whether a read has to find out what became of it before anything is sent again."""
        is_unknown = self.entry.steps[move.step].state in UNDER_WAY
        return is_unknown and self._plan[move.step].is_checked(undo=isinstance(move, Undo))

    def _give_up(self, move: Do | Undo) -> bool:
        """Whether the saga is put aside, since what is to be done does not succeed now.

        1. What can't be undone does not keep the rest from being undone.
        2. What can't be learnt on the way back does not, either.
        3. Before the commit point there is a way back.
        4. Behind it there is none: only later.
        """
        entry, step = self.entry, self.entry.steps[move.step]
        if isinstance(move, Undo):
            step.state = "not-undone"
        elif entry.direction == "back":
            self._passed.add(move.step)
        elif may_turn_back(entry, self._plan):
            self._fail(step)
            step.tries = 0
        else:
            return True
        return False

    def _fail(self, step: StepRecord) -> None:
        """Turn back because of a step; one that was never sent, or was refused, did not happen."""
        if step.state == "not-started":
            step.state = "failed"
        self.entry.direction = "back"
        self.entry.failure = self.entry.failure or step.failure

    async def _make(self, move: Do | Undo, *, is_unknown: bool) -> None:
        step = self.entry.steps[move.step]
        if step.tries:
            await asyncio.sleep(self._backoff(step.tries))
            if self._next() != move:
                return  # turned back meanwhile
        if is_unknown:
            await self._find_out(move, step)
        else:
            await self._send(move, step)
        if step.state not in UNDER_WAY:
            await self._record()

    async def _find_out(self, move: Do | Undo, step: StepRecord) -> None:
        """Let a check say what became of it; what it can't say counts as a try."""
        work, entry, is_undo = self._work, self.entry, isinstance(move, Undo)
        found = await (work.find_undone if is_undo else work.find)(move.step, entry)
        if isinstance(found, Done):
            if is_undo:
                self._take_undone(step, found, is_again=True)
            else:
                self._take_done(step, found, is_again=True)
        elif isinstance(found, NotDone) and self._wall() >= step.sent + self._pace.check_delay:
            step.since = step.sent = 0.0
            step.state = "done" if is_undo else "not-started"
            if entry.direction == "back" and not is_undo:
                step.state = "failed"
        else:
            step.tries += 1
            if isinstance(found, Fell):
                step.failure = failure_of(found.error)

    async def _send(self, move: Do | Undo, step: StepRecord) -> None:
        before = step.state
        step.sent = self._wall()
        if before not in UNDER_WAY:
            step.since = step.sent
        step.tries += 1
        step.state = "started" if isinstance(move, Do) else "undoing"
        await self._announce(step, before)
        if isinstance(move, Undo):
            ended = await self._work.undo(move.step, self.entry)
            self._take_undone(step, ended, is_again=before == "undoing")
        elif before == "not-started" and self.entry.direction == "back":
            step.state = before  # turned back meanwhile: it need not be sent
        else:
            ended = await self._work.do(move.step, self.entry)
            self._take_done(step, ended, is_again=before == "started")

    async def _announce(self, step: StepRecord, before: str) -> None:
        """Write down what is about to be sent; where that fails nothing is sent."""
        try:
            await self._record()
        except StoreUnavailable:
            if before == "not-started":
                step.state = "not-started"
            raise

    def _take_done(self, step: StepRecord, ended: Done | Fell, *, is_again: bool) -> None:
        if isinstance(ended, Done):
            step.state, step.result = "done", ended.result
            step.failure, step.tries = None, 0
            return
        said = self._take_failure(step, ended, is_again=is_again)
        if step.since:
            return
        step.state = "not-started"
        if said != "later" and not is_committed(self.entry, self._plan):
            self._fail(step)

    def _take_undone(self, step: StepRecord, ended: Done | Fell, *, is_again: bool) -> None:
        if isinstance(ended, Done):
            step.state, step.failure = "undone", None
            return
        self._take_failure(step, ended, is_again=is_again)
        if not step.since:
            step.state = "done"

    def _take_failure(self, step: StepRecord, fell: Fell, *, is_again: bool) -> Verdict:
        """Note why a try failed, and whether what was sent is known to have had no effect.

        `is_again` is whether an earlier try may have had it. A service that declined a key will
        decline it again: if it must be tried once more, then under another one.
        """
        step.failure, self.trouble = failure_of(fell.error), fell.error
        step.sent = 0.0 if is_over(fell.error, fell.unsafe_calls) else self._wall()
        if self.entry.direction == "forward":
            self.cause = fell.error
        said = verdict(fell.error, fell.unsafe_calls)
        if said == "refused":
            is_known = not (is_again and may_be_busy(step.failure, self._wall() - step.since))
            step.round += is_known
        else:
            is_known = said != "open" and not is_again
        if is_known:
            step.since = 0.0
        return said

    async def _finish(self, move: Do | Undo | End) -> None:
        entry = self.entry
        if isinstance(move, End) and move.outcome:
            entry.outcome = move.outcome
            # What is undone, and may succeed now, is begun anew when the same key comes again.
            retention = 0.0 if entry.may_be_repeated else self._pace.retention
            await self._journal.end(entry.id, entry.encode(), self._owner, retention)
            self._tell(SagaEnded(entry.saga, entry.id, move.outcome))
            return
        entry.resumed += 1
        pause = min(self._pace.longest_pause, self._pace.pause * 2 ** min(entry.resumed - 1, 16))
        await self.park(pause)
        stuck = unsettled(entry, self._plan) or entry.steps[-1]
        code = stuck.failure.code if stuck.failure else ""
        self._tell(SagaStuck(entry.saga, entry.id, stuck.name, code, pause, self.trouble))

    async def _record(self) -> None:
        entry = self.entry
        if not await self._journal.record(entry.id, entry.encode(), self._owner, self._lease):
            raise Lost

    def _backoff(self, tries: int) -> float:
        longest = longest_backoff(self._pace)
        return float(
            min(longest, self._pace.backoff * 2 ** (tries - 1)) * (0.5 + self._chance() / 2)
        )

    def _tell(self, event: SagaEnded | SagaStuck) -> None:
        if self._events.sinks:
            self._events.emit(event)


def failure_of(error: BaseException) -> StepFailure:
    """Return what a client may be told of an error, as problem details would."""
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
