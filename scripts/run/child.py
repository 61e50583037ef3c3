"""A started program: its process, its output by lines, its exit."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable
from pathlib import Path

from scripts.run.program import Program, probe, says_ready

ROOT = Path(__file__).resolve().parents[2]

PROBE_EVERY = 0.1
TAIL_LINES = 15
LINE_BYTES = 64 * 1024
DRAIN_SECONDS = 0.5


class EndedEarly(Exception):
    """A program ended before it was ready."""


class Child:
    """A started program; `show` is called with each line of its output."""

    def __init__(
        self,
        program: Program,
        process: asyncio.subprocess.Process,
        output: asyncio.StreamReader,
        show: Callable[[str, str], None],
    ) -> None:
        self.program = program
        self.answer = "had no health check yet"
        self.exited = asyncio.create_task(process.wait())
        self._process = process
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._followed = asyncio.create_task(self._follow(output, show))

    @property
    def group(self) -> int:
        """The id of the process group that the program leads."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process is running."""
        return self._process.returncode is None

    @property
    def is_ready(self) -> bool:
        """Whether it was ready at the last probe."""
        return self.is_alive and says_ready(self.answer)

    async def become_ready(self) -> None:
        """Probe until the program is ready; the caller bounds the time.

        Raises EndedEarly if its process ends instead.
        """
        while not self.is_ready:
            if not self.is_alive:
                raise EndedEarly
            self.answer = await probe(self.program)
            if not self.is_ready:
                await asyncio.wait([self.exited], timeout=PROBE_EVERY)

    async def obituary(self) -> str:
        """Describe how the process ended, with its last line."""
        # Its last lines may still be in the pipe.
        await asyncio.wait([self._followed], timeout=DRAIN_SECONDS)
        code = self._process.returncode or 0
        cause = f"ended with status {code}" if code >= 0 else f"was killed by {_named(-code)}"
        return f"{self.program.name} (pid {self.group}) {cause}{self._last_words()}"

    def delay(self) -> str:
        """Describe a running program that is not ready, with its last line."""
        url = f"http://localhost:{self.program.port.number}{self.program.ready}"
        return f"{self.program.name} is not ready; {url}: {self.answer}{self._last_words()}"

    async def unfollow(self) -> None:
        """Stop reading the output, which a grandchild may hold open forever."""
        await asyncio.wait([self._followed], timeout=DRAIN_SECONDS)
        self._followed.cancel()

    def _last_words(self) -> str:
        return "".join(f"\n      {line}" for line in self._tail)

    async def _follow(self, output: asyncio.StreamReader, show: Callable[[str, str], None]) -> None:
        rest = b""
        while chunk := await output.read(LINE_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._take(line, show)
        if rest:
            self._take(rest, show)

    def _take(self, line: bytes, show: Callable[[str, str], None]) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self._tail.append(text)
        show(self.program.name, text)


async def start(program: Program, show: Callable[[str, str], None]) -> Child:
    """Start a program as the leader of its own session, so that it can be ended with its children.

    Its input is empty; lines of both output streams go to `show` with its name.
    """
    # A pipe of our own: asyncio's pipes would wait for the last grandchild's output.
    source, sink = os.pipe()
    try:
        output = await _reader(source)
        process = await asyncio.create_subprocess_exec(
            *program.command,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.env},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        os.close(sink)
    return Child(program, process, output, show)


async def _reader(descriptor: int) -> asyncio.StreamReader:
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
