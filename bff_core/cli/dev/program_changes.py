"""Starts, stops and replaces the programs of a run: one change of each at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path

from bff_core.cli.dev.launcher import Launcher
from bff_core.cli.dev.managed_program import ManagedProgram, NotReady
from bff_core.cli.dev.program import Program
from bff_core.cli.dev.saved_files import SavedFiles
from bff_core.cli.dev.view import RunView


class ProgramChanges:
    """The programs of a run by name, services first, and what is done to each.

    A new change of a program cancels the one before. `saved` has the files that programs do not
    serve yet. `on_end` is called after a program was stopped or has died.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        launcher: Launcher,
        view: RunView,
        saved: SavedFiles,
        *,
        on_end: Callable[[], None],
        ready_seconds: float,
        stop_seconds: float,
    ) -> None:
        self.all_managed = {
            one.name: ManagedProgram(
                one,
                launcher,
                self._report_death,
                ready_seconds=ready_seconds,
                stop_seconds=stop_seconds,
            )
            for one in programs
        }
        self._view = view
        self._saved = saved
        self._on_end = on_end
        self._tasks: set[asyncio.Task[None]] = set()

    def toggle(self, name: str) -> None:
        """Stop a program, or start it again."""
        if self.all_managed[name].state == "ready":
            self.stop(name)
        else:
            self.start(name)

    def stop(self, name: str) -> None:
        """End a program at once, without its knowledge; one that does not run stays so."""
        managed = self.all_managed[name]
        if managed.state in {"ready", "starting"}:
            managed.kill()
            managed.state = "stopped"
            self._change(managed, partial(self._stopped, managed))

    def start(self, name: str) -> None:
        """Start a program that does not run."""
        managed = self.all_managed[name]
        if managed.state in {"stopped", "failed"}:
            managed.state = "starting"
            self._change(managed, partial(self._started, managed))

    def start_all(self) -> None:
        """Start all programs for the first time."""
        for managed in self.all_managed.values():
            self._change(managed, partial(self._started, managed, is_first=True))

    def restart(self, name: str) -> None:
        """Start a program again."""
        managed = self.all_managed[name]
        self._change(managed, partial(self._restarted, managed))

    def reload(self, names: set[str]) -> None:
        """Replace those programs whose code or settings were saved, unless they are stopped."""
        concerned = [one for one in self.all_managed.values() if one.name in names]
        self.spawn(self._reload([one for one in concerned if one.state != "stopped"]))

    def kill_all(self) -> None:
        """End all processes at once."""
        for managed in self.all_managed.values():
            managed.kill()

    async def settled(self) -> None:
        """Wait until no program is being started or replaced."""
        while changing := {
            one.changing
            for one in self.all_managed.values()
            if one.changing is not None and not one.changing.done()
        }:
            await asyncio.wait(changing)

    async def aclose(self) -> None:
        """Cancel what is under way; the programs stay as they are."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run work that ends with the run."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _change(
        self, managed: ManagedProgram, work: Callable[[], Awaitable[None]]
    ) -> asyncio.Task[None]:
        """Change a program; a change that is under way is given up for this one."""
        if managed.changing is not None:
            managed.changing.cancel()
        before = managed.changing

        async def after() -> None:
            if before is not None:
                await asyncio.wait({before})
            await work()

        managed.changing = self.spawn(after())
        return managed.changing

    async def _reload(self, concerned: Sequence[ManagedProgram]) -> None:
        """Replace programs, and report those that serve their new code."""
        started, served = time.monotonic(), set[Path]()
        tasks = [self._change(one, partial(self._replaced, one, served)) for one in concerned]
        if not tasks:
            return
        await asyncio.wait(tasks)
        done = [
            one.name
            for one, task in zip(concerned, tasks, strict=True)
            if not task.cancelled() and one.state == "ready" and not one.has_old_code
        ]
        if done:
            seconds = time.monotonic() - started
            files = self._saved.described(served)
            text = f"{files}, {_listed(done)} restarted in {seconds:.1f} s"
            self._view.note(text, is_reload=True)

    async def _replaced(self, managed: ManagedProgram, served: set[Path]) -> None:
        """Replace a program; add the files that it serves now to `served`."""
        had_process = managed.program.is_gateway and managed.state == "ready"
        managed.has_old_code = False
        try:
            await managed.replace()
        except NotReady as problem:
            managed.has_old_code = True
            still = "; the code from before still serves" if had_process else ""
            lines = problem.lines or [str(problem)]
            files = self._saved.blamed(self._saved.taken(managed.name), lines)
            text = f"{self._saved.described(files)}, but {managed.name} does not start{still}"
            self._view.failure(managed.name, text, lines)
        else:
            served |= self._saved.taken(managed.name)

    async def _stopped(self, managed: ManagedProgram) -> None:
        await managed.stop()
        self._view.failure(managed.name, f"{managed.name} is stopped")
        self._on_end()

    async def _started(self, managed: ManagedProgram, *, is_first: bool = False) -> None:
        if await self._came_up(managed, managed.start()) and not is_first:
            self._view.note(f"{managed.name} serves again, after {managed.seconds:.1f} s")

    async def _restarted(self, managed: ManagedProgram) -> None:
        if await self._came_up(managed, managed.replace()):
            self._view.note(f"{managed.name} restarted in {managed.seconds:.1f} s", is_reload=True)

    async def _came_up(self, managed: ManagedProgram, start: Awaitable[None]) -> bool:
        """Await a start, and return whether the program serves; show why it does not."""
        try:
            await start
        except NotReady as problem:
            self._view.failure(managed.name, f"did not come up: {problem}", problem.lines)
            return False
        self._saved.taken(managed.name)
        return True

    def _report_death(self, managed: ManagedProgram) -> None:
        self.spawn(self._died(managed))

    async def _died(self, managed: ManagedProgram) -> None:
        child = managed.child
        if child is not None:
            cause = await child.cause()
            text = f"{managed.name} (pid {child.pid}) {cause}"
            self._view.failure(managed.name, text, child.tail)
        self._on_end()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{len(names)} programs"
