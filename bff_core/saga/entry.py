"""What is known of one run of a saga, and what follows from it: no I/O, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

StepState = Literal["not-started", "started", "done", "failed", "undoing", "undone", "not-undone"]
Direction = Literal["forward", "back"]
Outcome = Literal["", "done", "undone"]


@dataclass(frozen=True, slots=True)
class StepPlan:
    """A step as its class declares it: whether it is the commit point, and can be undone."""

    name: str
    commits: bool
    has_undo: bool


@dataclass(slots=True, kw_only=True)
class Failure:
    """Why a step failed, as a client may be told: `status` and `code` are those of problems."""

    status: int
    code: str
    title: str
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class Step:
    """How far one step has come; `result` is JSON once it is done, `tries` those of now."""

    name: str
    state: StepState = "not-started"
    result: str = ""
    failure: Failure | None = None
    tries: int = 0


@dataclass(slots=True, kw_only=True)
class Entry:
    """One run of a saga as the journal keeps it.

    `inputs` and `viewer` are JSON: what a resumed run is built from. `created` is an instant of
    the wall clock, `resumed` counts how often somebody took it over.
    """

    id: str
    saga: str
    inputs: str
    viewer: str
    audience: str
    steps: list[Step]
    traceparent: str = ""
    direction: Direction = "forward"
    outcome: Outcome = ""
    created: float = 0.0
    resumed: int = 0
    failure: Failure | None = None

    def encode(self) -> bytes:
        """Return the entry as a journal stores it."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, body: bytes) -> "Entry":
        """Read what `encode` wrote."""
        return msgspec.json.decode(body, type=Entry)

    @property
    def had_effects(self) -> bool:
        """Whether any step was begun that did not definitely fail."""
        return any(step.state not in {"not-started", "failed"} for step in self.steps)

    @property
    def is_stuck(self) -> bool:
        """Whether something could not be undone, or its outcome not be learnt, for now."""
        return any(step.state in {"started", "undoing", "not-undone"} for step in self.steps)


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


def next_move(entry: Entry, plan: Sequence[StepPlan]) -> Move:
    """Return what follows from what is known.

    Forward, the first step that is not done. Back, first the step whose outcome is unknown: it has
    to be learnt before it can be undone; then what was done, the latest first. What could not be
    undone is passed over, so that it does not keep the others from being undone.
    """
    if entry.direction == "forward":
        return _forward(entry)
    for place, step in enumerate(entry.steps):
        if step.state == "started":
            return Do(place)
    for place in reversed(range(len(plan))):
        state = entry.steps[place].state
        if state == "undoing" or (state == "done" and plan[place].has_undo):
            return Undo(place)
    return End("" if entry.is_stuck else "undone")


def _forward(entry: Entry) -> Move:
    for place, step in enumerate(entry.steps):
        if step.state in {"not-started", "started"}:
            return Do(place)
    return End("done")


def may_turn_back(entry: Entry, plan: Sequence[StepPlan]) -> bool:
    """Whether the commit point is still ahead: it was not even begun."""
    return all(
        step.state == "not-started"
        for step, planned in zip(entry.steps, plan, strict=True)
        if planned.commits
    )


def is_committed(entry: Entry, plan: Sequence[StepPlan]) -> bool:
    """Whether the commit point is passed: from then on there is only forward."""
    return any(
        step.state == "done"
        for step, planned in zip(entry.steps, plan, strict=True)
        if planned.commits
    )


TOLD = {"started": "unknown", "undoing": "unknown"}


def told(entry: Entry) -> list[dict[str, str]]:
    """Return how far each step has come, in a client's words."""
    return [{"step": step.name, "state": TOLD.get(step.state, step.state)} for step in entry.steps]
