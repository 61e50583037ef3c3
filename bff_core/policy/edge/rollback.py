"""When routes that were changed fail so much more than before that the change is taken back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

WATCHED_SECONDS: Final = 30.0
"""How long answers are counted after a change."""

LEAST_FAILURES: Final = 20
"""Fewer failures say nothing."""

TIMES: Final = 5.0
"""How many times the share of failures before that of after must be."""

LEAST_RATIO: Final = 0.01
"""A smaller share of failures is never a reason: twenty in a million answers are not."""


MOST_COUNTED: Final = 10_000
"""Beyond this, both counts are halved, so that they are about the last answers."""


@dataclass(slots=True)
class AnswerCount:
    """How many answers there were, and how many of them were failures (5xx)."""

    total: int = 0
    failed: int = 0

    def count(self, status: int) -> None:
        """Count an answer."""
        self.total += 1
        self.failed += status >= 500
        if self.total > MOST_COUNTED:
            self.total, self.failed = self.total // 2, self.failed // 2

    @property
    def ratio(self) -> float:
        """The share of failures, 0 without answers."""
        return self.failed / self.total if self.total else 0.0


@dataclass(slots=True)
class RollbackGuard:
    """Watches the changed routes for 30 seconds; `roll_back` is called once, with the reason.

    The change is taken back when at least 20 of its answers failed, at least 1 % of all, and at
    least five times the share that failed `before`. `ends` is when it stops watching.
    """

    before: AnswerCount
    ends: float
    roll_back: Callable[[str], None]
    after: AnswerCount = field(default_factory=AnswerCount)

    def count(self, status: int, now: float) -> bool:
        """Count an answer; return whether the guard still watches."""
        if now >= self.ends:
            return False
        self.after.count(status)
        if status < 500 or not self._is_worse():
            return True
        self.ends = now
        self.roll_back(
            f"{self.after.failed} of {self.after.total} answers failed "
            f"({self.after.ratio:.0%}, before {self.before.ratio:.0%})"
        )
        return False

    def _is_worse(self) -> bool:
        least = max(TIMES * self.before.ratio, LEAST_RATIO)
        return self.after.failed >= LEAST_FAILURES and self.after.ratio >= least
