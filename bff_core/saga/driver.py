"""Moves one saga on, each step written down before and after; belongs to the gateway."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import msgspec

from bff_core.clock import Chance
from bff_core.errors import BadStatus, BFFError, ClientError, NotSent, PartFailed, StoreUnavailable
from bff_core.events import Events, SagaEnded, SagaStuck
from bff_core.saga.entry import (
    Do,
    End,
    Entry,
    Failure,
    Step,
    StepPlan,
    Undo,
    is_committed,
    may_turn_back,
    next_move,
)
from bff_core.saga.journal.interface import Journal

UNDECIDED = frozenset({408, 425, 429})
"""Statuses of a client's fault that say no more than: not now."""


class Pace(Protocol):
    """How long a saga may take over what; see `SagaPolicy`."""

    @property
    def tries(self) -> int:
        """How often in a row something is tried."""
        ...

    @property
    def backoff(self) -> float:
        """The first pause between two tries (seconds)."""
        ...

    @property
    def pause(self) -> float:
        """The first pause of a saga that is stuck (seconds)."""
        ...

    @property
    def longest_pause(self) -> float:
        """The longest."""
        ...

    @property
    def retention(self) -> float:
        """How long an end is remembered (seconds)."""
        ...


class Work(Protocol):
    """What a saga does: its steps and compensations, each bounded in time."""

    async def do(self, step: int, entry: Entry) -> object:
        """Run a step."""
        ...

    async def undo(self, step: int, entry: Entry) -> None:
        """Run its compensation."""


class Lost(Exception):  # no error: another process goes on with the saga
    """Somebody else holds the entry now."""


class Driver:
    """One saga under way, held by this process; `ended` is set when it ends or is put aside."""

    def __init__(
        self,
        entry: Entry,
        plan: Sequence[StepPlan],
        work: Work,
        journal: Journal,
        *,
        owner: str,
        lease: float,
        pace: Pace,
        chance: Chance,
        events: Events,
    ) -> None:
        self.entry = entry
        self.ended = asyncio.Event()
        self.error: StoreUnavailable | None = None
        self._plan = plan
        self._work = work
        self._journal = journal
        self._owner = owner
        self._lease = lease
        self._pace = pace
        self._chance = chance
        self._events = events

    def turn_back(self, why: Failure) -> None:
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
                step.state = "undoing"
        while True:
            move = next_move(self.entry, self._plan)
            if isinstance(move, End):
                break
            if self.entry.steps[move.step].tries < self._pace.tries:
                await self._make(move)
            elif self._give_up(move):
                break
        await self._finish()

    def _give_up(self, move: Do | Undo) -> bool:
        """Whether the saga is put aside, since what is to be done does not succeed now."""
        step = self.entry.steps[move.step]
        if isinstance(move, Undo):
            step.state = "not-undone"
            return False
        if self.entry.direction == "back" or not may_turn_back_from(self.entry, self._plan, move):
            return True
        self.entry.direction = "back"
        self.entry.failure = self.entry.failure or step.failure
        step.tries = 0
        return False

    async def _make(self, move: Do | Undo) -> None:
        step = self.entry.steps[move.step]
        if step.tries:
            await asyncio.sleep(self._backoff(step.tries))
        step.tries += 1
        if isinstance(move, Do):
            step.state = "started"
            await self._record()
            await self._do(move.step, step)
        else:
            step.state = "undoing"
            await self._record()
            await self._undo(move.step, step)

    async def _do(self, place: int, step: Step) -> None:
        try:
            result = await self._work.do(place, self.entry)
            step.result = msgspec.json.encode(result).decode()
        except Exception as error:  # noqa: BLE001 # whatever it is, the effect may have happened
            step.failure = failure_of(error)
            if is_definite(error):
                self._fail(step)
                await self._record()
        else:
            step.state, step.failure = "done", None
            await self._record()

    def _fail(self, step: Step) -> None:
        """Note that a step did not happen, and turn back."""
        if is_committed(self.entry, self._plan):
            return  # behind the commit point there is only forward: it is tried again
        step.state = "failed"
        self.entry.direction = "back"
        self.entry.failure = self.entry.failure or step.failure

    async def _undo(self, place: int, step: Step) -> None:
        try:
            await self._work.undo(place, self.entry)
        except Exception as error:  # noqa: BLE001 # whatever it is, it is not undone
            step.failure = failure_of(error)
        else:
            step.state, step.failure = "undone", None
            await self._record()

    async def _finish(self) -> None:
        entry = self.entry
        move = next_move(entry, self._plan)
        if isinstance(move, End) and move.outcome:
            entry.outcome = move.outcome
            # What had no effect may be tried again under the same key.
            retention = self._pace.retention if entry.had_effects else 0.0
            await self._journal.end(entry.id, entry.encode(), self._owner, retention)
            self._tell(SagaEnded(entry.saga, entry.id, move.outcome))
            return
        entry.resumed += 1
        pause = min(self._pace.longest_pause, self._pace.pause * 2 ** min(entry.resumed - 1, 16))
        await self.park(pause)
        stuck = next(s for s in entry.steps if s.state in {"started", "undoing", "not-undone"})
        code = stuck.failure.code if stuck.failure else ""
        self._tell(SagaStuck(entry.saga, entry.id, stuck.name, code, pause))

    async def _record(self) -> None:
        entry = self.entry
        if not await self._journal.record(entry.id, entry.encode(), self._owner, self._lease):
            raise Lost

    def _backoff(self, tries: int) -> float:
        return float(self._pace.backoff * 2 ** min(tries - 1, 6) * (0.5 + self._chance() / 2))

    def _tell(self, event: SagaEnded | SagaStuck) -> None:
        if self._events.sinks:
            self._events.emit(event)


def may_turn_back_from(entry: Entry, plan: Sequence[StepPlan], move: Do) -> bool:
    """Whether a step that does not come through may be learnt and undone instead."""
    return not plan[move.step].commits and may_turn_back(entry, plan)


def is_definite(error: BaseException) -> bool:
    """Whether the error proves that the step had no effect.

    1. A service's answer that blames the request: it refused.
    2. A call that was never sent.
    3. The step's own refusal, before any call or after one that was answered.

    All else (timeouts, broken connections, 5xx, answers that can't be read, bugs) leaves it open.
    """
    match error:
        case PartFailed(cause=cause):
            return is_definite(cause)
        case BadStatus(reply=reply):
            return 400 <= reply.status < 500 and reply.status not in UNDECIDED
        case NotSent(attempts=attempts):
            return attempts == 0
    return isinstance(error, ClientError)


def failure_of(error: BaseException) -> Failure:
    """Return what a client may be told of an error, as problem details would."""
    if isinstance(error, PartFailed):
        return failure_of(error.cause)
    if isinstance(error, BFFError):
        return Failure(status=error.status, code=error.code, title=error.title, detail=error.detail)
    return Failure(status=500, code=BFFError.code, title=BFFError.title)
