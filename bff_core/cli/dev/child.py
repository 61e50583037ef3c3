"""A started program: its process, its output by lines, its exit."""

import asyncio
import os
import signal
import socket
from collections import deque
from collections.abc import Callable

from bff_core.cli.dev.process_guard import signal_group
from bff_core.cli.dev.program import Program, probe, says_ready

PROBE_EVERY = 0.05
TAIL_LINES = 60
LINE_BYTES = 1024 * 1024
DRAIN_SECONDS = 0.5


class EndedEarly(Exception):
    """A program ended before it was ready."""


class Child:
    """A started program.

    `record` is called with its name and each line of its output, `show` only once it is revealed.
    """

    def __init__(
        self,
        program: Program,
        pid: int,
        exited: "asyncio.Future[int]",
        output: asyncio.StreamReader,
        *,
        show: Callable[[str, str], None],
        record: Callable[[str, str], None],
        lifeline: socket.socket | None = None,
    ) -> None:
        self.program = program
        self.answer = "had no health check yet"
        self.pid = pid
        self.exited = exited
        self._lifeline = lifeline
        if lifeline is not None:
            lifeline.setblocking(False)
        self._show = show
        self._record = record
        self._is_revealed = False
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._followed = asyncio.create_task(self._follow(output))

    @property
    def is_alive(self) -> bool:
        """Whether the process is running."""
        return not self.exited.done()

    @property
    def tail(self) -> list[str]:
        """Its last lines."""
        return list(self._tail)

    def reveal(self) -> None:
        """Show its output from now on, and what a gateway wrote so far."""
        if not self._is_revealed:
            self._is_revealed = True
            for line in self._tail if self.program.is_gateway else ():
                self._show(self.program.name, line)

    async def become_ready(self) -> None:
        """Wait until the program serves, and its health check passes; the caller bounds the time.

        Raises EndedEarly if its process ends instead.
        """
        if self._lifeline is not None:
            await self._serves(self._lifeline)
        while not says_ready(self.answer):
            if not self.is_alive:
                raise EndedEarly
            self.answer = await probe(self.program)
            if not says_ready(self.answer):
                await asyncio.wait([self.exited], timeout=PROBE_EVERY)

    async def _serves(self, lifeline: socket.socket) -> None:
        """Wait until a gateway reports that it accepts connections."""
        loop = asyncio.get_running_loop()
        if not await loop.sock_recv(lifeline, 16):
            await asyncio.wait([self.exited])
            raise EndedEarly

    def send_signal(self, number: int) -> None:
        """Send a signal to it and to what it started."""
        if self.is_alive:
            signal_group(self.pid, number)

    async def stop(self, seconds: float) -> bool:
        """Terminate it, or kill it when the time is up; return whether it ended by itself."""
        self.send_signal(signal.SIGTERM)
        await asyncio.wait([self.exited], timeout=seconds)
        if is_late := self.is_alive:
            self.send_signal(signal.SIGKILL)
            await asyncio.wait([self.exited], timeout=seconds)
        return not is_late

    async def cause(self) -> str:
        """Describe how the process ended."""
        # Its last lines may still be in the pipe.
        await asyncio.wait([self._followed], timeout=DRAIN_SECONDS)
        code = self.exited.result()
        return f"ended with status {code}" if code >= 0 else f"was killed by {_named(-code)}"

    async def close(self) -> None:
        """Stop reading the output, which a grandchild may hold open forever."""
        await asyncio.wait([self._followed], timeout=DRAIN_SECONDS)
        self._followed.cancel()
        if self._lifeline is not None:
            self._lifeline.close()

    async def _follow(self, output: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await output.read(64 * 1024):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._take(line)
        if rest:
            self._take(rest)

    def _take(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self._tail.append(text)
        self._record(self.program.name, text)
        if self._is_revealed:
            self._show(self.program.name, text)


async def reader_of(descriptor: int) -> asyncio.StreamReader:
    """Return a reader of a pipe, which it closes at the end."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
    return reader


def _named(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
