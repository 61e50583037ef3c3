"""Starts and stops an application by the ASGI lifespan protocol."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from bff_core.server.server_state import App

SCOPE: Final = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}


class LifespanFailed(Exception):
    """The application failed to start or stop; its exception, if any, is the cause."""


class Lifespan:
    """The lifespan of an application, which starts when this object is made inside the loop.

    `values` is the lifespan state, which ASGI passes to each request.
    """

    def __init__(
        self, app: App, loop: asyncio.AbstractEventLoop, values: dict[str, Any] | None = None
    ) -> None:
        self.values: dict[str, Any] = {} if values is None else values
        self._app = app
        self._phases = iter(("startup", "shutdown"))
        self._may_stop = asyncio.Event()
        self._answers: dict[str, asyncio.Future[str]] = {
            "startup": loop.create_future(),
            "shutdown": loop.create_future(),
        }
        self._task = loop.create_task(self._run({**SCOPE, "state": self.values}))

    async def started(self) -> None:
        """Wait until the application has started; raises LifespanFailed."""
        await self._wait_for("startup")

    async def stop(self) -> None:
        """Stop the application; raises LifespanFailed."""
        self._may_stop.set()
        if not self._task.done():
            await self._wait_for("shutdown")
            await asyncio.wait([self._task])

    async def cancel(self) -> None:
        """Cancel the application's lifespan task."""
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, scope: dict[str, Any]) -> None:
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, str]:
        phase = next(self._phases)
        if phase == "shutdown":
            await self._may_stop.wait()
        return {"type": f"lifespan.{phase}"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        _, phase, outcome = message["type"].split(".")
        if not self._answers[phase].done():
            self._answers[phase].set_result("" if outcome == "complete" else "failed")

    async def _wait_for(self, phase: str) -> None:
        """Wait until the application reports the outcome of a phase, or ends."""
        answer, task = self._answers[phase], self._task
        both: set[asyncio.Future[Any]] = {answer, task}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if answer.done() and not answer.result():
            return
        await asyncio.wait({task})  # its exception is the reason
        error = None if task.cancelled() else task.exception()
        raise LifespanFailed(phase) from error
