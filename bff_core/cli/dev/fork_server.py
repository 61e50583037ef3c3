"""Starts programs fast: a process with the framework imported, which forks for each of them.

It takes orders from a socket: a JSON object, and the descriptors of the new process: its output,
and for a gateway its listening socket and its lifeline. It reports the process id and, later, the
exit status. When the socket closes, it ends. `python -m bff_core.cli.dev.fork_server FD` runs it.
"""

import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final

from bff_core.server.worker import main as serve

WORKER: Final = "bff_core.server.worker"
"""The module of a gateway's process; other modules are run as `python -m` would."""

PRELOADED: Final = (
    *("bff_core", "bff_core.graphql", "bff_core.auth", "bff_core.auth.jwt"),
    *("bff_core.auth.oidc.client", "bff_core.auth.session.authenticator"),
    *("joserfc.jwk", "cryptography.x509.verification", "pydantic.v1", "pydantic.dataclasses"),
    *("uvloop", "uvicorn.loops.auto", "uvicorn.lifespan.off", "uvicorn.protocols.http.auto"),
    *("uvicorn.protocols.websockets.auto", "redis.asyncio", "bff_core.console.gateway_console"),
)
"""What gateways import, and no project changes. None of it starts a thread."""

MAX_ORDER_BYTES: Final = 1 << 20


def take_orders(channel: socket.socket) -> None:
    """Import the framework, then start programs until the socket closes."""
    for name in PRELOADED:
        with suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a child copies no memory of these objects
    _report(channel, {"files": _project_files()})
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as ready:
        ready.register(channel, selectors.EVENT_READ)
        ready.register(wake, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fd == wake:
                    os.read(wake, 512)
                    _reap(channel)
                elif not _take_order(channel, (wake, woken)):
                    return


def _project_files() -> list[str]:
    """Return the imported modules of the project: the framework itself, if it is developed."""
    files = [getattr(one, "__file__", None) or "" for one in list(sys.modules.values())]
    root = f"{Path.cwd()}{os.sep}"
    return [name for name in files if name.startswith(root) and "site-packages" not in name]


def _report(channel: socket.socket, message: Mapping[str, object]) -> None:
    with suppress(BrokenPipeError):
        channel.sendall(json.dumps(message).encode())


def _reap(channel: socket.socket) -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            status = os.waitstatus_to_exitcode(ended[1])
            _report(channel, {"pid": ended[0], "status": status})


def _take_order(channel: socket.socket, own: Sequence[int]) -> bool:
    """Start a process; return False if the socket is closed."""
    text, descriptors, _, _ = socket.recv_fds(channel, MAX_ORDER_BYTES, 3)
    if not text:
        return False
    order = json.loads(text)
    pid = os.fork()
    if pid == 0:
        for descriptor in own:
            os.close(descriptor)
        channel.close()
        _run(order, *descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    _report(channel, {"number": order["number"], "pid": pid})
    return True


def _run(order: dict[str, Any], output: int, *sockets: int) -> None:
    """Be the new process until it exits."""
    status = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _redirect(output)
        os.environ.update(order["environ"])
        sys.dont_write_bytecode = order["is_reload"]
        importlib.invalidate_caches()
        status = _execute(order["module"], order["arguments"], sockets)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001 # the child must not go on as the fork server
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _redirect(output: int) -> None:
    """Write both streams to a pipe, each line at once."""
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.close(output)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True, write_through=True)


def _execute(module: str, arguments: Sequence[str], sockets: Sequence[int]) -> int:
    """Run a module; return the exit status."""
    sys.argv = [module, *arguments]
    if module == WORKER:
        listener, lifeline = sockets
        return serve([*arguments, f"--fd={listener}", f"--lifeline={lifeline}"])
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    take_orders(socket.socket(fileno=int(sys.argv[1])))
