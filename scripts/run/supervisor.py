"""Starts programs, waits until they are ready, watches them, and stops them all.

A program that dies is reported and not restarted: what its absence does to the
others is what one wants to see. Its key starts it again. The run goes on as long as a vital program
is left.
"""

import asyncio
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from scripts.run.child import Child, EndedEarly, start
from scripts.run.console import Console
from scripts.run.keys import reading_keys
from scripts.run.process_guard import ProcessGuard, tell
from scripts.run.program import Program

Welcome = Callable[[Mapping[str, int], bool], None]
"""Called with the process ids by name, and whether keys are read."""

READY_SECONDS = 60.0
STOP_SECONDS = 8.0


class Supervisor:
    """Runs programs until it is stopped, or no vital one is left."""

    def __init__(
        self,
        programs: Sequence[Program],
        console: Console,
        *,
        ready_seconds: float = READY_SECONDS,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self._programs = programs
        self._console = console
        self._ready_seconds = ready_seconds
        self._stop_seconds = stop_seconds
        self._guard = ProcessGuard()
        self._children: list[Child] = []
        self._by_key = {program.key: program for program in programs if program.key}
        self._stopped_by_key: set[int] = set()
        self._watched: dict[asyncio.Future[int], Child] = {}
        self._restarted = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    async def run(self, welcome: Welcome) -> int:
        """Start all, call `welcome` with their process ids once they are ready, watch.

        Returns the exit status. 0: it was stopped. 1: a program did not come up, or no vital
        one is left.
        """
        self._listen_to_signals()
        life = asyncio.create_task(self._live(welcome))
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({life, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return 0 if stopped.done() else await life
        finally:
            await _cancel(life, stopped, *self._tasks)
            await self._stop_all()
            self._guard.close()

    def _listen_to_signals(self) -> None:
        """Install handlers, since a background job of a script starts with SIGINT ignored.

        The programs get the defaults: exec resets handled signals, and leaves ignored ones ignored.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._on_signal)
        loop.add_signal_handler(signal.SIGTERM, self._on_signal)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup outlives its terminal
            loop.add_signal_handler(signal.SIGHUP, self._on_signal)

    def _on_signal(self) -> None:
        if self._stopping.is_set():  # stopped twice: no more grace
            _tell(self._alive(), signal.SIGKILL)
        self._stopping.set()

    async def _live(self, welcome: Welcome) -> int:
        for program in self._programs:
            await self._start(program)
        if not await self._all_ready(self._children):
            return 1
        self._watched = {child.exited: child for child in self._children}
        with reading_keys(self.press) as has_keys:
            welcome({child.program.name: child.group for child in self._children}, has_keys)
            await self._watch()
        return 1

    async def _start(self, program: Program) -> Child:
        child = await start(program, self._console.follow)
        self._guard.guard(child.group)
        self._children = [one for one in self._children if one.program is not program]
        self._children.append(child)
        return child

    def press(self, key: str) -> None:
        """Stop the program with this key, or start it again; ignore other keys."""
        program = self._by_key.get(key)
        if program is None or program.name in {task.get_name() for task in self._tasks}:
            return
        task = asyncio.create_task(self._toggle(program), name=program.name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _toggle(self, program: Program) -> None:
        (child,) = (one for one in self._children if one.program is program)
        if child.is_alive:
            self._stopped_by_key.add(child.group)
            tell(child.group, signal.SIGKILL)
            await child.exited
            return
        self._console.say(f"starting {program.name} …")
        child = await self._start(program)
        if await self._all_ready([child]):
            self._watched[child.exited] = child
            self._restarted.set()
            self._console.say(f"{program.name} serves again (pid {child.group})")

    async def _all_ready(self, children: Sequence[Child]) -> bool:
        """Wait until programs are ready; report which one ended or timed out, and why."""
        try:
            async with asyncio.timeout(self._ready_seconds):
                await asyncio.gather(*(child.become_ready() for child in children))
        except EndedEarly:
            for child in children:
                if not child.is_alive:
                    self._console.alarm(f"did not come up: {await child.obituary()}")
        except TimeoutError:
            for child in children:
                if not child.is_ready:
                    self._console.alarm(f"gave up after {self._ready_seconds:g} s: {child.delay()}")
        return all(child.is_ready for child in children)

    async def _watch(self) -> None:
        """Report each program that ends; return when no vital one is left."""
        while any(child.program.is_vital for child in self._watched.values()):
            restarted = asyncio.create_task(self._restarted.wait())
            waited: set[asyncio.Future[Any]] = {*self._watched, restarted}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            restarted.cancel()
            self._restarted.clear()
            for exited in [one for one in self._watched if one.done()]:
                await self._report(self._watched.pop(exited))
        self._console.alarm("no gateway is left")

    async def _report(self, child: Child) -> None:
        """Report that a program ended, and how to start it again."""
        self._bury(child)
        key = child.program.key
        again = f"Press {key} to start it again." if key else "It is not started again."
        if child.group in self._stopped_by_key:
            self._console.alarm(f"{child.program.name} is stopped. {again}")
        else:
            self._console.alarm(f"{await child.obituary()}\n    {again}")

    async def _stop_all(self) -> None:
        """Terminate every program, and kill those that do not end in time."""
        alive = self._alive()
        self._console.say(f"stopping {len(alive)} programs …")
        _tell(alive, signal.SIGTERM)
        if not await _all_exited(alive, self._stop_seconds):
            late = self._alive()
            names = ", ".join(child.program.name for child in late)
            self._console.alarm(f"killing what did not stop in {self._stop_seconds:g} s: {names}")
            _tell(late, signal.SIGKILL)
            await _all_exited(late, self._stop_seconds)
        for child in alive:
            self._bury(child)
        await asyncio.gather(*(child.unfollow() for child in self._children))
        self._console.say("stopped")

    def _alive(self) -> list[Child]:
        return [child for child in self._children if child.is_alive]

    def _bury(self, child: Child) -> None:
        """Kill what a program left behind, and forget its group, since ids are reused."""
        tell(child.group, signal.SIGKILL)
        self._guard.release(child.group)


async def _all_exited(children: Iterable[Child], seconds: float) -> bool:
    """Wait for processes to end; return whether all did in time."""
    exits = [child.exited for child in children]
    _, late = await asyncio.wait(exits, timeout=seconds) if exits else (None, ())
    return not late


async def _cancel(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _tell(children: Iterable[Child], number: int) -> None:
    for child in children:
        tell(child.group, number)
