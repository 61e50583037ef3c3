"""Starts programs, waits until they are ready, reloads them, and stops them all.

A program that dies is reported and not restarted: what its absence does to the others is what one
wants to see. A key starts it again, and so does a change of its code.
"""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

from bff_core.cli.dev.console_server import ConsoleServer
from bff_core.cli.dev.feeds import Feeds
from bff_core.cli.dev.fork_client import ForkServer
from bff_core.cli.dev.launcher import Launcher
from bff_core.cli.dev.managed_program import ManagedProgram, NotReady
from bff_core.cli.dev.plan import Planned
from bff_core.cli.dev.recorded_view import RecordedView
from bff_core.cli.dev.saved_files import SavedFiles
from bff_core.cli.dev.view import RunView, Serving
from bff_core.cli.dev.watch import SETTINGS, NoWatcher, Owners, watch
from bff_core.cli.errors import CannotRun
from bff_core.console.log_ring import LogRing
from bff_core.errors import ConfigurationError
from bff_core.gateway.development_pages import VARIABLE as CONSOLE

READY_SECONDS = 60.0
STOP_SECONDS = 8.0


class Supervisor:
    """Runs programs until it is stopped.

    The `console` is served meanwhile. If it `stays`, a program that does not come up waits for a
    change of its code; else the run ends when a program does not come up, or no gateway is left.
    """

    def __init__(
        self,
        plan: Planned,
        view: RunView,
        *,
        replan: Callable[[], Planned] | None = None,
        fork_server: ForkServer | None = None,
        console: ConsoleServer | None = None,
        stays: bool = False,
        ready_seconds: float = READY_SECONDS,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self.programs = plan.programs
        self._plan = plan
        self._replan = replan
        self.logs = LogRing()
        self._view = RecordedView(view, self.logs)
        self.events = self._view.events
        self._root = plan.programs[0].root
        self._stays = stays
        self._ready_seconds = ready_seconds
        self._stop_seconds = stop_seconds
        self._console = console
        self._own_env: dict[str, Mapping[str, str]] = {}
        self._launcher = Launcher(self._root, plan.environ, view.line, self.logs.add, fork_server)
        self.all_managed = {
            one.name: ManagedProgram(
                one,
                self._launcher,
                self._report_death,
                ready_seconds=ready_seconds,
                stop_seconds=stop_seconds,
            )
            for one in plan.programs
        }
        self._owners = Owners([*plan.programs, *plan.others], plan.environ)
        self._saved = SavedFiles(self._root)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._is_over = asyncio.Event()

    async def run(self, on_ready: Callable[[], None] = lambda: None) -> int:
        """Start all, call `on_ready` once they serve, and run until the end.

        Returns the exit status. 0: it was stopped. 1: a program did not come up, or no gateway is
        left.
        """
        self._listen_to_signals()
        async with Feeds(self._view.request) as feeds, self._served_console(feeds):
            life = asyncio.create_task(self._live(feeds, on_ready))
            stopped = asyncio.create_task(self._stopping.wait())
            try:
                await asyncio.wait({life, stopped}, return_when=asyncio.FIRST_COMPLETED)
                return 0 if stopped.done() else await life
            finally:
                await _cancel(life, stopped, *self._tasks)
                await self._stop_all()
                await self._launcher.close()

    def stop(self) -> None:
        """End the run; a second call ends it at once."""
        if self._stopping.is_set():
            for managed in self.all_managed.values():
                managed.kill()
        self._stopping.set()

    def toggle(self, name: str) -> None:
        """Stop a program, or start it again."""
        if self.all_managed[name].state == "ready":
            self.stop_program(name)
        else:
            self.start_program(name)

    def stop_program(self, name: str) -> None:
        """End a program at once, without its knowledge; one that does not run stays so."""
        managed = self.all_managed[name]
        if managed.state in {"ready", "starting"}:
            managed.kill()
            managed.state = "stopped"
            self._change(managed, partial(self._stopped, managed))

    def start_program(self, name: str) -> None:
        """Start a program that does not run."""
        managed = self.all_managed[name]
        if managed.state in {"stopped", "failed"}:
            managed.state = "starting"
            self._change(managed, partial(self._started, managed))

    def restart(self, name: str) -> None:
        """Start a program again."""
        managed = self.all_managed[name]
        self._change(managed, partial(self._restarted, managed))

    def changed(self, paths: AbstractSet[Path]) -> None:
        """Start those programs again whose code was saved or deleted."""
        settings = {path for path in paths if self._is_setting(path)}
        applied = self._apply({path.name for path in settings}) if settings else set()
        for name in applied:
            self._saved.add(name, settings)
        preloaded = {path for path in paths if self._launcher.has_preloaded(str(path))}
        if preloaded:
            self._launcher.preload()
        names = applied | self._add_code(paths - settings, preloaded)
        concerned = [one for one in self.all_managed.values() if one.name in names]
        self._spawn(self._reload([one for one in concerned if one.state != "stopped"]))

    def _add_code(self, code: AbstractSet[Path], preloaded: AbstractSet[Path]) -> set[str]:
        """Record which programs the files concern; return their names."""
        gateways = {one.name for one in self.programs if one.is_gateway}
        found: set[str] = set()
        for path in code:
            concerned = gateways if path in preloaded else self._owners.concerned([path])
            for name in concerned:
                self._saved.add(name, [path])
            found |= concerned
        return found

    def _apply(self, files: set[str]) -> set[str]:
        """Read the settings again; return the programs that they change."""
        if self._replan is None:
            return set()
        names = " and ".join(sorted(files))
        try:
            plan = self._replan()
        except (CannotRun, ConfigurationError) as error:
            self._view.failure("", f"{names} saved, but not applied: {error}")
            return set()
        new = {one.name: one for one in plan.programs}
        if {name: one.port for name, one in new.items()} != {
            one.name: one.port for one in self.programs
        }:
            self._view.note(f"{names} saved: stop and start again to apply it")
            self._owners = Owners([*self.programs, *plan.programs, *plan.others], plan.environ)
            return set()
        self._owners = Owners([*plan.programs, *plan.others], plan.environ)
        self._launcher.environ = plan.environ
        is_all = plan.environ != self._plan.environ
        changed = {one.name for one in self.programs if is_all or one != new[one.name]}
        self._plan, self.programs = plan, plan.programs
        for name in changed:
            managed = self.all_managed[name]
            managed.program = replace(
                new[name], env={**new[name].env, **self._own_env.get(name, {})}
            )
        return changed

    def _served_console(self, feeds: Feeds) -> AbstractAsyncContextManager[None]:
        """Serve the console until the context ends."""
        return nullcontext() if self._console is None else self._console.serving(self, feeds)

    def _console_env(self) -> dict[str, str]:
        """Return the variables by which gateways find the console."""
        return {} if self._console is None else {CONSOLE: self._console.address}

    def _is_setting(self, path: Path) -> bool:
        return path.parent == self._root and path.name in SETTINGS

    def _listen_to_signals(self) -> None:
        """Install handlers, since a background job of a script starts with SIGINT ignored.

        The programs get the defaults: exec resets handled signals, and leaves ignored ones ignored.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.stop)
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup outlives its terminal
            loop.add_signal_handler(signal.SIGHUP, self.stop)

    async def _live(self, feeds: Feeds, on_ready: Callable[[], None]) -> int:
        started = time.monotonic()
        self._view.starting(self.programs)
        for managed in self.all_managed.values():
            if managed.program.is_gateway:
                own = {**await feeds.open(managed.name), **self._console_env()}
                self._own_env[managed.name] = own
                managed.program = replace(managed.program, env={**managed.program.env, **own})
        self._spawn(self._watch())
        for managed in self.all_managed.values():
            self._change(managed, partial(self._started, managed, is_first=True))
        noting = self._spawn(self._note_waiting())
        await self._settled()
        noting.cancel()
        is_up = all(managed.state == "ready" for managed in self.all_managed.values())
        if not (is_up or self._stays):
            return 1
        serving = {
            one.name: Serving(one.child.pid, one.seconds)
            for one in self.all_managed.values()
            if one.child is not None and one.state == "ready"
        }
        total = time.monotonic() - started
        self._view.ready(self.programs, self._plan.elsewhere, serving, total)
        on_ready()
        self._end_without_gateways()
        await self._is_over.wait()
        return 1

    async def _watch(self) -> None:
        try:
            await watch(self._root, self.changed)
        except* NoWatcher as missing:
            self._view.note(str(missing.exceptions[0]))
        except* (OSError, RuntimeError) as failed:  # such as the limit of the system
            self._view.failure("", f"files are not watched: {failed.exceptions[0]}")

    async def _settled(self) -> None:
        """Wait until no program is being started or replaced."""
        while changing := {
            one.changing
            for one in self.all_managed.values()
            if one.changing is not None and not one.changing.done()
        }:
            await asyncio.wait(changing)

    async def _note_waiting(self) -> None:
        """Show the programs that are awaited, after 5, 15, 35 of 60 seconds."""
        seconds = self._ready_seconds / 12
        while True:
            await asyncio.sleep(seconds)
            seconds *= 2
            for one in self.all_managed.values():
                if one.state == "starting" and one.child is not None:
                    where = f"{one.program.url}{one.program.ready}"
                    self._view.note(f"waiting for {one.name}; {where}: {one.child.answer}")

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
        self._end_without_gateways()

    async def _started(self, managed: ManagedProgram, *, is_first: bool = False) -> None:
        try:
            await managed.start()
        except NotReady as problem:
            self._view.failure(managed.name, f"did not come up: {problem}", problem.lines)
            return
        self._saved.taken(managed.name)
        if not is_first:
            self._view.note(f"{managed.name} serves again, after {managed.seconds:.1f} s")

    async def _restarted(self, managed: ManagedProgram) -> None:
        try:
            await managed.replace()
        except NotReady as problem:
            self._view.failure(managed.name, f"{managed.name} does not start", problem.lines)
            return
        self._saved.taken(managed.name)
        self._view.note(f"{managed.name} restarted in {managed.seconds:.1f} s", is_reload=True)

    def _report_death(self, managed: ManagedProgram) -> None:
        self._spawn(self._died(managed))

    async def _died(self, managed: ManagedProgram) -> None:
        child = managed.child
        if child is not None:
            cause = await child.cause()
            self._view.failure(
                managed.name, f"{managed.name} (pid {child.pid}) {cause}", child.tail
            )
        self._end_without_gateways()

    def _end_without_gateways(self) -> None:
        """End the run if nothing can bring a gateway back."""
        states = {one.state for one in self.all_managed.values() if one.program.is_gateway}
        if states and not self._stays and not states & {"ready", "starting"}:
            self._view.failure("", "no gateway is left")
            self._is_over.set()

    async def _stop_all(self) -> None:
        """Stop every program, and kill those that do not end in time."""
        running = [one for one in self.all_managed.values() if one.child is not None]
        self._view.note(f"stopping {len(running)} programs")
        in_time = await asyncio.gather(*(one.stop() for one in running))
        late = [
            one.name for one, is_in_time in zip(running, in_time, strict=True) if not is_in_time
        ]
        if late:
            names = ", ".join(late)
            self._view.failure("", f"killed what did not stop in {self._stop_seconds:g} s: {names}")
        self._view.note("stopped")

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

        managed.changing = self._spawn(after())
        return managed.changing

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{len(names)} programs"


async def _cancel(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
