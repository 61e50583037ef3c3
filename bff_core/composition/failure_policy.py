"""Failure policies of parts: a critical part raises its error, an optional part has a fallback."""

from dataclasses import MISSING, dataclass
from typing import ClassVar

from bff_core.composition.errors import PartCancelled
from bff_core.composition.part import Part
from bff_core.composition.part_status import reason_of, state_of
from bff_core.errors import CompositionCycle, ConfigurationError, PartFailed

RESERVE_SHARE = 0.1
MAX_RESERVE_SECONDS = 0.1


def with_reserve(deadline: float, now: float) -> float:
    """Return an instant a little before the deadline, so that there is time to answer.

    It is earlier by a tenth of the time that is left, at most by 0.1 seconds.
    """
    return deadline - min(MAX_RESERVE_SECONDS, RESERVE_SHARE * max(deadline - now, 0.0))


@dataclass(frozen=True, slots=True)
class Critical:
    """The policy of a critical part: its error is raised to all that await it."""

    is_critical: ClassVar[bool] = True
    may_shed: ClassVar[bool] = False

    timeout: float | None = None
    tolerates_degraded: bool = False

    def __post_init__(self) -> None:
        _check_timeout(self.timeout)

    def deadline(self, now: float, limit: float) -> float:
        """Return the part's own timeout or the request's deadline, whichever ends first."""
        return limit if self.timeout is None else min(limit, now + self.timeout)

    def settle(self, part: Part[object], error: Exception) -> None:
        """Wrap the cause in `PartFailed`, once, however many parts it passes."""
        is_wrapped = isinstance(error, (PartFailed, CompositionCycle))
        part.fail(error if is_wrapped else PartFailed(part.name, error))

    def shed(self, part: Part[object]) -> None:
        """Fail the part; a critical part is never shed."""
        part.fail(PartCancelled(part.name))


@dataclass(frozen=True, slots=True)
class Optional:
    """The policy of an optional part: its fallback replaces its value.

    `fallback` is an immutable value or a function that makes one; without it the value is None.
    """

    is_critical: ClassVar[bool] = False

    fallback: object
    timeout: float | None = None
    may_shed: bool = True
    tolerates_degraded: bool = False

    def __post_init__(self) -> None:
        _check_timeout(self.timeout)
        check_fallback(self.fallback)

    def deadline(self, now: float, limit: float) -> float:
        """Return the part's deadline: a little before the request's, so that it can degrade."""
        limit = with_reserve(limit, now)
        return limit if self.timeout is None else min(limit, now + self.timeout)

    def settle(self, part: Part[object], error: Exception) -> None:
        """Set the fallback; a cycle is a mistake in the code and stays an error."""
        if isinstance(error, CompositionCycle):
            part.fail(error)
            return
        state = state_of(error, has_fallback=self.fallback is not MISSING)
        part.degrade(state, reason_of(error), self._value())

    def shed(self, part: Part[object]) -> None:
        """Set the fallback of a part that was not started."""
        part.degrade("missing", "shed", self._value())

    def _value(self) -> object:
        return None if self.fallback is MISSING else fallback_value(self.fallback)


def fallback_value(fallback: object) -> object:
    """Return the value of a fallback, which may be a function that makes it."""
    return fallback() if callable(fallback) else fallback


def _check_timeout(timeout: float | None) -> None:
    if timeout is not None and not timeout > 0:
        raise ConfigurationError(f"timeout must be above 0 seconds, not {timeout!r}")


def check_fallback(fallback: object) -> None:
    """Raise `ConfigurationError` for a mutable fallback, which requests would share."""
    if isinstance(fallback, list | dict | set | bytearray):
        kind = type(fallback).__name__
        raise ConfigurationError(
            f"a {kind} as fallback would be shared by all requests: "
            f"use an immutable value such as () or a function that makes one (fallback={kind})"
        )
