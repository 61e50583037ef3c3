"""The error budget of a view: its answers of the last day by minute."""

from typing import Final

MINUTES: Final = 24 * 60

WINDOWS: Final = {"5m": 5, "1h": 60, "6h": 360, "24h": MINUTES}
"""The windows of burn rates in minutes; the longest is the period of the error budget."""

Spent = tuple[int, int]
"""The answers that count for an objective, and those of them that are not good."""


class Budget:
    """The answers of a view by minute; `good`, `degraded`, `failed` and `slow` count since start.

    A degraded or failed answer that is slow, too, is not counted as slow. While the clock is back,
    answers count for the newest minute.
    """

    __slots__ = ("_bad", "_minute", "_minute_ends", "_place", "_total", "outcomes")

    def __init__(self) -> None:
        self._total = [0] * MINUTES
        self._bad = [0] * MINUTES
        self._minute, self._minute_ends = -1, 0.0
        self._place = 0
        self.outcomes = {"good": 0, "degraded": 0, "failed": 0, "slow": 0}

    def count(self, outcome: str, now: float) -> None:
        """Count an answer; `now` is Unix time."""
        if now >= self._minute_ends:
            self._advance(int(now / 60))
        self.outcomes[outcome] += 1
        self._total[self._place] += 1
        if outcome != "good":
            self._bad[self._place] += 1

    def windows(self, now: float) -> dict[str, Spent]:
        """Return what was counted in each window that ends now."""
        if now >= self._minute_ends:
            self._advance(int(now / 60))
        places = [(self._minute - back) % MINUTES for back in range(MINUTES)]
        return {
            name: (
                sum(self._total[place] for place in places[:length]),
                sum(self._bad[place] for place in places[:length]),
            )
            for name, length in WINDOWS.items()
        }

    def _advance(self, minute: int) -> None:
        """Empty the minutes that have begun since."""
        for passed in range(min(minute - self._minute, MINUTES)):
            self._total[(minute - passed) % MINUTES] = self._bad[(minute - passed) % MINUTES] = 0
        self._minute, self._minute_ends = minute, (minute + 1) * 60.0
        self._place = minute % MINUTES


def burn_rate(spent: Spent, budget: float) -> float | None:
    """Return how many times faster than allowed a budget is spent; None without answers.

    `budget` is the share of answers that need not be good.
    """
    total, bad = spent
    return None if not total else bad / total / budget


def budget_left(spent: Spent, budget: float) -> float | None:
    """Return the rest of a budget as a share, below 0 if it is overspent; None without answers."""
    burnt = burn_rate(spent, budget)
    return None if burnt is None else 1.0 - burnt
