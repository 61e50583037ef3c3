"""Starts the processes of a run: by the fork server where it can, else as commands."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from bff_core.cli.dev.child import Child, reader_of
from bff_core.cli.dev.fork_client import ForkClient, ForkServer, started_server
from bff_core.cli.dev.fork_server import WORKER
from bff_core.cli.dev.process_guard import ProcessGuard
from bff_core.cli.dev.program import Program
from bff_core.observe.process_socket import SOCKETS_VARIABLE, socket_of

ENDING: Final = ("--drain-delay=0", "--grace=5", "--workers=1")
"""No load balancer has to notice the shutdown, and Ctrl-C should be quick."""


class Launcher:
    """Starts programs as leaders of process groups, which end with the supervisor.

    `show` and `record` are called with the name of a program and each line of its output: `show`
    from when it is ready.
    """

    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        show: Callable[[str, str], None],
        record: Callable[[str, str], None],
        server: ForkServer | None,
    ) -> None:
        self._root = root
        self.environ = environ
        self._show = show
        self._record = record
        self._guard = ProcessGuard()
        self._fork = None if server is None else ForkClient(server)
        if self._fork is not None:
            self._guard.guard(self._fork.group)

    def preload(self) -> None:
        """Replace the fork server by one that imports the framework as it is now."""
        if self._fork is not None:
            before, self._fork = self._fork, ForkClient(started_server(self._root))
            self._guard.guard(self._fork.group)
            self._guard.release(before.group)
            before.retire()

    def has_preloaded(self, path: str) -> bool:
        """Whether the fork server has imported this file."""
        return self._fork is not None and path in self._fork.files

    async def start(
        self, program: Program, listener: socket.socket | None, *, is_reload: bool = False
    ) -> Child:
        """Start a program; a gateway serves the listening socket."""
        ours, theirs = socket.socketpair() if listener is not None else (None, None)
        source, sink = os.pipe()
        try:
            output = await reader_of(source)
            sockets = () if listener is None or theirs is None else (listener, theirs)
            pid, exited = await self._process(program, sink, sockets, is_reload=is_reload)
        finally:
            os.close(sink)
            if theirs is not None:
                theirs.close()
        self._guard.guard(pid)
        return Child(
            program, pid, exited, output, show=self._show, record=self._record, lifeline=ours
        )

    def bury(self, child: Child) -> None:
        """Remove what a program left behind, and forget its group, since ids are reused."""
        self._guard.end(child.pid)
        if folder := child.program.env.get(SOCKETS_VARIABLE):
            socket_of(Path(folder), child.pid).unlink(missing_ok=True)

    async def close(self) -> None:
        """End the fork server and the guard."""
        if self._fork is not None:
            await self._fork.close()
        self._guard.close()

    async def _process(
        self, program: Program, sink: int, sockets: Sequence[socket.socket], *, is_reload: bool
    ) -> "tuple[int, asyncio.Future[int]]":
        """Start a process; return its id, and the future of its exit status."""
        module, arguments = _module_of(program)
        environ = self._environ_of(program, is_reload=is_reload)
        descriptors = tuple(one.fileno() for one in sockets)
        if module and self._fork is not None:
            forked = await self._fork.start(
                module, arguments, environ, (sink, *descriptors), is_reload=is_reload
            )
            return forked.pid, forked.exited
        command = (sys.executable, "-m", module, *arguments) if module else program.command
        options = zip(("--fd", "--lifeline"), descriptors, strict=False)
        process = await asyncio.create_subprocess_exec(
            *command,
            *(f"{name}={descriptor}" for name, descriptor in options),
            cwd=self._root,
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=descriptors,
            start_new_session=True,
        )
        return process.pid, asyncio.ensure_future(process.wait())

    def _environ_of(self, program: Program, *, is_reload: bool) -> dict[str, str]:
        environ = {**self.environ, "PYTHONUNBUFFERED": "1", **program.env}
        # A file that is saved twice in a second would be read from the cache of the first.
        return {**environ, "PYTHONDONTWRITEBYTECODE": "1"} if is_reload else environ


def _module_of(program: Program) -> tuple[str, tuple[str, ...]]:
    """Return the module that a program runs, and its arguments; empty for another command."""
    if program.is_gateway:
        return WORKER, (program.app, *ENDING)
    match program.command:
        case (python, "-m", module, *arguments) if python == sys.executable:
            return module, tuple(arguments)
        case _:
            return "", ()
