"""Background tasks: they outlive the request that started them and end with the gateway."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context

from bff_core.events import Crashed, Events
from bff_core.scope import current_request


class Background:
    """The tasks of one gateway: one that fails emits an event and affects no other."""

    def __init__(self, loop: asyncio.AbstractEventLoop, events: Events) -> None:
        self._loop = loop
        self._events = events
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Start a task; the gateway holds it until it ends.

        It belongs to no part: neither the deadline nor the name of the part that started it apply.
        Its log lines carry the ids of the request that started it.
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
