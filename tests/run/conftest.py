"""A program in a process of its own, its output at hand, and nothing of it left after the test."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
AS_BACKGROUND_JOB = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")


class Started:
    """A started command; waiting for it to say or do something is bounded."""

    def __init__(
        self,
        *command: str,
        environ: dict[str, str],
        ignores_sigint: bool,
        terminal: int | None = None,
    ) -> None:
        # Its own session takes the terminal as its own, as a shell's does.
        owns = partial(fcntl.ioctl, 0, termios.TIOCSCTTY, 0) if terminal is not None else None
        self.process = subprocess.Popen(
            (*(AS_BACKGROUND_JOB if ignores_sigint else ()), *command),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=owns,  # noqa: PLW1509 # one system call, and no Python lock
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def output(self) -> str:
        """All that it wrote so far, on either stream."""
        return "".join(self._lines)

    def until(self, text: str, seconds: float = PATIENCE, *, count: int = 1) -> str:
        """Wait for so many lines that hold `text`, and return the first."""
        _wait_until(
            lambda: self.output.count(text) >= count or not self._reader.is_alive(), seconds
        )
        found = [line for line in self._lines if text in line]
        assert len(found) >= count, f"never said {text!r}, but:\n{self.output}"
        return found[0].rstrip("\n")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and return the exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end, and return the exit status."""
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def survivors(self, pids: Iterable[int], seconds: float = PATIENCE) -> set[int]:
        """Give processes time to end; return those that live on."""
        pids = set(pids)
        _wait_until(lambda: not any(map(_lives, pids)), seconds)
        return {pid for pid in pids if _lives(pid)}

    def close(self) -> None:
        """End it if the test did not, softly, so that it takes its own children along."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE)
            self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)
        self.process.stdout.close()

    def _read(self) -> None:
        self._lines.extend(self.process.stdout)


def _wait_until(is_so: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Poll other processes until they did what is expected of them."""
    limit = time.monotonic() + seconds
    while not is_so() and time.monotonic() < limit:
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    """Return whether a process is there and no zombie."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextlib.contextmanager
def _starter() -> Iterator[Callable[..., Started]]:
    with contextlib.ExitStack() as running:

        def run(
            *command: str,
            ignores_sigint: bool = False,
            terminal: int | None = None,
            **environ: str,
        ) -> Started:
            started = Started(
                *command, environ=environ, ignores_sigint=ignores_sigint, terminal=terminal
            )
            running.callback(started.close)
            return started

        yield run


@pytest.fixture
def start() -> Iterator[Callable[..., Started]]:
    """Start commands that end with the test."""
    with _starter() as run:
        yield run


@pytest.fixture(scope="module")
def start_for_all() -> Iterator[Callable[..., Started]]:
    """Start commands that end with the last test of the module."""
    with _starter() as run:
        yield run


@pytest.fixture(scope="session")
def free_ports() -> Callable[[int], list[int]]:
    """Find consecutive ports that are free."""

    def find(count: int) -> list[int]:
        for first in range(20_000 + os.getpid() % 10_000, 60_000, count):
            ports = list(range(first, first + count))
            with contextlib.suppress(OSError), contextlib.ExitStack() as held:
                for port in ports:
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
                return ports
        pytest.fail("no free ports")

    return find
