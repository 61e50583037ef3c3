"""The deadline of each request: a request that exceeds it is cancelled and gets a 504."""

import asyncio
import re

from bff_core.edge.concern import HTTP_ONLY
from bff_core.errors import ClientError, RequestTimedOut
from bff_core.http_exchange.request_context import RequestContext
from bff_core.routing.route_table import RouteTable

_SECONDS = re.compile(rb"[0-9]{1,9}(\.[0-9]{1,9})?")


class Deadline:
    """After CORS: cancels a request that takes too long, and answers 504.

    Compositions and upstreams respect `Scope.deadline`. The edge cancels `grace` seconds later, so
    that a screen whose last optional part timed out still gets answered. A proxied route may have
    a timeout of its own. A client may shorten its
    timeout by `Request-Timeout`, but never extend it. An answer that has started is cut off with
    its connection, unless its route called `declare_stream`. Code in a worker thread can't be
    cancelled: the edge waits for it.
    """

    __slots__ = ("_grace", "_loop", "_routes", "_timeout")
    kinds = HTTP_ONLY

    def __init__(self, *, timeout: float, grace: float, routes: RouteTable | None = None) -> None:
        self._timeout = timeout
        self._grace = grace
        self._routes = routes or RouteTable()
        self._loop: asyncio.AbstractEventLoop | None = None

    def check(self, context: RequestContext) -> None:
        """Set the deadline, and the timer that cancels the request after it."""
        longest = self._timeout_of(context) if self._routes.is_ranked else self._timeout
        timeout = _shortened(context.fields.get(b"request-timeout"), longest)
        if timeout <= 0:
            raise RequestTimedOut("the caller has no time left")
        context.scope.deadline = context.started_at + timeout
        loop, task = self._running()
        timer = _DeadlineTimer(task, context, timeout, loop, self._grace)
        context.end_deadline, context.lift_deadline = timer.end, timer.lift

    def _timeout_of(self, context: RequestContext) -> float:
        entry = self._routes.match(context.asgi).entry
        own = None if entry is None or entry.matching is None else entry.matching.timeout
        return self._timeout if own is None else own

    def _running(self) -> tuple[asyncio.AbstractEventLoop, asyncio.Task[object]]:
        """Return the loop and the task; a stored loop spares a system call on Python 3.11."""
        task = asyncio.current_task(self._loop) if self._loop is not None else None
        if self._loop is None or task is None:
            self._loop = asyncio.get_running_loop()
            task = asyncio.current_task(self._loop)
        if task is None:
            raise RuntimeError("a deadline needs a task to cancel")
        return self._loop, task


def _shortened(wish: bytes | None, longest: float) -> float:
    if wish is None:
        return longest
    if not _SECONDS.fullmatch(wish):
        raise ClientError("Request-Timeout must be seconds as a decimal, such as 2.5.")
    return min(float(wish), longest)


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

    def lift(self) -> None:
        """Stop the timer."""
        self._timer.cancel()

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
