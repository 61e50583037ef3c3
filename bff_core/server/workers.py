"""Supervises worker processes that share one socket: starts, replaces and ends them."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import count as count_from
from pathlib import Path
from typing import Final

from bff_core.events import Events, WorkerEnded
from bff_core.observe.metrics.ended import add_ended, count_workers_ended
from bff_core.observe.process_socket import SOCKETS_VARIABLE, socket_of
from bff_core.observe.sockets_folder import temporary_folder
from bff_core.server.reload_rounds import RELOADS, ReloadRounds

RESPAWN_SECONDS: Final = 1.0
"""The pause before a worker is replaced, so that one that fails at once does not loop."""


class Worker:
    """A worker process.

    A socket pair connects it to the supervisor. The worker reports on it when it serves, and each
    side notices the end of the other. `wants_reload` is called when it requests a reload of all
    workers.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        line: socket.socket,
        wants_reload: Callable[[], None],
        wants_rollback: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.process = process
        self.reloads = False
        """Whether it takes part in reloads: it has a gateway, and serves."""
        self._wants_reload = wants_reload
        self._wants_rollback = wants_rollback
        self._is_hung_up = False
        loop = asyncio.get_running_loop()
        self._readiness: asyncio.Future[bool] = loop.create_future()
        self._answers: dict[str, asyncio.Future[str | None]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._listening = loop.create_task(self._listen(line))

    @property
    def cause(self) -> str:
        """How it ended."""
        code = self.process.returncode or 0
        return f"status {code}" if code >= 0 else signal.Signals(-code).name

    async def is_ready(self) -> bool:
        """Wait until it serves; return False if it ends instead."""
        await asyncio.wait({self._readiness})
        return self._readiness.result()

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.process.returncode is None:
            self.process.send_signal(number)

    def hang_up(self) -> None:
        """Send it SIGHUP once it serves; before, the signal would end the process."""
        if self._readiness.done():
            self.send_signal(signal.SIGHUP)
        else:
            self._is_hung_up = True

    async def prepare(self, number: int) -> str | None:
        """Let it prepare a reload; return why it refuses, empty text, or None if it has ended."""
        if not self.say(f"prepare {number}"):
            return None
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._answers[str(number)] = answer
        return await answer

    def conclude(self, number: int, refusal: str) -> None:
        """Let it switch to what it prepared; or with a refusal, drop it."""
        self.say(f"abandon {number} {refusal}" if refusal else f"switch {number}")

    async def ended(self) -> int:
        """Wait until it has ended; return its status."""
        status = await self.process.wait()
        self._listening.cancel()
        await asyncio.wait({self._listening})
        return status

    def say(self, line: str) -> bool:
        """Send it a line; return False if it has ended."""
        if self._writer is None or self._writer.is_closing():
            return False
        self._writer.write(f"{line}\n".encode())
        return True

    async def _listen(self, line: socket.socket) -> None:
        reader, self._writer = await asyncio.open_connection(sock=line)
        try:
            while read := await reader.readline():
                self._take(read.decode().rstrip("\n"))
        except OSError:  # it was killed while it wrote
            pass
        finally:
            self._writer.close()
            if not self._readiness.done():
                self._readiness.set_result(False)
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_result(None)

    def _take(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        number, _, reason = rest.partition(" ")
        if word == "ready":
            self.reloads = rest == RELOADS
            self._readiness.set_result(True)
            if self._is_hung_up:
                self.send_signal(signal.SIGHUP)
        elif word == "reload":
            self._wants_reload()
        elif word == "rollback":
            self._wants_rollback(line)
        elif word in {"prepared", "refused"} and number in self._answers:
            answer = self._answers.pop(number)
            if not answer.done():
                answer.set_result(reason)


class Workers:
    """Runs a command in `count` processes, with the descriptors of listener and lifeline.

    SIGTERM and SIGINT are passed on to all workers and end them. SIGHUP reloads all gateways
    together; a worker that does not serve yet, or has no gateway, gets the signal once it serves.
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
        self._rounds = ReloadRounds(lambda: [one for one in self._alive if one.reloads])
        self._numbers = count_from(1)

    async def run(self) -> int:
        """Serve until a signal; return 0, or the first worker's status if it fails to start."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._end, number)
        self._loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        self._count_ended(0)
        rounds = self._loop.create_task(self._rounds.run())
        try:
            return await self._serve()
        finally:
            rounds.cancel()

    async def _serve(self) -> int:
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
        worker = Worker(process, ours, self._rounds.request, self._roll_back)
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

    def _roll_back(self, line: str) -> None:
        """Let all workers take back what one of them has found to fail."""
        for worker in self._alive:
            if worker.reloads:
                worker.say(line)

    def _hang_up(self) -> None:
        """Reload the gateways of all workers together; others get the signal themselves."""
        self._rounds.request()
        for worker in self._alive:
            if not worker.reloads:
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
