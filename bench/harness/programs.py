"""Starts local programs on a core, waits until they answer, and stops them."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin"
READY_TIMEOUT = 20.0
STOP_TIMEOUT = 5.0


class NotReady(Exception):
    """A program ended, or did not answer in time; the message holds the end of its log."""


def search_path() -> str:
    """Return the search path for programs, with the folder of nginx, which few accounts search."""
    return f"{os.environ.get('PATH', os.defpath)}:{SYSTEM}"


def missing(programs: Sequence[str]) -> list[str]:
    """Return those of the programs that are not installed."""
    path = search_path()
    return [program for program in programs if shutil.which(program, path=path) is None]


def free_ports(number: int) -> list[int]:
    """Return so many ports of this host that no program listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def running(
    command: Sequence[str], *, cores: str, log: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a process group of its own on `cores` ("0", "0-1"); stop it on leaving."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", cores, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": search_path(), **environment},
            cwd=ROOT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Terminate a program, then kill the rest of its group."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    """Return at the first 200; raises NotReady when the program ended or 20 s have passed."""
    give_up = time.monotonic() + READY_TIMEOUT
    while time.monotonic() < give_up and process.poll() is None:
        if answers(port, path):
            return
        time.sleep(0.005)
    raise NotReady(tail(log) or f"no answer within {READY_TIMEOUT:.0f} s")


def answers(port: int, path: str) -> bool:
    """Whether a GET gives 200 now."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_TIMEOUT)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def tail(log: Path) -> str:
    """Return the last three lines of a log, in one."""
    return " | ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
