"""One program of a run: its process now, and how it is started, replaced and stopped."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Literal

from bff_core.cli.dev.child import Child, EndedEarly
from bff_core.cli.dev.fork_client import ForkServerEnded
from bff_core.cli.dev.launcher import Launcher
from bff_core.cli.dev.program import Program
from bff_core.cli.ports import HOST
from bff_core.server.listening_socket import CannotListen, bind

HANDOVER_SECONDS: Final = 0.3
"""How long a reload waits for the end of the old process."""


State = Literal["starting", "ready", "stopped", "failed"]


class NotReady(Exception):
    """A program did not come up; the message says how it ended, `lines` is its output."""

    def __init__(self, reason: str, lines: list[str]) -> None:
        super().__init__(reason)
        self.lines = lines


class ManagedProgram:
    """A program and its process; `on_death` is called when that ends by itself.

    The listening socket of a gateway is held here: while a new process replaces the old one, no
    connection is refused.
    """

    def __init__(
        self,
        program: Program,
        launcher: Launcher,
        on_death: Callable[["ManagedProgram"], None],
        *,
        ready_seconds: float,
        stop_seconds: float,
    ) -> None:
        self.program = program
        self.run_env: Mapping[str, str] = {}
        self._state: State = "starting"
        self.ended_at: float | None = None
        self.child: Child | None = None
        self.seconds = 0.0
        self.has_old_code = False
        self.changing: asyncio.Task[None] | None = None
        self._launcher = launcher
        self._on_death = on_death
        self._ready_seconds = ready_seconds
        self._stop_seconds = stop_seconds
        self._listener: socket.socket | None = None
        self._endings: set[asyncio.Task[bool]] = set()

    @property
    def state(self) -> State:
        """Whether it serves; `ended_at` is the Unix time at which it stopped or failed."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        has_ended = state in {"stopped", "failed"}
        self.ended_at = (self.ended_at or time.time()) if has_ended else None
        self._state = state

    def describe(self, program: Program) -> None:
        """Set the program of the next process, with the variables of the run, `run_env`."""
        self.program = replace(program, env={**program.env, **self.run_env})

    @property
    def name(self) -> str:
        """The name of the program."""
        return self.program.name

    async def start(self, *, is_reload: bool = False) -> None:
        """Start the program and wait until it serves; raises `NotReady`."""
        self.state, started = "starting", time.monotonic()
        child = None
        try:
            self.child = child = await self._launched(is_reload=is_reload)
            await self._come_up(child)
        except BaseException:
            self.state = "failed"
            if child is not None:
                await self._discard(child)
            self._close_listener()
            raise
        self._adopt(child, started)

    async def replace(self) -> None:
        """Start the program with its new code, then stop the old process; raises `NotReady`.

        A gateway whose new process does not come up goes on with the old one. A service is stopped
        first, since its command opens the port itself.
        """
        if not self.program.is_gateway or self.child is None or not self.child.is_alive:
            await self.stop()
            await self.start(is_reload=True)
            return
        started, old = time.monotonic(), self.child
        new = await self._launched(is_reload=True)
        try:
            await self._come_up(new)
        except BaseException:
            await self._discard(new)
            raise
        self._adopt(new, started)
        # Without requests in flight it ends at once; a stream may take as long as the grace.
        await asyncio.wait({self._end(old)}, timeout=HANDOVER_SECONDS)

    async def stop(self) -> bool:
        """Stop the program; return whether it ended by itself, in time."""
        child, self.child, self.state = self.child, None, "stopped"
        if child is not None:
            self._end(child)
        self._close_listener()
        return all(await asyncio.gather(*map(asyncio.shield, self._endings)))

    def kill(self) -> None:
        """End the process at once, without its knowledge."""
        if self.child is not None:
            self.child.send_signal(signal.SIGKILL)

    async def _launched(self, *, is_reload: bool) -> Child:
        if self._endings and not self.program.is_gateway:
            await asyncio.wait(self._endings)  # they hold the port
        if self.program.is_gateway and self._listener is None:
            try:
                self._listener = bind(HOST, self.program.port.number)
            except CannotListen as error:
                raise NotReady(str(error), []) from None
        try:
            return await self._launcher.start(self.program, self._listener, is_reload=is_reload)
        except (ForkServerEnded, OSError) as error:
            raise NotReady(str(error), []) from None

    async def _come_up(self, child: Child) -> None:
        try:
            async with asyncio.timeout(self._ready_seconds):
                await child.become_ready()
        except EndedEarly:
            raise NotReady(await child.cause(), child.tail) from None
        except TimeoutError:
            where = f"{self.program.url}{self.program.ready}"
            reason = f"is not ready after {self._ready_seconds:g} s; {where}: {child.answer}"
            raise NotReady(reason, child.tail) from None

    def _adopt(self, child: Child, started: float) -> None:
        self.child, self.state = child, "ready"
        self.seconds = time.monotonic() - started
        child.reveal()
        child.exited.add_done_callback(lambda _: self._notice(child))

    def _notice(self, child: Child) -> None:
        """Report a process that ended by itself."""
        if self.child is child and self.state == "ready":
            self.state = "failed"
            self._launcher.bury(child)
            self._close_listener()
            self._on_death(self)

    def _end(self, child: Child) -> asyncio.Task[bool]:
        """Stop a process, whatever happens to the task that wants it."""

        async def ended() -> bool:
            in_time = await child.stop(self._stop_seconds)
            await self._discard(child)
            return in_time

        ending = asyncio.create_task(ended())
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        return ending

    async def _discard(self, child: Child) -> None:
        child.send_signal(signal.SIGKILL)
        self._launcher.bury(child)
        await child.close()

    def _close_listener(self) -> None:
        """Close the socket, so that connections are refused and do not wait."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
