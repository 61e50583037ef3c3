"""Starts and stops an application by ASGI's lifespan protocol."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from bff_core.server.server_state import App

SCOPE: Final = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}


class LifespanFailed(Exception):
    """The application could not start, or stop; its cause is what it raised, if it did."""


class Lifespan:
    """One run of an application, started when this is made, inside the loop.

    `values` is the state that the application shares with its requests.
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
        """Stop it; raises LifespanFailed where it could not."""
        self._may_stop.set()
        if not self._task.done():
            await self._wait_for("shutdown")
            await asyncio.wait([self._task])

    async def cancel(self) -> None:
        """End what is left of it."""
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
        """Wait until the application reports how a phase went, or ends without a report."""
        answer, task = self._answers[phase], self._task
        both: set[asyncio.Future[Any]] = {answer, task}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if answer.done() and not answer.result():
            return
        await asyncio.wait({task})  # it raises the reason of its failure
        error = None if task.cancelled() else task.exception()
        raise LifespanFailed(phase) from error
