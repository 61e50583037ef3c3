"""Supervises worker processes that share one socket: starts, replaces and ends them."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import count as count_from
from pathlib import Path
from typing import Final

from bff_core.events import Events, WorkerEnded
from bff_core.observe.metrics.ended import add_ended, count_workers_ended
from bff_core.observe.process_socket import SOCKETS_VARIABLE, socket_of
from bff_core.observe.sockets_folder import temporary_folder

RESPAWN_SECONDS: Final = 1.0
"""The pause before a worker is replaced, so that one that fails at once does not loop."""

READY: Final = b"ready"


class Worker:
    """A worker process.

    A socket pair connects it to the supervisor. The worker reports on it when it serves, and each
    side notices the end of the other.
    """

    def __init__(self, process: asyncio.subprocess.Process, line: socket.socket) -> None:
        self.process = process
        self._line = line
        self._serves = False
        self._is_hung_up = False
        self._readiness = asyncio.get_running_loop().create_task(self._become_ready())

    @property
    def cause(self) -> str:
        """How it ended."""
        code = self.process.returncode or 0
        return f"status {code}" if code >= 0 else signal.Signals(-code).name

    async def is_ready(self) -> bool:
        """Wait until it serves; return False if it ends instead."""
        await asyncio.wait({self._readiness})
        return self._serves

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.process.returncode is None:
            self.process.send_signal(number)

    def hang_up(self) -> None:
        """Send it SIGHUP once it serves; before, the signal would end the process."""
        if self._serves:
            self.send_signal(signal.SIGHUP)
        else:
            self._is_hung_up = True

    async def ended(self) -> int:
        """Wait until it has ended; return its status."""
        status = await self.process.wait()
        self._readiness.cancel()
        await asyncio.wait({self._readiness})
        self._line.close()
        return status

    async def _become_ready(self) -> None:
        message = await asyncio.get_running_loop().sock_recv(self._line, len(READY))
        self._serves = message == READY
        if self._is_hung_up:
            self.send_signal(signal.SIGHUP)


class Workers:
    """Runs a command in `count` processes, with the descriptors of listener and lifeline.

    SIGTERM and SIGINT are passed on to all workers and end them; SIGHUP is passed on to each as
    soon as it serves.
    """

    def __init__(
        self,
        command: Sequence[str],
        count: int,
        listener: socket.socket,
        events: Events,
        sockets: Path | None = None,
    ) -> None:
        self._command = command
        self._sockets = sockets
        self._variables = {} if sockets is None else {SOCKETS_VARIABLE: str(sockets)}
        self._count = count
        self._listener = listener
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        self._alive: set[Worker] = set()
        self._numbers = count_from(1)

    async def run(self) -> int:
        """Serve until a signal; return 0, or the first worker's status if it fails to start."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._end, number)
        self._loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        self._count_ended(0)
        first = await self._start()
        if not await first.is_ready():
            status = await self._forget(first)
            return 0 if self._ending.is_set() else status
        supervising = [self._loop.create_task(self._supervise_worker(first))]
        while len(supervising) < self._count and not self._ending.is_set():
            supervising.append(self._loop.create_task(self._supervise_worker(await self._start())))
        await self._ending.wait()
        await asyncio.gather(*supervising)
        return 0

    async def _start(self, replaced: WorkerEnded | None = None) -> Worker:
        """Start a worker, which reports the one that it replaces to the console."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        descriptors = (self._listener.fileno(), theirs.fileno())
        cause = () if replaced is None else ("--replaced", f"{replaced.pid}", replaced.cause)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *("--fd", str(descriptors[0]), "--lifeline", str(descriptors[1])),
                *("--number", str(next(self._numbers))),
                *cause,
                pass_fds=descriptors,
                env={**os.environ, **self._variables},
                # A session of its own: the terminal must not send Ctrl-C to workers as well.
                start_new_session=True,
            )
        worker = Worker(process, ours)
        self._alive.add(worker)
        if self._ending.is_set():  # while it was started
            worker.send_signal(signal.SIGTERM)
        return worker

    async def _supervise_worker(self, worker: Worker) -> None:
        """Replace a worker each time it ends, until the signal to end."""
        while True:
            await self._forget(worker)
            if self._ending.is_set():
                return
            ended = WorkerEnded(worker.process.pid, worker.cause)
            if self._events.sinks:
                self._events.emit(ended)
            self._count_ended(1)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), RESPAWN_SECONDS)
            if self._ending.is_set():
                return
            worker = await self._start(ended)

    async def _forget(self, worker: Worker) -> int:
        status = await worker.ended()
        self._alive.discard(worker)
        if self._sockets is not None:  # a worker that was killed has left its socket
            socket_of(self._sockets, worker.process.pid).unlink(missing_ok=True)
            add_ended(self._sockets, worker.process.pid)
        return status

    def _count_ended(self, ended: int) -> None:
        """Count workers that ended unexpectedly, where the metrics of all workers are read."""
        if self._sockets is not None:
            count_workers_ended(self._sockets, ended)

    def _end(self, number: int) -> None:
        if not self._ending.is_set():
            self._listener.close()  # the workers have copies, and accept the backlog
        self._ending.set()
        for worker in self._alive:
            worker.send_signal(number)

    def _hang_up(self) -> None:
        for worker in self._alive:
            worker.hang_up()


def command(arguments: Sequence[str]) -> list[str]:
    """Return the command line of a worker."""
    return [sys.executable, "-m", "bff_core.server.worker", *arguments]


@contextmanager
def folder_of_sockets(environ: Mapping[str, str]) -> Iterator[Path | None]:
    """Yield the folder in which workers serve commands; one that is made here is removed.

    `bff dev` names a folder. None where no folder can be made: each worker then is alone.
    """
    named = environ.get(SOCKETS_VARIABLE, "")
    if named:
        yield Path(named)
        return
    with ExitStack() as closing:
        try:
            made = closing.enter_context(temporary_folder())
        except OSError:  # a container without a writable folder
            yield None
            return
        yield made
