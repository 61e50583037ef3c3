"""Runs programs from their start until the end of the run, and stops them all.

A program that dies is reported and not restarted: what its absence does to the others is what one
wants to see. A key starts it again, and so does a change of its code.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from bff_core.cli.dev.console_server import ConsoleServer
from bff_core.cli.dev.feeds import Feeds
from bff_core.cli.dev.fork_client import ForkServer
from bff_core.cli.dev.launcher import Launcher
from bff_core.cli.dev.plan import Planned
from bff_core.cli.dev.program import Program
from bff_core.cli.dev.program_changes import ProgramChanges
from bff_core.cli.dev.recorded_view import RecordedView
from bff_core.cli.dev.reloads import Reloads
from bff_core.cli.dev.saved_files import SavedFiles
from bff_core.cli.dev.view import RunView, Serving, StartedRun
from bff_core.console.logs.ring import LogRing
from bff_core.gateway.development_pages import CONSOLE_VARIABLE

READY_SECONDS = 60.0
STOP_SECONDS = 8.0


class Supervisor:
    """Runs programs until it is stopped; `changes` starts, stops and replaces each of them.

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
        self.logs = LogRing()
        self._view = RecordedView(view, self.logs)
        self.events = self._view.events
        self._stays = stays
        self._ready_seconds = ready_seconds
        self._stop_seconds = stop_seconds
        self._console = console
        root = plan.programs[0].root
        saved = SavedFiles(root)
        self._launcher = Launcher(root, plan.environ, view.line, self.logs.add, fork_server)
        self.changes = ProgramChanges(
            plan.programs,
            self._launcher,
            self._view,
            saved,
            on_end=self._end_without_gateways,
            ready_seconds=ready_seconds,
            stop_seconds=stop_seconds,
        )
        self._managed = self.changes.all_managed.values()
        self._reloads = Reloads(
            plan, self.changes, self._launcher, self._view, saved=saved, replan=replan
        )
        self._stopping = asyncio.Event()
        self._is_over = asyncio.Event()

    @property
    def programs(self) -> Sequence[Program]:
        """The programs of the newest plan, services first."""
        return self._reloads.plan.programs

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
                life.cancel()
                stopped.cancel()
                await asyncio.gather(life, stopped, self.changes.aclose(), return_exceptions=True)
                await self._stop_all()
                await self._launcher.close()

    def stop(self) -> None:
        """End the run; a second call ends it at once."""
        if self._stopping.is_set():
            self.changes.kill_all()
        self._stopping.set()

    def _listen_to_signals(self) -> None:
        """Install handlers, since a background job of a script starts with SIGINT ignored.

        The programs get the defaults: exec resets handled signals, and leaves ignored ones ignored.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.stop)
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup outlives its terminal
            loop.add_signal_handler(signal.SIGHUP, self.stop)

    def _served_console(self, feeds: Feeds) -> AbstractAsyncContextManager[None]:
        """Serve the console until the context ends."""
        return nullcontext() if self._console is None else self._console.serving(self, feeds)

    async def _live(self, feeds: Feeds, on_ready: Callable[[], None]) -> int:
        """Start all, show them, and wait for the end; return the exit status."""
        started = time.monotonic()
        self._view.starting(self.programs)
        await self._open_feeds(feeds)
        self.changes.spawn(self._reloads.watch())
        self.changes.start_all()
        noting = self.changes.spawn(self._note_waiting())
        await self.changes.settled()
        noting.cancel()
        is_up = all(managed.state == "ready" for managed in self._managed)
        if not (is_up or self._stays):
            return 1
        serving = {
            one.name: Serving(one.child.pid, one.seconds)
            for one in self._managed
            if one.child is not None and one.state == "ready"
        }
        elsewhere = self._reloads.plan.elsewhere
        seconds = time.monotonic() - started
        self._view.ready(StartedRun(self.programs, serving, elsewhere, seconds))
        on_ready()
        self._end_without_gateways()
        await self._is_over.wait()
        return 1

    async def _open_feeds(self, feeds: Feeds) -> None:
        """Give each gateway the sockets on which it reports, and the address of the console."""
        console = {} if self._console is None else {CONSOLE_VARIABLE: self._console.address}
        for managed in self._managed:
            if managed.program.is_gateway:
                managed.run_env = {**await feeds.open(managed.name), **console}
                managed.describe(managed.program)

    async def _note_waiting(self) -> None:
        """Show the programs that are awaited, after 5, 15, 35 of 60 seconds."""
        seconds = self._ready_seconds / 12
        while True:
            await asyncio.sleep(seconds)
            seconds *= 2
            for one in self._managed:
                if one.state == "starting" and one.child is not None:
                    where = f"{one.program.url}{one.program.ready}"
                    self._view.note(f"waiting for {one.name}; {where}: {one.child.answer}")

    def _end_without_gateways(self) -> None:
        """End the run if nothing can bring a gateway back."""
        states = {one.state for one in self._managed if one.program.is_gateway}
        if states and not self._stays and not states & {"ready", "starting"}:
            self._view.failure("", "no gateway is left")
            self._is_over.set()

    async def _stop_all(self) -> None:
        """Stop every program, and kill those that do not end in time."""
        running = [one for one in self._managed if one.child is not None]
        self._view.note(f"stopping {len(running)} programs")
        in_time = await asyncio.gather(*(one.stop() for one in running))
        late = [
            one.name for one, is_in_time in zip(running, in_time, strict=True) if not is_in_time
        ]
        if late:
            names = ", ".join(late)
            self._view.failure("", f"killed what did not stop in {self._stop_seconds:g} s: {names}")
        self._view.note("stopped")
