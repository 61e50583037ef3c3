"""What one process knows of the purges in Redis, and of Redis' clock."""

from typing import Final

from bff_core.clock import Clock

_NUMBERS: Final = 53
"""Bits of a mark that number a purge, as Redis counts exactly; those above number the era."""


class PurgeEpoch:
    """The era and the number of the last purge that this process heard of.

    It may have heard of fewer than there were: a mark of then refuses more than it has to. Eras
    have no order, so this process numbers them as it meets them.
    """

    __slots__ = ("_ahead", "_clock", "_eras", "count", "era")

    def __init__(self, clock: Clock) -> None:
        self.era = ""
        self.count = 0
        self._eras = 0
        self._clock = clock
        self._ahead = 0.0

    def mark(self) -> int:
        """Return the point in the order of purges that is known."""
        return self._eras << _NUMBERS | self.count

    def count_at(self, mark: int) -> int | None:
        """Return how many purges there were at a mark; None where it is of another era."""
        eras, number = divmod(mark, 1 << _NUMBERS)
        return number if eras == self._eras else None

    def learn(self, era: str, number: int) -> None:
        """Take what Redis says, which may come in any order."""
        if era != self.era:
            self.era, self.count = era, number
            self._eras += 1
        elif number > self.count:
            self.count = number

    def set_clock(self, milliseconds: int) -> None:
        """Take what Redis' clock says now."""
        self._ahead = milliseconds / 1000 - self._clock()

    def redis_time(self) -> int:
        """Return what Redis' clock should say now (milliseconds)."""
        return round((self._clock() + self._ahead) * 1000)
