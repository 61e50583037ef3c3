"""Reloads all workers together: each prepares, and they switch once all are ready to.

The supervisor and a worker talk in lines over the socket that connects them:

    worker:      ready | ready reloads | reload | prepared 3 | refused 3 the reason
    supervisor:  prepare 3 | switch 3 | abandon 3 the reason
    both:        rollback 9f86d081 the reason

A worker whose changed routes fail says `rollback` with the digest of their file, and the supervisor
says it to all.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Final, Protocol

PREPARE_SECONDS: Final = 30.0
"""How long a worker may take to prepare; after that the round is abandoned."""

RELOADS: Final = "reloads"
"""What a worker adds to `ready` if it takes part in rounds."""


class Reloadable(Protocol):
    """A worker as a round needs it."""

    async def prepare(self, number: int) -> str | None:
        """Prepare for a round; return why it refuses, or empty text, or None if it has ended."""
        ...

    def conclude(self, number: int, refusal: str) -> None:
        """Let it switch; or with a refusal, drop what it prepared."""
        ...


class ReloadRounds:
    """One round at a time; what is requested during a round is done by one more round."""

    def __init__(self, workers: Callable[[], Collection[Reloadable]]) -> None:
        self._workers = workers
        self._wanted = asyncio.Event()
        self._number = 0

    def request(self) -> None:
        """Begin a round, at once or after the one that is under way."""
        self._wanted.set()

    async def run(self) -> None:
        """Hold rounds until it is cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._round()

    async def _round(self) -> None:
        self._number += 1
        number, workers = self._number, tuple(self._workers())
        answers = (self._ask(one, number) for one in workers)
        refusal = next(filter(None, await asyncio.gather(*answers)), "")
        for one in workers:
            one.conclude(number, refusal)

    async def _ask(self, worker: Reloadable, number: int) -> str:
        try:
            async with asyncio.timeout(PREPARE_SECONDS):
                return await worker.prepare(number) or ""
        except TimeoutError:
            return f"a worker did not prepare within {PREPARE_SECONDS:.0f} s"
