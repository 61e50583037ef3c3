"""Remembers which processes do not answer, so that pages do not wait for each of them again."""

import asyncio
import time
from pathlib import Path

from bff_core.clock import Clock
from bff_core.observe.process_socket import await_greeting


class SilentProcesses:
    """Processes that run but do not answer: stopped, or with a blocked event loop.

    A connection waits for the greeting of each: the process counts as silent until it greets or
    ends. `wall` returns Unix time.
    """

    def __init__(self, wall: Clock = time.time) -> None:
        self._wall = wall
        self._since: dict[Path, float] = {}
        self._waiting: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Return how many are silent."""
        return len(self._since)

    def since(self, path: Path) -> float | None:
        """Return since when the process behind a socket is silent; None if it is not."""
        return self._since.get(path)

    def add(self, path: Path, waited: float) -> float:
        """Note that a process did not answer for some seconds; return since when it is silent."""
        known = self._since.get(path)
        if known is not None:
            return known
        self._since[path] = since = self._wall() - waited
        task = asyncio.get_running_loop().create_task(self._wait(path))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)
        return since

    async def aclose(self) -> None:
        """Wait for none of them any longer."""
        waiting = list(self._waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _wait(self, path: Path) -> None:
        try:
            await await_greeting(path)
        finally:
            del self._since[path]
