"""One process under test: started, frozen, killed, started again, and looked at from outside."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
"""Seconds to wait for anything of a process; what takes longer is broken."""


class ForkServer:
    """Forks the processes of a test run; see `tests.processes.fork_server`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            (sys.executable, "-m", "tests.processes.fork_server"),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._is_ready = False
        self._ordering = threading.Lock()

    def start(self, command: tuple[str, ...], environ: Mapping[str, str], log: Path) -> int:
        """Start a module and return its process id; from any thread."""
        order = {"command": command, "environ": dict(environ), "log": str(log)}
        with self._ordering:
            if not self._is_ready:
                assert self._answer() == "ready"
                self._is_ready = True
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return int(self._answer())

    def close(self) -> None:
        """End it, and with it all that it started."""
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()

    def _answer(self) -> str:
        line = self._process.stdout.readline()
        assert line, "the fork server ended"
        return line.strip()


class Process:
    """A Python module that runs beside the test. `is_ready` says whether it serves."""

    def __init__(
        self,
        fork_server: ForkServer,
        *command: str,
        log: Path,
        environ: Mapping[str, str],
        is_ready: Callable[[], bool],
    ) -> None:
        self.log = log
        self.pid = 0
        self._fork_server = fork_server
        self._command = command
        self._environ = {**inherited(), **environ}
        self._is_ready = is_ready
        self._own: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it, without waiting until it serves."""
        if "LD_PRELOAD" in self._environ:  # takes effect with exec only
            self.pid = self._execute()
        else:
            self.pid = self._fork_server.start(self._command, self._environ, self.log)
        return self

    def _execute(self) -> int:
        command = (sys.executable, "-m", *self._command)
        with self.log.open("ab") as log:
            self._own = subprocess.Popen(
                command, cwd=ROOT, env=self._environ, stdout=log, stderr=log, start_new_session=True
            )
        return self._own.pid

    def wait_until_ready(self) -> Self:
        """Wait until it serves; fail with its output when it does not."""
        ends = time.monotonic() + PATIENCE
        while not self._is_ready():
            is_late = time.monotonic() > ends
            assert self.is_alive, f"{self} ended:\n{self.output[-2000:]}"
            assert not is_late, f"{self} did not come up:\n{self.output[-2000:]}"
            time.sleep(0.01)
        return self

    def __repr__(self) -> str:
        return f"<{' '.join(self._command)}, pid {self.pid}>"

    @property
    def is_alive(self) -> bool:
        """Whether it runs, or is frozen."""
        if self._own is not None and self._own.poll() is not None:
            return False
        return self.pid > 0 and Path(f"/proc/{self.pid}").exists()

    @property
    def output(self) -> str:
        """All that it wrote so far."""
        return self.log.read_text(errors="backslashreplace") if self.log.exists() else ""

    def signal(self, number: int) -> None:
        """Send a signal, if it is there to take it."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def freeze(self) -> None:
        """Let it hang: its sockets take what they can, and nothing answers."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a word, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait_for_end()

    def kill_group(self) -> None:
        """End it and all that it started, also what a parent that was killed left behind."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self.wait_for_end()

    def stop(self) -> None:
        """Ask it to end, and wait until it is gone."""
        self.ask_to_end()
        self.wait_for_end()

    def ask_to_end(self) -> None:
        """Send SIGTERM, also to what is frozen."""
        self.thaw()
        self.signal(signal.SIGTERM)

    def wait_for_end(self) -> None:
        """Wait until it is gone."""
        ends = time.monotonic() + PATIENCE
        while self.is_alive:
            assert time.monotonic() < ends, f"{self} did not end:\n{self.output[-2000:]}"
            time.sleep(0.005)

    def restart(self) -> None:
        """Kill it if it is there, and start it again."""
        self.kill()
        self.start().wait_until_ready()

    @property
    def descriptors(self) -> int:
        """How many files and sockets it holds."""
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    @property
    def files(self) -> Counter[str]:
        """What its files and sockets are: paths, `tcp 6379 01` (peer's port, state), `socket`."""
        table = Path(f"/proc/{self.pid}/net/tcp").read_text().splitlines()[1:]
        rows = (line.split() for line in table)  # proc(5): addresses, state, and the inode tenth
        peers = {
            f"socket:[{row[9]}]": f"tcp {int(row[2].rpartition(':')[2], 16)} {row[3]}"
            for row in rows
        }
        local = Path(f"/proc/{self.pid}/net/unix").read_text().splitlines()[1:]
        peers |= {f"socket:[{line.split()[6]}]": "unix" for line in local}
        found: Counter[str] = Counter()
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                name = str(entry.readlink())
                found[peers.get(name, name.partition(":[")[0])] += 1
        return found

    @property
    def threads(self) -> int:
        """How many threads it has."""
        return sum(1 for _ in Path(f"/proc/{self.pid}/task").iterdir())

    @property
    def memory(self) -> int:
        """How much of it is in memory, in bytes."""
        return self._status("VmRSS")

    @property
    def peak_memory(self) -> int:
        """The most of it that was in memory at once, in bytes."""
        return self._status("VmHWM")

    @property
    def cpu(self) -> float:
        """How much processor time it has taken, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, key: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {key} of {self}")


def inherited() -> dict[str, str]:
    """Return the environment without what would set up a gateway or a service."""
    ours = ("BFF_", "SERVICES_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
