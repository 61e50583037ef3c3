"""A program in a process of its own, its output at hand, and nothing of it left after the test."""

import codecs
import contextlib
import fcntl
import os
import re
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PATIENCE = 30.0
AS_BACKGROUND_JOB = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
ROWS, COLUMNS = 50, 120
ESCAPES = re.compile(r"\x1b\[[\d;]*[A-Za-z]")


class Started:
    """A started command; waiting for it to print or do something is bounded.

    On a terminal its three streams are that terminal, of 120 columns.
    """

    def __init__(
        self,
        *command: str,
        environ: dict[str, str],
        folder: Path = ROOT,
        ignores_sigint: bool = False,
        on_terminal: bool = False,
    ) -> None:
        self._keyboard, theirs, owns = -1, None, None
        if on_terminal:
            self._keyboard, theirs = os.openpty()
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            # Its own session takes the terminal as its own, as a shell's does.
            owns = partial(fcntl.ioctl, 0, termios.TIOCSCTTY, 0)
            self.settings_before = termios.tcgetattr(theirs)
        unusual = {"CI", "COLUMNS", "LINES", "NO_COLOR", "PYTHONDONTWRITEBYTECODE"}
        usual = {name: text for name, text in os.environ.items() if name not in unusual}
        self.process = subprocess.Popen(
            (*(AS_BACKGROUND_JOB if ignores_sigint else ()), *command),
            cwd=folder,
            env={**usual, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "LC_ALL": "", **environ},
            stdin=theirs,
            stdout=subprocess.PIPE if theirs is None else theirs,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=owns,  # noqa: PLW1509 # one system call, and no Python lock
        )
        self._theirs = theirs
        self._source = self.process.stdout.fileno() if theirs is None else self._keyboard
        self._output = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def output(self) -> str:
        """All that it wrote so far, on either stream."""
        return self._output

    @property
    def text(self) -> str:
        """The same without the escape sequences of a terminal."""
        return ESCAPES.sub("", self._output)

    def until(self, text: str, seconds: float = PATIENCE, *, count: int = 1) -> str:
        """Wait until it has printed a text so many times; return the first line that has it."""
        _wait_until(lambda: self.text.count(text) >= count or not self._reader.is_alive(), seconds)
        found = self.text.count(text)
        assert found >= count, f"printed {text!r} {found} times:\n{self.text}"
        return next(line for line in self.text.splitlines() if text in line)

    def until_matches(self, pattern: str) -> None:
        """Wait until a regular expression is found in what it has printed."""
        _wait_until(lambda: re.search(pattern, self.text) or not self._reader.is_alive())
        assert re.search(pattern, self.text), f"printed nothing like {pattern!r}:\n{self.text}"

    def press(self, keys: str) -> None:
        """Type on the keyboard of its terminal."""
        os.write(self._keyboard, keys.encode())

    def press_until(self, keys: str, text: str) -> None:
        """Type, and wait until a text is printed that was not there before."""
        before = len(self.text)
        self.press(keys)
        _wait_until(lambda: text in self.text[before:] or not self._reader.is_alive())
        assert text in self.text[before:], f"{keys!r} did not print {text!r}:\n{self.text}"

    @property
    def settings_of_terminal(self) -> list:
        """The present settings of its terminal."""
        return termios.tcgetattr(self._theirs)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and return the exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end, and return the exit status."""
        status = self.process.wait(PATIENCE)
        if self._theirs is None:
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
        if self._theirs is not None:
            os.close(self._theirs)
        self._reader.join(PATIENCE)
        if self._theirs is None:
            self.process.stdout.close()
        else:
            os.close(self._keyboard)

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        with contextlib.suppress(OSError):  # the terminal is gone
            while chunk := os.read(self._source, 1 << 16):
                self._output += decoder.decode(chunk)


def _wait_until(is_so: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Poll other processes until they did what is expected of them."""
    limit = time.monotonic() + seconds
    while not is_so() and time.monotonic() < limit:
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    """Return whether a process is there and no zombie."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            return stat.read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextlib.contextmanager
def _starter(temporary: Path) -> Iterator[Callable[..., Started]]:
    """Yield what starts commands; those that are killed leave their sockets in this folder."""
    with contextlib.ExitStack() as running:

        def run(
            *command: str,
            folder: Path = ROOT,
            ignores_sigint: bool = False,
            on_terminal: bool = False,
            **environ: str,
        ) -> Started:
            started = Started(
                *command,
                environ={"TMPDIR": str(temporary), **environ},
                folder=folder,
                ignores_sigint=ignores_sigint,
                on_terminal=on_terminal,
            )
            running.callback(started.close)
            return started

        yield run


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Started]]:
    """Start commands that end with the test."""
    with _starter(tmp_path_factory.mktemp("run")) as run:
        yield run


@pytest.fixture(scope="module")
def start_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Started]]:
    """Start commands that end with the last test of the module."""
    with _starter(tmp_path_factory.mktemp("run")) as run:
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
