"""Tracks how far one process has received the purges of Redis, and estimates Redis' clock."""

from typing import Final

from bff_core.clock import Clock

_COUNT_BITS: Final = 53
"""The low bits of a mark count purges (Lua counts exactly so far), the others number the era."""


class PurgeEpoch:
    """The era and the number of the last purge that this process received.

    There may be later ones; a mark then refuses more than necessary. Eras have no order, so each
    process numbers them as they come.
    """

    __slots__ = ("_clock", "_era_number", "_offset", "count", "era")

    def __init__(self, clock: Clock) -> None:
        self.era = ""
        self.count = 0
        self._era_number = 0
        self._clock = clock
        self._offset = 0.0

    def mark(self) -> int:
        """Return the last known position in the order of purges."""
        return self._era_number << _COUNT_BITS | self.count

    def count_at(self, mark: int) -> int | None:
        """Return the purge count of a mark; None if it is from another era."""
        era_number, number = divmod(mark, 1 << _COUNT_BITS)
        return number if era_number == self._era_number else None

    def learn(self, era: str, number: int) -> None:
        """Update from an answer of Redis; answers may arrive in any order."""
        if era != self.era:
            self.era, self.count = era, number
            self._era_number += 1
        elif number > self.count:
            self.count = number

    def set_clock(self, milliseconds: int) -> None:
        """Set Redis' time now."""
        self._offset = milliseconds / 1000 - self._clock()

    def redis_time(self) -> int:
        """Return the estimate of Redis' time now (milliseconds)."""
        return round((self._clock() + self._offset) * 1000)
