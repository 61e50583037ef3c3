"""The mobile gateway with a journal that kills the process at one of its writes.

`DOOM` names the write, as in "before 3" or "after 7". The process resumes abandoned sagas only with
`DOOM_RESUMES`, so that each process dies in its own purchase.

"""

import os
import signal
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bff_core import Gateway
from bff_core.saga.coordinator import SagaCoordinator
from bff_core.saga.journal.interface import Journal
from bff_core.saga.step_runner import SagaResources
from bffs.mobile.app import app

T = TypeVar("T")


class Doomed:
    """A journal that kills its process at one of its writes."""

    def __init__(self, journal: Journal, when: str, number: int, *, resumes: bool) -> None:
        self._journal = journal
        self._doom = (when, number)
        self._resumes = resumes
        self._writes = 0

    async def begin(self, *entry: Any) -> bytes | None:
        """Store the first record."""
        return await self._fatal(self._journal.begin(*entry))

    async def record(self, *entry: Any) -> bool:
        """Store a record."""
        return await self._fatal(self._journal.record(*entry))

    async def end(self, *entry: Any) -> bool:
        """Store the last record."""
        return await self._fatal(self._journal.end(*entry))

    async def park(self, *entry: Any) -> None:
        """Park a record."""
        await self._journal.park(*entry)

    async def claim(self, *wanted: Any) -> Sequence[bytes]:
        """Claim abandoned sagas, if this process resumes them."""
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
    """Return the gateway with the journal that kills."""
    when, _, number = os.environ["DOOM"].partition(" ")
    resumes = "DOOM_RESUMES" in os.environ
    sagas = gateway.config.sagas
    open_usually = sagas.open

    def open_doomed(home: SagaResources) -> SagaCoordinator:
        journal = Doomed(home.journal, when, int(number), resumes=resumes)
        return open_usually(replace(home, journal=journal))

    sagas.open = open_doomed
    return gateway


app = doomed(app)
