"""The supervisor's side of the fork server."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bff_core.cli.dev.fork_server import take_orders
from bff_core.cli.dev.process_guard import signal_group

MODULE: Final = "bff_core.cli.dev.fork_server"

MAX_MESSAGE_BYTES: Final = 1 << 20

IS_AVAILABLE: Final = sys.platform == "linux"
"""Elsewhere system libraries may not be used in a process that was forked, as on macOS."""


@dataclass(frozen=True, slots=True)
class ForkServer:
    """The process: its id, the socket to it, and a function that waits for its end."""

    pid: int
    channel: socket.socket
    wait: Callable[[], object]


def forked_server(root: Path, close_own: Callable[[], None] | None = None) -> ForkServer:
    """Fork this process, which has imported a part of the framework and runs no thread yet.

    `close_own` closes what this process has opened for itself: programs must not inherit it.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            if close_own is not None:
                close_own()
            os.setsid()
            os.chdir(root)
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            os.close(nothing)
            sys.path.insert(0, str(root))
            take_orders(theirs)
        finally:
            os._exit(0)
    theirs.close()
    return ForkServer(pid, ours, lambda: _wait_for(pid))


def _wait_for(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def started_server(root: Path) -> ForkServer:
    """Start a new interpreter, which imports the framework as it is now."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(  # noqa: S603 # this Python
            (sys.executable, "-m", MODULE, str(theirs.fileno())),
            cwd=root,
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
    return ForkServer(process.pid, ours, process.wait)


def _kill(pid: int) -> None:
    """Kill a process that may not lead its group yet, or that may have ended."""
    signal_group(pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


class ForkServerEnded(Exception):
    """The fork server ended; nothing can be started."""


class Forked:
    """A process that the fork server started."""

    def __init__(self, pid: int, exited: "asyncio.Future[int]") -> None:
        self.pid = pid
        self.exited = exited


class ForkClient:
    """Orders processes; `files` are the modules that they share, once it `is_ready`."""

    def __init__(self, server: ForkServer) -> None:
        self._server = server
        self._channel = server.channel
        self._channel.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._numbers = 0
        self._ordered: dict[int, asyncio.Future[Forked]] = {}
        self._exits: dict[int, asyncio.Future[int]] = {}
        self._is_retired = False
        self.files: frozenset[str] = frozenset()
        self._is_ready = self._loop.create_future()
        self._loop.add_reader(self._channel, self._read)

    @property
    def group(self) -> int:
        """The id of its process group."""
        return self._server.pid

    async def ready(self) -> None:
        """Wait until the framework is imported; raise `ForkServerEnded` if it ends instead."""
        await asyncio.shield(self._is_ready)

    async def start(
        self,
        module: str,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        descriptors: Sequence[int],
        *,
        is_reload: bool,
    ) -> Forked:
        """Start a module; raise `ForkServerEnded` if there is no fork server any more.

        If it is cancelled, the process is killed: nothing else would know of it.
        """
        await self.ready()
        self._numbers += 1
        number = self._numbers
        order = {
            "number": number,
            "module": module,
            "arguments": list(arguments),
            "environ": dict(environ),
            "is_reload": is_reload,
        }
        future: asyncio.Future[Forked] = self._loop.create_future()
        self._ordered[number] = future
        try:
            socket.send_fds(self._channel, [json.dumps(order).encode()], descriptors)
        except OSError as error:
            raise ForkServerEnded(f"the fork server takes no order: {error}") from None
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            with suppress(ForkServerEnded):
                _kill((await future).pid)
            raise

    def retire(self) -> None:
        """End it as soon as the processes that it started have ended: it reports their exits."""
        self._is_retired = True
        if not (self._exits or self._ordered):
            self._loop.remove_reader(self._channel)
            self._channel.close()

    async def close(self) -> None:
        """End it."""
        self._loop.remove_reader(self._channel)
        self._channel.close()
        await asyncio.to_thread(self._server.wait)

    def _read(self) -> None:
        try:
            message = self._channel.recv(MAX_MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if not message:
            self._end()
            return
        self._take(json.loads(message))
        if self._is_retired:
            self.retire()

    def _take(self, message: dict[str, object]) -> None:
        match message:
            case {"files": list(files)}:
                self.files = frozenset(map(str, files))
                self._is_ready.set_result(None)
            case {"number": int(number), "pid": int(pid)}:
                exited = self._exits.setdefault(pid, self._loop.create_future())
                future = self._ordered.pop(number)
                if not future.done():
                    future.set_result(Forked(pid, exited))
            case {"pid": int(pid), "status": int(status)}:
                exited = self._exits.setdefault(pid, self._loop.create_future())
                if not exited.done():
                    exited.set_result(status)
                self._exits.pop(pid)
            case _:
                pass

    def _end(self) -> None:
        self._loop.remove_reader(self._channel)
        ended = ForkServerEnded("the fork server ended")
        waiting = [self._is_ready, *self._ordered.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(ended)
                future.exception()  # it is no bug if nothing waits for it
        for exited in self._exits.values():
            if not exited.done():
                exited.set_result(-9)
