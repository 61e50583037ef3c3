"""The journaled state of a saga, and which action follows from it: a state machine without I/O."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from bff_core.policy.edge.idempotency import is_final_answer

StepState = Literal["not-started", "started", "done", "failed", "undoing", "undone", "not-undone"]
Direction = Literal["forward", "back"]
Outcome = Literal["", "done", "undone"]


@dataclass(frozen=True, slots=True)
class StepPlan:
    """A step as its class declares it: whether it is the commit point, and has a compensation.

    `has_check` is whether a check finds out if the step took effect, `undo_has_check` whether one
    finds out if it is compensated. A compensation that is not `undo_is_keyed` is sent again only if
    its check found that it had no effect.
    """

    name: str
    commits: bool
    has_undo: bool
    has_check: bool = False
    undo_has_check: bool = False
    undo_is_keyed: bool = True

    def is_checked(self, *, undo: bool) -> bool:
        """Return whether a check has to find out the outcome before the request is sent again."""
        if not undo:
            return self.has_check
        return self.undo_has_check or (self.has_check and not self.undo_is_keyed)


@dataclass(slots=True, kw_only=True)
class StepFailure:
    """The public part of a step's failure; `status` and `code` are those of problem details.

    `retry_after` (seconds) is set if it is known when a retry may succeed. `members` are the
    further members of problem details, as JSON values.
    """

    status: int
    code: str
    title: str
    detail: str = ""
    retry_after: float | None = None
    members: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class StepRecord:
    """The state of one step.

    `result` is JSON once the step is done. `since` is the Unix time at which the step, or its
    compensation, was first sent; 0 if that certainly had no effect. `round` counts refusals,
    `tries` counts attempts since a process took the saga over. `sent` is the Unix time at which it
    was last sent, or timed out, while the service may still process it; 0 after that.
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
    """The record of one saga in the journal.

    `id` is the key of the record, derived from the request's Idempotency-Key. `run` is random; the
    keys of its calls are derived from it, so that a saga that starts again under one id has new
    keys for the services. `inputs` and `viewer` are JSON, from which a process resumes the saga;
    `rights` are those of the viewer who began it. `created` is a Unix time, `resumed` counts how
    often the saga was parked.
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
        """Return the record as a journal stores it."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, body: bytes) -> "SagaRecord":
        """Decode a record of a journal."""
        return msgspec.json.decode(body, type=SagaRecord)

    @property
    def kind(self) -> str:
        """The name of the saga and its steps: a gateway with the same ones can continue it."""
        return kind_of(self.saga, [step.name for step in self.steps])

    @property
    def may_be_repeated(self) -> bool:
        """Whether a new run may start under its key: compensated, and a retry may succeed."""
        failure = self.failure
        if self.outcome != "undone" or failure is None:
            return False
        return not is_final_answer(failure.status, has_retry_after=failure.retry_after is not None)


def kind_of(saga: str, steps: Sequence[str]) -> str:
    """Return the name of one version of a saga: its name and its steps."""
    return "/".join((saga, *steps))


@dataclass(frozen=True, slots=True)
class Do:
    """Run a step, or repeat it to learn its outcome."""

    step: int


@dataclass(frozen=True, slots=True)
class Undo:
    """Run the compensation of a step."""

    step: int


@dataclass(frozen=True, slots=True)
class End:
    """Stop: no action is left."""

    outcome: Outcome


Action = Do | Undo | End


def next_action(
    record: SagaRecord, plan: Sequence[StepPlan], skipped: Collection[int] = ()
) -> Action:
    """Return the next action of a saga.

    Forward: the first step that is not done. Back: first a step whose outcome is unknown, since it
    has to be known before it can be compensated; then the completed steps, the latest first. An
    action that fails now (`skipped`, or "not-undone") does not block the other compensations.
    """
    if record.direction == "forward":
        return _forward(record)
    for index, step in enumerate(record.steps):
        if step.state == "started" and plan[index].has_undo and index not in skipped:
            return Do(index)
    for index in reversed(range(len(plan))):
        state = record.steps[index].state
        if state == "undoing" or (state == "done" and plan[index].has_undo):
            return Undo(index)
    return End("undone" if unsettled(record, plan) is None else "")


def _forward(record: SagaRecord) -> Action:
    for index, step in enumerate(record.steps):
        if step.state in {"not-started", "started"}:
            return Do(index)
    return End("done")


def unsettled(record: SagaRecord, plan: Sequence[StepPlan]) -> StepRecord | None:
    """Return a step that is not compensated, or whose outcome is unknown; None without one.

    On the way back, the outcome of a step without a compensation does not matter.
    """
    for step, planned in zip(record.steps, plan, strict=True):
        if step.state in {"undoing", "not-undone"}:
            return step
        if step.state == "started" and (record.direction == "forward" or planned.has_undo):
            return step
    return None


def can_compensate(record: SagaRecord, plan: Sequence[StepPlan]) -> bool:
    """Return whether the saga can still be compensated: its commit point has not begun."""
    return all(
        step.state == "not-started"
        for step, planned in zip(record.steps, plan, strict=True)
        if planned.commits
    )


def is_committed(record: SagaRecord, plan: Sequence[StepPlan]) -> bool:
    """Return whether the commit point is done: from then on the saga only goes forward."""
    return any(
        step.state == "done"
        for step, planned in zip(record.steps, plan, strict=True)
        if planned.commits
    )


PUBLIC_STATES = {"started": "unknown", "undoing": "unknown"}


def step_states(record: SagaRecord) -> list[dict[str, str]]:
    """Return the state of each step as problem details show it."""
    return [
        {"step": step.name, "state": PUBLIC_STATES.get(step.state, step.state)}
        for step in record.steps
    ]
