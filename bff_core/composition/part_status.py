"""The states of parts in `Part-Status`, and the state and reason that follow from an error."""

from dataclasses import dataclass
from typing import Literal

from bff_core.errors import BFFError, PartFailed
from bff_core.events.part_states import COMPLETE_STATES
from bff_core.http_statuses import ABSENT

State = Literal["ok", "stale", "partial", "fallback", "missing", "forbidden"]

WORST_LAST: tuple[State, ...] = ("ok", "stale", "partial", "missing", "fallback", "forbidden")
"""The states by severity."""


@dataclass(frozen=True, slots=True)
class PartStatus:
    """How one part ended: `age` and `duration` in seconds, `reason` a stable code or empty."""

    name: str
    state: State
    reason: str = ""
    age: float = 0.0
    duration: float = 0.0

    @property
    def is_degraded(self) -> bool:
        """Whether the value is missing, partial or a fallback; a stale value is complete."""
        return self.state not in COMPLETE_STATES


def severity(state: State, age: float = 0.0) -> tuple[int, float]:
    """Return the rank of a run; of several runs of one part the highest one is reported."""
    return WORST_LAST.index(state), age


def reason_of(error: BaseException) -> str:
    """Return the stable reason code of a part that ended with `error`."""
    if isinstance(error, PartFailed):
        return reason_of(error.cause)
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, BFFError):
        return "not_found" if error.status in ABSENT else error.code
    return "error"


def state_of(error: BaseException, *, has_fallback: bool) -> State:
    """Return the state of an optional part that failed with `error`."""
    if isinstance(error, PartFailed):
        return state_of(error.cause, has_fallback=has_fallback)
    status = error.status if isinstance(error, BFFError) else 0
    if status == 403:
        return "forbidden"
    if status in ABSENT:
        return "missing"
    return "fallback" if has_fallback else "missing"
