"""Runs the examples of a page as a reader would: writes its files, runs its commands."""

import contextlib
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from markdown_pages import ROOT, Block

PATIENCE = 30.0
_FILE = re.compile(r"# (?P<path>[\w/]+\.py)(?P<adds>: add)?\n")
_DURATION = re.compile(r"\b\d+\.\d+s\b")


class Program:
    """A program that serves HTTP, up when it is entered, gone when it is left."""

    def __init__(self, *command: str, port: int, folder: Path, environ: Mapping[str, str]) -> None:
        self._command = (sys.executable, "-m", *command)
        self._port = port
        self._folder = folder
        self._environ = environ

    def __enter__(self) -> None:
        self._log = (self._folder / f"{self._port}.log").open("w+")
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=self._environ,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        limit = time.monotonic() + PATIENCE
        while not self._is_up():
            has_ended = self._process.poll() is not None
            if has_ended or time.monotonic() > limit:
                self.__exit__()
                raise AssertionError(f"{self._command} did not come up:\n{self._output}")
            time.sleep(0.02)

    def __exit__(self, *_exception: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.seek(0)
        self._output = self._log.read()
        self._log.close()

    def _is_up(self) -> bool:
        url = f"http://127.0.0.1:{self._port}/healthz"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:
            return answer.status == 200
        return False


class Reader:
    """Plays the blocks of a page in an empty folder; `ports` are those that the page names."""

    def __init__(self, folder: Path, app: str, ports: Mapping[int, int]) -> None:
        self._folder = folder
        self._app = app
        self._ports = ports
        self._gateway = contextlib.ExitStack()
        self._is_served = False
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BFF_")},
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(ROOT),
            "BFF_ENV": "development",
            "BFF_UPSTREAM_CATALOG": f"http://127.0.0.1:{ports[9002]}",
            "BFF_UPSTREAM_REVIEWS": f"http://127.0.0.1:{ports[9008]}",
            # The gateways that readers move from; the catalog stands in for them.
            "BFF_UPSTREAM_KRAKEND": f"http://127.0.0.1:{ports[9002]}",
            "BFF_UPSTREAM_IDENTITY": f"http://127.0.0.1:{ports[9002]}",
            "BFF_UPSTREAM_USERS": f"http://127.0.0.1:{ports[9002]}",
            "BFF_UPSTREAM_OCELOT": f"http://127.0.0.1:{ports[9002]}",
            "BFF_UPSTREAM_NODE": f"http://127.0.0.1:{ports[9002]}",
        }

    def close(self) -> None:
        """Stop the gateway."""
        self._gateway.close()

    def write(self, block: Block) -> None:
        """Write a block to the file that its first line names, or add it there."""
        write_file(block, self._folder)
        self._gateway.close()
        self._is_served = False

    def run(self, block: Block) -> str:
        """Run the commands of a console block; return the block as the terminal shows it."""
        commands = [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]
        return "".join(f"$ {command}\n{self._type(command)}" for command in commands)

    def _type(self, command: str) -> str:
        if "localhost:8000" in command and not self._is_served:
            self._serve()
        for named, real in self._ports.items():
            command = command.replace(f"localhost:{named}", f"127.0.0.1:{real}")
        done = subprocess.run(
            command,
            shell=True,
            cwd=self._folder,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        output = (done.stdout + done.stderr).replace("\r", "")
        return output if not output or output.endswith("\n") else output + "\n"

    def _serve(self) -> None:
        port = self._ports[8000]
        command = ("uvicorn", self._app, "--host", "127.0.0.1", "--port", str(port))
        self._gateway.enter_context(
            Program(*command, port=port, folder=self._folder, environ=self._environ)
        )
        self._is_served = True


def write_file(block: Block, folder: Path) -> Path:
    """Write a block to the file below `folder` that its first line names, or add it there."""
    match = _FILE.match(block.text)
    assert match, f"line {block.line}: the first line names no file"
    path = folder / match["path"]
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent != folder:
        path.parent.joinpath("__init__.py").touch()
    with path.open("a" if match["adds"] else "w") as file:
        file.write("\n" + block.text[match.end() :])
    return path


def steady(text: str) -> str:
    """Return what a terminal shows without what differs from run to run."""
    return _DURATION.sub("…s", text)


def free_ports(count: int) -> list[int]:
    """Return free ports."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def mock_services(folder: Path, **ports: int) -> Iterator[None]:
    """Run some of the mock services, by name, on these ports."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with contextlib.ExitStack() as running:
        for name, port in ports.items():
            command = shlex.split(f"services_mock {name} --port {port}")
            running.enter_context(Program(*command, port=port, folder=folder, environ=environ))
        yield
