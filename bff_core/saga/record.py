"""What is known of one run of a saga, and what follows from it: no I/O, no clock."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from bff_core.policy.edge.idempotency import is_decided

StepState = Literal["not-started", "started", "done", "failed", "undoing", "undone", "not-undone"]
Direction = Literal["forward", "back"]
Outcome = Literal["", "done", "undone"]


@dataclass(frozen=True, slots=True)
class StepPlan:
    """A step as its class declares it: whether it is the commit point, and can be undone.

    `has_check` is whether a read finds out if it happened, `undo_has_check` whether one finds out
    if it is undone. A compensation that is not `undo_is_keyed` is not sent again unless its own
    check found that it did not happen.
    """

    name: str
    commits: bool
    has_undo: bool
    has_check: bool = False
    undo_has_check: bool = False
    undo_is_keyed: bool = True

    def is_checked(self, *, undo: bool) -> bool:
        """Whether a read has to find out what became of it, before it is sent again."""
        if not undo:
            return self.has_check
        return self.undo_has_check or (self.has_check and not self.undo_is_keyed)


@dataclass(slots=True, kw_only=True)
class StepFailure:
    """Why a step failed, as a client may be told: `status` and `code` are those of problems.

    `retry_after` (seconds) is set where it is known when it may succeed. `members` are what else
    problem details say of it, as JSON values.
    """

    status: int
    code: str
    title: str
    detail: str = ""
    retry_after: float | None = None
    members: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class StepRecord:
    """How far one step has come.

    `result` is JSON once it is done. `since` is the instant (wall clock) at which the step, or its
    undoing, was first sent; 0 where that had no effect for certain. `round` counts how often it was
    declined, `tries` are those since somebody took the saga up. `sent` is the instant at which it
    was last sent, or given up: the service may work on it still; 0 once that is over.
    """

    name: str
    state: StepState = "not-started"
    result: str = ""
    failure: StepFailure | None = None
    since: float = 0.0
    round: int = 0
    tries: int = 0
    sent: float = 0.0


@dataclass(slots=True, kw_only=True)
class SagaRecord:
    """One run of a saga as the journal keeps it.

    `id` is what it is found by: it follows from the request's Idempotency-Key. `run` is random;
    the keys of its calls follow from it, so that what is begun anew under one id is new to the
    services, too. `inputs` and `viewer` are JSON: what a resumed run is built from; `rights` are
    those of the viewer who began it. `created` is an instant of the wall clock, `resumed` counts
    how often it was put aside.
    """

    id: str
    run: str
    saga: str
    inputs: str
    viewer: str
    audience: str
    steps: list[StepRecord]
    traceparent: str = ""
    direction: Direction = "forward"
    outcome: Outcome = ""
    created: float = 0.0
    resumed: int = 0
    failure: StepFailure | None = None
    rights: str = ""

    def encode(self) -> bytes:
        """Return the entry as a journal stores it."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, body: bytes) -> "SagaRecord":
        """Read what `encode` wrote."""
        return msgspec.json.decode(body, type=SagaRecord)

    @property
    def kind(self) -> str:
        """Who can go on with it: those that know the saga, and the same steps of it."""
        return kind_of(self.saga, [step.name for step in self.steps])

    @property
    def may_be_repeated(self) -> bool:
        """Whether its key may be used again: all is undone, for a cause that may pass."""
        failure = self.failure
        if self.outcome != "undone" or failure is None:
            return False
        return not is_decided(failure.status, says_wait=failure.retry_after is not None)


def kind_of(saga: str, steps: Sequence[str]) -> str:
    """Return what tells one version of a saga from others."""
    return "/".join((saga, *steps))


@dataclass(frozen=True, slots=True)
class Do:
    """Run the step, or send it again to learn how it ended."""

    step: int


@dataclass(frozen=True, slots=True)
class Undo:
    """Run the step's compensation."""

    step: int


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to be done."""

    outcome: Outcome


Move = Do | Undo | End


def next_move(entry: SagaRecord, plan: Sequence[StepPlan], passed: Collection[int] = ()) -> Move:
    """Return what follows from what is known.

    Forward, the first step that is not done. Back, first the step whose outcome is unknown: it has
    to be learnt before it can be undone; then what was done, the latest first. What does not
    succeed now (`passed`, or "not-undone") does not keep the others from being undone.
    """
    if entry.direction == "forward":
        return _forward(entry)
    for place, step in enumerate(entry.steps):
        if step.state == "started" and plan[place].has_undo and place not in passed:
            return Do(place)
    for place in reversed(range(len(plan))):
        state = entry.steps[place].state
        if state == "undoing" or (state == "done" and plan[place].has_undo):
            return Undo(place)
    return End("undone" if unsettled(entry, plan) is None else "")


def _forward(entry: SagaRecord) -> Move:
    for place, step in enumerate(entry.steps):
        if step.state in {"not-started", "started"}:
            return Do(place)
    return End("done")


def unsettled(entry: SagaRecord, plan: Sequence[StepPlan]) -> StepRecord | None:
    """Return a step that could not be undone, or whose outcome not be learnt, for now.

    On the way back nobody needs to know the outcome of a step that has no compensation.
    """
    for step, planned in zip(entry.steps, plan, strict=True):
        if step.state in {"undoing", "not-undone"}:
            return step
        if step.state == "started" and (entry.direction == "forward" or planned.has_undo):
            return step
    return None


def may_turn_back(entry: SagaRecord, plan: Sequence[StepPlan]) -> bool:
    """Whether the commit point is still ahead: it was not even begun."""
    return all(
        step.state == "not-started"
        for step, planned in zip(entry.steps, plan, strict=True)
        if planned.commits
    )


def is_committed(entry: SagaRecord, plan: Sequence[StepPlan]) -> bool:
    """Whether the commit point is passed: from then on there is only forward."""
    return any(
        step.state == "done"
        for step, planned in zip(entry.steps, plan, strict=True)
        if planned.commits
    )


TOLD = {"started": "unknown", "undoing": "unknown"}


def told(entry: SagaRecord) -> list[dict[str, str]]:
    """Return how far each step has come, in a client's words."""
    return [{"step": step.name, "state": TOLD.get(step.state, step.state)} for step in entry.steps]
