"""The invariants of a chaos run, and the report of checks and violations."""

import re
from collections import Counter
from dataclasses import dataclass, field

INVARIANTS = {
    1: "no response contains another viewer's canary",
    2: "attempts <= 1.2 x requests + 3",
    3: "every request ends <= deadline + 100 ms",
    4: "sockets, tasks, flights and permits are back <= 2 s after load stops",
    5: "memory is bounded",
    6: "no 5xx without problem details and trace id",
    7: "each shed, stale or partial answer says so",
    8: "no upstream request outside the allow-list",
    9: "at most one token refresh per session per expiry",
    10: "goodput returns unaided after any fault",
    11: "beyond the ten: no customer pays without an order or a refund, nor twice",
}

NOT_YET = {9: "there are no sessions with tokens yet"}
"""Invariants that can't be checked yet, and why."""

SHOWN = 20
"""How many kinds of violations are shown, one of each."""


@dataclass
class InvariantReport:
    """Collects checks, violations and figures of a run."""

    checked: Counter[int] = field(default_factory=Counter)
    violations: list[tuple[int, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    figures: dict[str, str] = field(default_factory=dict)

    def hold(self, invariant: int, is_held: bool, otherwise: str = "") -> None:
        """Record one check of an invariant, and a description if it did not hold."""
        self.checked[invariant] += 1
        if not is_held:
            self.violations.append((invariant, otherwise))

    @property
    def unchecked(self) -> list[int]:
        """The invariants that a run did not check although it could have."""
        return [one for one in INVARIANTS if not self.checked[one] and one not in NOT_YET]

    @property
    def is_good(self) -> bool:
        """Whether all invariants were checked, and held."""
        return not self.violations and not self.unchecked

    def text(self) -> str:
        """Return the report as text."""
        return "\n".join((*self._invariants(), "", *self._numbers(), *self._failures()))

    def _invariants(self) -> list[str]:
        broken = Counter(invariant for invariant, _ in self.violations)
        return [
            f"{number:>4}. {text:<72} {self._state(number, broken[number])}"
            for number, text in INVARIANTS.items()
        ]

    def _state(self, number: int, broken: int) -> str:
        if number in NOT_YET:
            return f"not checked: {NOT_YET[number]}"
        state = f"BROKEN {broken} x" if broken else "held"
        return f"{state}, {self.checked[number]} checks"

    def _numbers(self) -> list[str]:
        counted = [f"      {name:<36} {count}" for name, count in sorted(self.counts.items())]
        return counted + [f"      {name:<36} {figure}" for name, figure in self.figures.items()]

    def _failures(self) -> list[str]:
        unchecked = [
            f"  never checked: {number}. {INVARIANTS[number]}" for number in self.unchecked
        ]
        # One of each kind: the first words say where it happened, digits are ids.
        sorts = {(one, re.sub(r"\d", "", text)[:40]): text for one, text in self.violations}
        shown = [f"  {one}. {text}" for (one, _), text in list(sorts.items())[:SHOWN]]
        more = len(sorts) - SHOWN
        return ["", *unchecked, *shown, *([f"  … and {more} kinds more"] if more > 0 else [])]
