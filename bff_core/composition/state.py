"""How a part ended: the states that clients are told, and what of an error decides them."""

from dataclasses import dataclass
from typing import Final, Literal

from bff_core.errors import BFFError, PartFailed
from bff_core.statuses import ABSENT

State = Literal["ok", "stale", "partial", "fallback", "missing", "forbidden"]

DEPENDENCY: Final = "dependency"
"""The reason of a part whose value lacks what a part that it awaited would have given."""

WORST_LAST: tuple[State, ...] = ("ok", "stale", "partial", "missing", "fallback", "forbidden")
"""States by how much they take away; several runs of one part are told as the last of these."""


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
        """Whether something is missing or made up; a stale value is told, but no loss."""
        return self.state not in {"ok", "stale"}


def is_worse(state: State, known: State) -> bool:
    """Whether a state takes away more than another."""
    return WORST_LAST.index(state) > WORST_LAST.index(known)


def reason_of(error: BaseException) -> str:
    """Return the stable code that clients see for a part that ended with `error`."""
    if isinstance(error, PartFailed):
        return reason_of(error.cause)
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, BFFError):
        return "not_found" if error.status in ABSENT else error.code
    return "error"


def state_of(error: BaseException, *, has_fallback: bool) -> State:
    """Return how an optional part ends that died of `error`."""
    if isinstance(error, PartFailed):
        return state_of(error.cause, has_fallback=has_fallback)
    status = error.status if isinstance(error, BFFError) else 0
    if status == 403:
        return "forbidden"
    if status in ABSENT:
        return "missing"
    return "fallback" if has_fallback else "missing"
