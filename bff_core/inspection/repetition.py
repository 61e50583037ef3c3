"""How often a step runs: once, up to a number of times, or once per item."""

from dataclasses import dataclass, replace
from math import inf
from typing import Final

from bff_core.inspection.steps import Repeated


@dataclass(frozen=True, slots=True)
class Times:
    """How often a step runs within the loops around it.

    `most` is the product of the counts that are known, `units` what the other loops count.
    `factor` is how many runs come one after the other at most; infinite if that is not known.
    """

    most: int = 1
    units: tuple[str, ...] = ()
    factor: float = 1.0

    def within(self, loop: Repeated) -> "Times":
        """Return how often a step runs that `loop` repeats."""
        factor = self.factor
        if not loop.at_once:
            factor = inf if loop.most is None else factor * loop.most
        if loop.most is None:
            return replace(self, units=(*self.units, loop.unit), factor=factor)
        return replace(self, most=self.most * loop.most, factor=factor)

    @property
    def is_once(self) -> bool:
        """Whether no loop is around the step."""
        return self == Times()

    @property
    def at_most(self) -> int | None:
        """The number of runs at most; None if it is not known."""
        return None if self.units else self.most

    def __str__(self) -> str:
        """Return it in words, empty for once: `up to 100 calls`, `once per item, at once`."""
        if self.is_once:
            return ""
        units = " and ".join(dict.fromkeys(self.units))
        many = "calls" if self.most != 1 else "call"
        count = f"up to {self.most:,} {many}" if self.most != 1 or not units else "once"
        at_once = ", at once" if self.factor == 1.0 and units else ""
        return f"{count} per {units}{at_once}" if units else count


ONCE: Final = Times()
