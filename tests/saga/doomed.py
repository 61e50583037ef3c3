"""The mobile gateway with the moment of its death: it kills itself at a write of its journal.

`DOOM` says when, as in "before 3" or "after 7". What others left is gone on with only where
`DOOM_RESUMES` is set, so that each process dies in its own purchase.
"""

import os
import signal
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bff_core import Gateway
from bff_core.saga.journal.interface import Journal
from bff_core.saga.step_runner import SagaResources
from bffs.mobile.app import app

T = TypeVar("T")


class Doomed:
    """A journal whose writer does not outlive one of its writes."""

    def __init__(self, journal: Journal, when: str, number: int, *, resumes: bool) -> None:
        self._journal = journal
        self._doom = (when, number)
        self._resumes = resumes
        self._writes = 0

    async def begin(self, *entry: Any) -> bytes | None:
        """Write down the first record."""
        return await self._fatal(self._journal.begin(*entry))

    async def record(self, *entry: Any) -> bool:
        """Write down one on the way."""
        return await self._fatal(self._journal.record(*entry))

    async def end(self, *entry: Any) -> bool:
        """Write down the last one."""
        return await self._fatal(self._journal.end(*entry))

    async def park(self, *entry: Any) -> None:
        """Put an entry aside."""
        await self._journal.park(*entry)

    async def claim(self, *wanted: Any) -> Sequence[bytes]:
        """Take over what others left, where this one is to."""
        return await self._journal.claim(*wanted) if self._resumes else ()

    async def _fatal(self, writing: Coroutine[Any, Any, T]) -> T:
        self._writes += 1
        number = self._writes
        if self._doom == ("before", number):
            os.kill(os.getpid(), signal.SIGKILL)
        written = await writing
        if self._doom == ("after", number):
            os.kill(os.getpid(), signal.SIGKILL)
        return written


def doomed(gateway: Gateway) -> Gateway:
    """Let a gateway's sagas be written down in the journal that kills."""
    when, _, number = os.environ["DOOM"].partition(" ")
    resumes = "DOOM_RESUMES" in os.environ
    coordinator = gateway.config.sagas
    open_usually = coordinator.open

    def open_doomed(home: SagaResources) -> None:
        journal = Doomed(home.journal, when, int(number), resumes=resumes)
        open_usually(replace(home, journal=journal))

    coordinator.open = open_doomed
    return gateway


app = doomed(app)
