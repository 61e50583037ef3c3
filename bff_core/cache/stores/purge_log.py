"""Which tags were purged when, so that no answer from before comes in afterwards."""

from collections.abc import Iterable
from typing import Final

from cachetools import FIFOCache

REMEMBERED: Final = 4096
"""How many tags are remembered; older marks than the last forgotten one are not believed."""


class PurgeLog:
    """The order of purges in one process.

    A mark is the number of purges so far. An answer to a request sent at a mark may be stored
    unless one of its tags was purged since, or might have been: everything was, or the tag would
    be forgotten.
    """

    __slots__ = ("_floor", "_last", "count")

    def __init__(self) -> None:
        self.count = 0
        self._floor = 0
        self._last: FIFOCache[str, int] = FIFOCache(REMEMBERED)

    def add(self, tags: Iterable[str]) -> None:
        """Note a purge of these tags."""
        self.count += 1
        for tag in tags:
            if len(self._last) >= REMEMBERED and tag not in self._last:
                _, self._floor = self._last.popitem()
            self._last[tag] = self.count

    def add_all(self) -> None:
        """Note a purge of everything."""
        self.count += 1
        self._floor = self.count
        self._last.clear()

    def beat(self, mark: int, tags: Iterable[str]) -> bool:
        """Whether an answer to a request sent at the mark may be out of date."""
        if mark == self.count:
            return False
        last = self._last
        return mark < self._floor or any(last.get(tag, 0) > mark for tag in tags)
