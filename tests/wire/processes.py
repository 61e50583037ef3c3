"""How the wire tests start programs: the services, gateways and Redis, each from its command."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
"""How long a program may take to start or to end."""


def free_ports(count: int) -> range:
    """Return so many ports in a row, below those of outgoing connections."""
    for first in range(12_000 + os.getpid() * 41 % 15_000, 32_000, count):
        with suppress(OSError), ExitStack() as bound:
            for port in range(first, first + count):
                bound.enter_context(socket.create_server(("127.0.0.1", port)))
            return range(first, first + count)
    raise AssertionError("no free ports")


def inherited() -> dict[str, str]:
    """Return the environment without variables of gateways and services."""
    ours = ("BFF_", "SERVICES_", "WIRE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


class Program:
    """One `python -m …` with its standard error in a file."""

    def __init__(self, *command: str, log: Path, **environ: str) -> None:
        self.log = log
        self._command = (sys.executable, "-m", *command)
        self._environ = {**inherited(), **environ}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start the program without waiting for it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environ, stdout=log, stderr=log
            )
        return self

    def wait_for(self, port: int, path: str) -> Self:
        """Wait until something on the port answers the path with 200."""
        until = time.monotonic() + START_SECONDS
        while not is_up(port, path):
            assert self._process is not None, "start it first"
            assert self._process.poll() is None, self.output
            assert time.monotonic() < until, self.output
            time.sleep(0.02)
        return self

    @property
    def output(self) -> str:
        """Everything that it wrote."""
        return self.log.read_text(errors="backslashreplace")

    def kill(self) -> None:
        """End it without a signal that it could handle."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(START_SECONDS)

    def end(self) -> None:
        """Send SIGTERM and wait for the end."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_SECONDS)


def run(*command: str, stdin: str = "", **environ: str) -> str:
    """Run a `python -m …` to its end and return what it printed, errors included."""
    done = subprocess.run(
        (sys.executable, "-m", *command),
        cwd=ROOT,
        env={**inherited(), **environ},
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    return f"{done.stdout}exit {done.returncode}\n"


def is_up(port: int, path: str) -> bool:
    """Whether something on the port answers the path with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def addresses(ports: Mapping[str, int]) -> dict[str, str]:
    """Return the variables that say where the services are."""
    return {
        f"BFF_UPSTREAM_{name.upper()}": f"http://127.0.0.1:{port}" for name, port in ports.items()
    }
