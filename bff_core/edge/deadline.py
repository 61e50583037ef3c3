"""Ends each request in time: sets its deadline and cancels what outlasts it."""

import asyncio
import re

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.errors import ClientError, RequestTimedOut
from bff_core.exchange.context import RequestContext, exchange_of

_SECONDS = re.compile(rb"[0-9]{1,9}(\.[0-9]{1,9})?")


class Deadline:
    """Between problems and the limits: what takes too long becomes a 504.

    Everything below works to `Scope.deadline`; the edge itself cuts only `grace` seconds later,
    so that a screen whose last optional part ran out of time still becomes an answer. A client
    may shorten its timeout by `Request-Timeout`, never extend it. An answer that has started is
    cut by ending the connection, unless its route called `declare_stream`. Code that runs in a
    worker thread can't be cancelled and is waited for.
    """

    __slots__ = ("_app", "_grace", "_loop", "_timeout")

    def __init__(self, app: ASGIApp, *, timeout: float, grace: float) -> None:
        self._app = app
        self._timeout = timeout
        self._grace = grace
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Pass on, for no longer than the request has."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = exchange_of(scope)
        timeout = self._shortened(exchange.fields.get(b"request-timeout"))
        if timeout <= 0:
            raise RequestTimedOut("the caller has no time left")
        exchange.scope.deadline = exchange.started_at + timeout
        loop, task = self._running()
        cut = _Cut(task, exchange)
        timer = loop.call_later(timeout + self._grace, cut.make)
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if cut.take_back():
                raise RequestTimedOut(f"no answer within {timeout} s") from None
            raise
        finally:
            timer.cancel()
            cut.take_back()

    def _shortened(self, wish: bytes | None) -> float:
        if wish is None:
            return self._timeout
        if not _SECONDS.fullmatch(wish):
            raise ClientError("Request-Timeout must be seconds as a decimal, such as 2.5.")
        return min(float(wish), self._timeout)

    def _running(self) -> tuple[asyncio.AbstractEventLoop, asyncio.Task[object]]:
        """Return the loop and the task; a kept loop spares a system call on Python 3.11."""
        task = asyncio.current_task(self._loop) if self._loop is not None else None
        if self._loop is None or task is None:
            self._loop = asyncio.get_running_loop()
            task = asyncio.current_task(self._loop)
        if task is None:
            raise RuntimeError("a deadline needs a task to cancel")
        return self._loop, task


class _Cut:
    """The cancellation at the deadline: told from one by others, and taken back when spent."""

    __slots__ = ("_before", "_exchange", "_is_made", "_task")

    def __init__(self, task: asyncio.Task[object], exchange: RequestContext) -> None:
        self._task = task
        self._exchange = exchange
        self._before = task.cancelling()
        self._is_made = False

    def make(self) -> None:
        exchange = self._exchange
        if exchange.is_complete or (exchange.is_stream and exchange.status):
            return  # the client has its answer: what still runs, such as background tasks, may end
        self._is_made = True
        self._task.cancel()

    def take_back(self) -> bool:
        """Return whether the cancellation was this one and nobody else's."""
        if not self._is_made:
            return False
        self._is_made = False
        return self._task.uncancel() <= self._before
