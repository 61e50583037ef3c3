"""Knows how to start programs, wait until they serve, watch them, and stop every one of them.

A program that dies is reported and never restarted: what its absence does to the others is what
one wants to see. The run goes on as long as a vital program is left.
"""

import asyncio
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence

from scripts.run.child import Child, EndedEarly, start
from scripts.run.console import Console
from scripts.run.keeper import Keeper, tell
from scripts.run.program import Program

READY_SECONDS = 60.0
STOP_SECONDS = 8.0


class Supervisor:
    """Runs programs together until it is told to stop or none of the vital ones is left."""

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
        self._keeper = Keeper()
        self._children: list[Child] = []
        self._told_to_stop = asyncio.Event()

    async def run(self, welcome: Callable[[Mapping[str, int]], None]) -> int:
        """Start all, call `welcome` with their process ids once they are ready, watch.

        Returns the exit status. 0: it was told to stop. 1: a program did not come up, or no vital
        one is left.
        """
        self._listen_to_signals()
        life = asyncio.create_task(self._live(welcome))
        told = asyncio.create_task(self._told_to_stop.wait())
        try:
            await asyncio.wait({life, told}, return_when=asyncio.FIRST_COMPLETED)
            return 0 if told.done() else await life
        finally:
            await _cancel(life, told)
            await self._stop_all()
            self._keeper.close()

    def _listen_to_signals(self) -> None:
        """Install own handlers, for a background job of a script starts with SIGINT ignored.

        The programs get the defaults: exec resets what is handled, and keeps what is ignored.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._on_signal)
        loop.add_signal_handler(signal.SIGTERM, self._on_signal)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup outlives its terminal
            loop.add_signal_handler(signal.SIGHUP, self._on_signal)

    def _on_signal(self) -> None:
        if self._told_to_stop.is_set():  # told twice: no more grace
            _tell(self._alive(), signal.SIGKILL)
        self._told_to_stop.set()

    async def _live(self, welcome: Callable[[Mapping[str, int]], None]) -> int:
        for program in self._programs:
            child = await start(program, self._console.follow)
            self._keeper.guard(child.group)
            self._children.append(child)
        if not await self._all_ready():
            return 1
        welcome({child.program.name: child.group for child in self._children})
        await self._watch()
        return 1

    async def _all_ready(self) -> bool:
        """Wait for every program; if one ends or the time is up, say which and why."""
        try:
            async with asyncio.timeout(self._ready_seconds):
                await asyncio.gather(*(child.become_ready() for child in self._children))
        except EndedEarly:
            for child in set(self._children).difference(self._alive()):
                self._console.alarm(f"did not come up: {await child.obituary()}")
        except TimeoutError:
            for child in self._alive():
                if not child.is_ready:
                    self._console.alarm(f"gave up after {self._ready_seconds:g} s: {child.delay()}")
        return all(child.is_ready for child in self._children)

    async def _watch(self) -> None:
        """Report each program that ends; return when no vital one is left."""
        watched = {child.exited: child for child in self._children}
        while any(child.program.is_vital for child in watched.values()):
            ended, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for child in [watched.pop(task) for task in ended]:
                self._bury(child)
                self._console.alarm(f"{await child.obituary()}\n    It is not started again.")
        self._console.alarm("no gateway is left")

    async def _stop_all(self) -> None:
        """Ask every program to stop, and kill those that have not when the time is up."""
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
        """End what a program left behind, and never again signal its group: ids are reused."""
        tell(child.group, signal.SIGKILL)
        self._keeper.release(child.group)


async def _all_exited(children: Iterable[Child], seconds: float) -> bool:
    """Wait for processes to end; tell whether all did in time."""
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
