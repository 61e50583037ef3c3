"""Work that outlives the request that caused it, owned by the gateway and ended with it."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context

from bff_core.events import Crashed, Events
from bff_core.scope import current_request


class Background:
    """The tasks of one gateway: a failing one is told as an event and harms no other."""

    def __init__(self, loop: asyncio.AbstractEventLoop, events: Events) -> None:
        self._loop = loop
        self._events = events
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Start work; the gateway holds it until it ends.

        It is nobody's: neither the deadline of the part that caused it nor its name go along. Its
        log lines carry the ids of the request that started it.
        """
        context = Context()
        context.run(current_request.set, current_request.get())
        task = self._loop.create_task(work, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def aclose(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and self._events.sinks:
            self._events.emit(Crashed("background", "", error))
