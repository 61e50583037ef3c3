"""Runs the server: loads the application, binds the socket, serves in one or more processes."""

import asyncio
import os
import signal
import socket
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bff_core.compat.uvicorn import configuration
from bff_core.errors import ConfigurationError
from bff_core.events import Events, WorkerEnded
from bff_core.observe.log import log_sink
from bff_core.server.lifespan import LifespanFailed
from bff_core.server.listening_socket import CannotListen, adopt, bind
from bff_core.server.process import Process
from bff_core.server.supervised_metrics import metrics_served, served_metrics
from bff_core.server.supervisor_line import SupervisorLine
from bff_core.server.target import CannotServe, load
from bff_core.server.workers import Workers, command, folder_of_sockets
from bff_core.settings.env_file import add_env_file
from bff_core.settings.model import ConfigurationWarning, Settings
from bff_core.startup.processes import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class ServePlan:
    """What to serve and where; the settings replace None.

    `app` is "module:attribute". `fd` is the descriptor of an inherited listening socket, `lifeline`
    that of the socket to the supervising process, and `number` counts its workers from 1;
    `replaced` are id and cause of the one that ended unexpectedly before. `delay` and `grace` are
    in seconds. `env_file` is read beside the environment; None is `.env`, in development and if it
    `reads_env_file`.
    """

    app: str
    host: str | None = None
    port: int | None = None
    workers: int | None = None
    delay: float | None = None
    grace: float | None = None
    fd: int | None = None
    lifeline: int | None = None
    number: int | None = None
    replaced: Sequence[str] | None = None
    env_file: str | None = None
    reads_env_file: bool = True


def serve(plan: ServePlan) -> int:
    """Serve until a signal; return the exit status.

    0: ended by a signal. 1: the application failed to start. Raises CannotServe for an error in
    the plan, in the settings or with the port.
    """
    try:
        if plan.reads_env_file:
            hint = add_env_file(os.environ, plan.env_file)
            if hint:
                sys.stderr.write(f"bff: {hint}\n")
        settings = _settings()
        host = settings.host if plan.host is None else plan.host
        port = settings.port if plan.port is None else plan.port
        listener = bind(host, port) if plan.fd is None else adopt(plan.fd)
        workers = plan.workers or settings.workers
        with listener, _hangups_ignored():
            if workers > 1 and plan.lifeline is None:
                return _supervise(plan, workers, listener, settings)
            processes = Processes(
                workers,
                is_first=plan.number in {None, 1},
                is_own_server=True,
                metrics=None if plan.lifeline is None else served_metrics(settings),
                replaced=_replaced_by(plan),
            )
            return _serve(plan, listener, processes)
    except (CannotListen, ConfigurationError) as error:
        raise CannotServe(str(error)) from None


@contextmanager
def _hangups_ignored() -> Iterator[None]:
    """Ignore SIGHUP, which ends a process by default, until the application handles it.

    The previous handler is restored at the end: a closing event loop would leave the default.
    """
    before = signal.getsignal(signal.SIGHUP)
    is_main = threading.current_thread() is threading.main_thread()
    is_ours = is_main and before in {signal.SIG_DFL, signal.SIG_IGN}
    if is_ours:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGHUP, before)


def _replaced_by(plan: ServePlan) -> WorkerEnded | None:
    """Return the worker that this process replaces."""
    if plan.replaced is None:
        return None
    pid, cause = plan.replaced
    return WorkerEnded(int(pid), cause)


def _settings() -> Settings:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigurationWarning)  # the gateway warns
        return Settings.load()


def _serve(plan: ServePlan, listener: socket.socket, processes: Processes) -> int:
    app = load(plan.app)
    config, state, make_loop = configuration(app)
    config.load()

    async def run() -> None:
        process = Process(app, config, state, processes, delay=plan.delay, grace=plan.grace)
        if plan.lifeline is not None:
            process.line = await SupervisorLine.open(plan.lifeline, process.end)
        await process.run(listener)

    try:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(run())
    except LifespanFailed as failed:
        return _report(failed)
    return 0


def _supervise(plan: ServePlan, workers: int, listener: socket.socket, settings: Settings) -> int:
    sink = log_sink(settings.log_format, settings.own_log_level)
    events = Events() if sink is None else Events(sink)
    options = {"--drain-delay": plan.delay, "--grace": plan.grace}
    arguments = [f"{name}={value}" for name, value in options.items() if value is not None]
    arguments.append(f"--workers={workers}")

    async def run(sockets: Path | None) -> int:
        line = command([plan.app, *arguments])
        async with metrics_served(settings, sockets):
            return await Workers(line, workers, listener, events, sockets).run()

    with folder_of_sockets(os.environ) as sockets:
        return asyncio.run(run(sockets))


def _report(failed: LifespanFailed) -> int:
    """Report why the application did not start: one line for an error of ours, or a traceback."""
    cause = failed.__cause__
    if isinstance(cause, ConfigurationError):
        raise cause
    if cause is not None:
        traceback.print_exception(cause)
    return 1
