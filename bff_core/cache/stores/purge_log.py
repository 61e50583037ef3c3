"""Logs the latest purges of one process, so that replies requested before them are not stored."""

from collections.abc import Iterable
from typing import Final

from cachetools import FIFOCache

MAX_LOGGED_TAGS: Final = 4096
"""Logged tags, at most; marks before the last dropped one count as outdated."""


class PurgeLog:
    """The order of purges in one process.

    A mark is the number of purges so far. The reply to a request that was sent at a mark is
    outdated if one of its tags, or everything, was purged since. It also counts as outdated if the
    log does not reach back that far.
    """

    __slots__ = ("_floor", "_last", "count")

    def __init__(self) -> None:
        self.count = 0
        self._floor = 0
        self._last: FIFOCache[str, int] = FIFOCache(MAX_LOGGED_TAGS)

    def add(self, tags: Iterable[str]) -> None:
        """Log a purge of tags."""
        self.count += 1
        for tag in tags:
            if len(self._last) >= MAX_LOGGED_TAGS and tag not in self._last:
                _, self._floor = self._last.popitem()
            self._last[tag] = self.count

    def add_everything(self) -> None:
        """Log a purge of everything."""
        self.count += 1
        self._floor = self.count
        self._last.clear()

    def is_outdated(self, mark: int, tags: Iterable[str]) -> bool:
        """Whether the reply to a request sent at the mark may be out of date."""
        if mark == self.count:
            return False
        last = self._last
        return mark < self._floor or any(last.get(tag, 0) > mark for tag in tags)
