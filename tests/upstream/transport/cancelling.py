"""Cancels a coroutine at any of its suspensions."""

import asyncio
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any, Literal

Moment = Literal["while it waits", "as it wakes"]
MOMENTS: tuple[Moment, ...] = ("while it waits", "as it wakes")


class Driven:
    """A coroutine whose task is cancelled at its n-th suspension; 0 never is one.

    "While it waits" cancels in the next turn of the loop. "As it wakes" cancels when what it waits
    for is there and it has not been resumed: the moment in which a hand-over can be lost.
    """

    def __init__(self, work: Coroutine[Any, Any, Any], at: int = 0, moment: Moment = MOMENTS[0]):
        self.suspensions = 0
        self._work = work
        self._at = at
        self._moment = moment

    def __await__(self) -> Generator[Any, None, Any]:
        resume = partial(self._work.send, None)
        while True:
            try:
                awaited = resume()
            except StopIteration as end:
                return end.value
            self.suspensions += 1
            if self.suspensions == self._at:
                self._cancel(awaited)
            try:
                yield awaited
                resume = partial(self._work.send, None)
            except BaseException as error:  # noqa: BLE001 - it is passed on, as `yield from` does
                resume = partial(self._work.throw, error)

    async def run(self) -> Any:
        """Await the coroutine, as a task does."""
        return await self

    def _cancel(self, awaited: asyncio.Future[Any] | None) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._moment == "as it wakes" and awaited is not None:
            # Registered before the task's own callback, hence called before the task is resumed.
            awaited.add_done_callback(lambda _: task.cancel())
        else:
            asyncio.get_running_loop().call_soon(task.cancel)
