"""Counts requests where there are too many to show each: a line per second and route."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from bff_core.cli.dev.request_summary import summary_of
from bff_core.cli.dev.style import milliseconds
from bff_core.observe.request_records import RequestRecord

MAX_PER_SECOND: Final = 20


FLUSH_SECONDS: Final = 1.01
"""Later than this a second is over."""


def _later(seconds: float, action: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(seconds, action)


class Folding:
    """Passes requests on to `show`; from the 21st of a second on, to counts for `show_count`."""

    def __init__(
        self,
        show: Callable[[str, RequestRecord], None],
        show_count: Callable[[str, str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], object] = _later,
    ) -> None:
        self._show = show
        self._show_count = show_count
        self._clock = clock
        self._later = later
        self._second = 0
        self._count = 0
        self._folded: dict[tuple[str, str], list[tuple[str, float]]] = {}

    def take(self, name: str, trace: RequestRecord) -> None:
        """Show a request or count it."""
        self.flush()
        self._count += 1
        if self._count <= MAX_PER_SECOND:
            self._show(name, trace)
            return
        if not self._folded:
            self._later(FLUSH_SECONDS, self.flush)
        summary = summary_of(trace)
        folded = self._folded.setdefault((name, summary.title), [])
        folded.append((summary.state, trace.seconds))

    def flush(self) -> None:
        """Show the counts of a second that is over."""
        second = int(self._clock())
        if second == self._second:
            return
        self._second, self._count = second, 0
        folded, self._folded = self._folded, {}
        for (name, title), found in folded.items():
            times = sorted(seconds for _, seconds in found)
            slow = milliseconds(times[int(len(times) * 0.95)])
            states = [state for state, _ in found if state != "complete"]
            counts = "".join(f", {states.count(one)} {one}" for one in dict.fromkeys(states))
            self._show_count(name, f"{title}: {len(found)} more requests{counts}, p95 {slow} ms")
