"""Starts Python modules as processes, fast: each is a fork with its libraries imported.

`python -m tests.processes.fork_server` reads one JSON request per line from its standard input and
answers each with a line. When the input ends, the test run is gone, and all children end with it.
"""

import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

PRELOADED = (
    *("fastapi", "strawberry", "uvicorn", "uvloop", "httptools", "pydantic"),
    *("bff_core", "bff_core.graphql"),
    *(
        f"services_mock.{name}"
        for name in (
            *("server", "users", "catalog", "pricing", "inventory", "orders", "cart"),
            *("payments", "reviews", "recommendations"),
        )
    ),
)
"""Libraries and stateless modules; the child imports gateways."""


def main() -> None:
    """Serve requests until the input ends."""
    for name in PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is never collected is not copied, either
    _say("ready")
    children: set[int] = set()
    try:
        _serve(children)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGKILL)


def _serve(children: set[int]) -> None:
    # A child that ends wakes the selector: else it would stay a zombie, which looks alive.
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lines = sys.stdin.buffer
    with selectors.DefaultSelector() as ready:
        ready.register(lines, selectors.EVENT_READ)
        ready.register(ended, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj == ended:
                    os.read(ended, 512)
                    _reap(children)
                    continue
                line = lines.readline()
                if not line:
                    return
                pid = _fork(json.loads(line), (ended, wake))
                children.add(pid)
                _say(pid)


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _reap(children: set[int]) -> None:
    for pid in list(children):
        if os.waitpid(pid, os.WNOHANG)[0]:
            children.discard(pid)


def _fork(order: Mapping[str, object], pipes: Sequence[int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        for pipe in pipes:
            os.close(pipe)
        _become(**order)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1 if end.code else 0
    except BaseException:  # noqa: BLE001 - the child must not go on as the fork server
        traceback.print_exc()
    finally:
        _flush()
        os._exit(status)
    return pid


def _become(command: Sequence[str], environ: Mapping[str, str], log: str) -> None:
    """Be what `python -m command…` would be, its output in a file."""
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = list(command)
    sys.path.insert(0, str(Path.cwd()))
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


if __name__ == "__main__":
    main()
