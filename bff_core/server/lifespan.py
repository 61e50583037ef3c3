"""Starts and stops an application by ASGI's lifespan protocol, and keeps what it says."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from bff_core.server.server_state import App

SCOPE: Final = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}


class LifespanFailed(Exception):
    """The application could not start, or stop; its cause is what it raised, if it did."""


class Lifespan:
    """One run of an application; `values` are what it shares with its requests."""

    def __init__(self, app: App, loop: asyncio.AbstractEventLoop) -> None:
        self.values: dict[str, Any] = {}
        self._app = app
        self._loop = loop
        self._task: asyncio.Task[None] | None = None
        self._phases = iter(("startup", "shutdown"))
        self._may_stop = asyncio.Event()
        self._answers: dict[str, asyncio.Future[str]] = {
            "startup": loop.create_future(),
            "shutdown": loop.create_future(),
        }

    async def start(self) -> None:
        """Start the application; raises LifespanFailed."""
        scope = {**SCOPE, "state": self.values}
        self._task = self._loop.create_task(self._run(scope))
        await self._hear("startup", self._task)

    async def stop(self) -> None:
        """Stop it; raises LifespanFailed where it could not."""
        self._may_stop.set()
        if self._task is not None and not self._task.done():
            await self._hear("shutdown", self._task)
            await asyncio.wait([self._task])

    async def cancel(self) -> None:
        """End what is left of it."""
        if self._task is not None and not self._task.done():
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

    async def _hear(self, phase: str, task: asyncio.Task[None]) -> None:
        """Wait until the application has said how a phase went, or ended without a word."""
        answer = self._answers[phase]
        both: set[asyncio.Future[Any]] = {answer, task}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if answer.done() and not answer.result():
            return
        await asyncio.wait({task})  # it raises what it failed of
        error = None if task.cancelled() else task.exception()
        raise LifespanFailed(phase) from error
