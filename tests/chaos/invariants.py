"""What the invariants are, how often each was checked, and what broke them."""

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
    11: "beyond the ten: nobody pays without an order or a refund, nor twice",
}

NOT_YET = {9: "there are no sessions with tokens yet"}
"""Invariants that nothing can break so far, and why."""

SHOWN = 20
"""Sorts of violations of which one is told in full."""


@dataclass
class Verdict:
    """Collects what clients and lookers-on found."""

    checked: Counter[int] = field(default_factory=Counter)
    violations: list[tuple[int, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    figures: dict[str, str] = field(default_factory=dict)

    def hold(self, invariant: int, is_held: bool, otherwise: str = "") -> None:
        """Note one look at an invariant, and what was seen if it did not hold."""
        self.checked[invariant] += 1
        if not is_held:
            self.violations.append((invariant, otherwise))

    @property
    def unchecked(self) -> list[int]:
        """Invariants at which a run did not look although it could have."""
        return [one for one in INVARIANTS if not self.checked[one] and one not in NOT_YET]

    @property
    def is_good(self) -> bool:
        """Whether all invariants were looked at, and held."""
        return not self.violations and not self.unchecked

    def report(self) -> str:
        """Return what was seen, as a page of text."""
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
        return f"{state}, {self.checked[number]} looks"

    def _numbers(self) -> list[str]:
        counted = [f"      {name:<36} {count}" for name, count in sorted(self.counts.items())]
        return counted + [f"      {name:<36} {told}" for name, told in self.figures.items()]

    def _failures(self) -> list[str]:
        unchecked = [
            f"  never looked at: {number}. {INVARIANTS[number]}" for number in self.unchecked
        ]
        # One of each sort: the first words say where it was seen, digits are but ids.
        sorts = {(one, re.sub(r"\d", "", text)[:40]): text for one, text in self.violations}
        told = [f"  {one}. {text}" for (one, _), text in list(sorts.items())[:SHOWN]]
        more = len(sorts) - SHOWN
        return ["", *unchecked, *told, *([f"  … and {more} sorts more"] if more > 0 else [])]
