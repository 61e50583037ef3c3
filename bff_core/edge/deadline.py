"""The deadline of each request: a request that exceeds it is cancelled and gets a 504."""

import asyncio
import re

from bff_core.edge.concern import HTTP_ONLY
from bff_core.errors import ClientError, RequestTimedOut
from bff_core.http_exchange.request_context import RequestContext

_SECONDS = re.compile(rb"[0-9]{1,9}(\.[0-9]{1,9})?")


class Deadline:
    """After CORS: cancels a request that takes too long, and answers 504.

    Compositions and upstreams respect `Scope.deadline`. The edge cancels `grace` seconds later, so
    that a screen whose last optional part timed out still gets answered. A client may shorten its
    timeout by `Request-Timeout`, but never extend it. An answer that has started is cut off with
    its connection, unless its route called `declare_stream`. Code in a worker thread can't be
    cancelled: the edge waits for it.
    """

    __slots__ = ("_grace", "_loop", "_timeout")
    kinds = HTTP_ONLY

    def __init__(self, *, timeout: float, grace: float) -> None:
        self._timeout = timeout
        self._grace = grace
        self._loop: asyncio.AbstractEventLoop | None = None

    def check(self, context: RequestContext) -> None:
        """Set the deadline, and the timer that cancels the request after it."""
        timeout = self._shortened(context.fields.get(b"request-timeout"))
        if timeout <= 0:
            raise RequestTimedOut("the caller has no time left")
        context.scope.deadline = context.started_at + timeout
        loop, task = self._running()
        context.end_deadline = _DeadlineTimer(task, context, timeout, loop, self._grace).end

    def _shortened(self, wish: bytes | None) -> float:
        if wish is None:
            return self._timeout
        if not _SECONDS.fullmatch(wish):
            raise ClientError("Request-Timeout must be seconds as a decimal, such as 2.5.")
        return min(float(wish), self._timeout)

    def _running(self) -> tuple[asyncio.AbstractEventLoop, asyncio.Task[object]]:
        """Return the loop and the task; a stored loop spares a system call on Python 3.11."""
        task = asyncio.current_task(self._loop) if self._loop is not None else None
        if self._loop is None or task is None:
            self._loop = asyncio.get_running_loop()
            task = asyncio.current_task(self._loop)
        if task is None:
            raise RuntimeError("a deadline needs a task to cancel")
        return self._loop, task


class _DeadlineTimer:
    """The cancellation of one request at its deadline.

    It is distinguished from cancellations by others, and undone if the request ends in time.
    """

    __slots__ = ("_cancellations", "_context", "_has_cancelled", "_task", "_timeout", "_timer")

    def __init__(
        self,
        task: asyncio.Task[object],
        context: RequestContext,
        timeout: float,
        loop: asyncio.AbstractEventLoop,
        grace: float,
    ) -> None:
        self._task = task
        self._context = context
        self._timeout = timeout
        self._cancellations = task.cancelling()
        self._has_cancelled = False
        self._timer = loop.call_later(timeout + grace, self._cancel)

    def _cancel(self) -> None:
        context = self._context
        if context.is_complete or (context.is_stream and context.status):
            return  # the client has its answer, and background tasks may end
        self._has_cancelled = True
        self._task.cancel()

    def end(self, error: BaseException | None) -> BaseException | None:
        """Stop the timer; return `RequestTimedOut` if this timer has cancelled the request."""
        self._timer.cancel()
        if not self._has_cancelled:
            return error
        self._has_cancelled = False
        is_ours = self._task.uncancel() <= self._cancellations
        if is_ours and isinstance(error, asyncio.CancelledError):
            return RequestTimedOut(f"no answer within {self._timeout} s")
        return error
