"""Background tasks, which outlive the request that started them and end with the gateway."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Literal

from bff_core.events import Crashed, Events, WorkEnded, WorkStarted
from bff_core.events.sinks import running_span
from bff_core.scope import Scope, current_request


def _is_wanted(request: Scope | None) -> bool:
    """Whether a sink wants the events of a request; it gets those of work without a request."""
    return request is None or request.span is not None


def _outcome_of(task: asyncio.Task[None]) -> Literal["done", "cancelled", "failed"]:
    if task.cancelled():
        return "cancelled"
    return "done" if task.exception() is None else "failed"


class Background:
    """The background tasks of one gateway; one that fails emits an event."""

    def __init__(self, loop: asyncio.AbstractEventLoop, events: Events) -> None:
        self._loop = loop
        self._events = events
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Start a task and hold it until it ends.

        Its log lines have the ids of the request that started it. No other context variable is
        inherited: the deadline of the part that started it does not apply.
        """
        context = Context()
        request = current_request.get()
        context.run(current_request.set, request)
        task = self._loop.create_task(work, context=context)
        self._tasks.add(task)
        if self._events.is_traced and _is_wanted(request):
            context.run(self._trace, task, request)
        task.add_done_callback(self._ended)
        return task

    def _trace(self, task: asyncio.Task[None], request: Scope | None) -> None:
        """Emit its start now and its end once it has ended, from its context."""
        span = None if request is None or request.span is None else request.span.child()
        running_span.set(span)
        name = getattr(task.get_coro(), "__qualname__", "")
        started = self._loop.time()
        self._events.emit(WorkStarted(name, span=span))

        def ended(task: asyncio.Task[None]) -> None:
            seconds = self._loop.time() - started
            self._events.emit(WorkEnded(name, _outcome_of(task), seconds, span=span))

        task.add_done_callback(ended)

    async def aclose(self) -> None:
        """Cancel the running tasks and wait until they have ended."""
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
