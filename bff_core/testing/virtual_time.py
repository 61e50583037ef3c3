"""An event loop in virtual time: its clock jumps to the next timer instead of waiting.

Latencies can be asserted exactly, and a test that would hang fails with `NothingToWaitFor`.
"""

import asyncio
import selectors
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from queue import Queue
from typing import Any, TypeVarTuple, cast

Ts = TypeVarTuple("Ts")
Ready = list[tuple[selectors.SelectorKey, int]]

Resolver = Callable[[str], Awaitable[Sequence[str]]]

START = 1_000_000.0
"""The first instant: far from zero, as on a real monotonic clock."""

MAX_REAL_WAIT_SECONDS = 5.0
"""How long the loop waits in real time for sockets and threads."""


WORKER = "AnyIO worker thread"
"""The name of the threads in which FastAPI runs functions that are not asynchronous."""

WORKER_POLL_SECONDS = 0.001
"""How often, in real time, the loop checks whether such threads still work."""


REAL_TIME = "run the test in real time, @pytest.mark.virtual_time(on=False)"

NOTHING = (
    "every task waits, and no timer, socket or thread can wake one: threads are waited for if they "
    "were started with asyncio.to_thread, loop.run_in_executor or anyio; for a threading.Thread "
    f"that calls loop.call_soon_threadsafe, {REAL_TIME}"
)


class NothingToWaitFor(RuntimeError):
    """Every task waits, and nothing can wake one: a real loop would hang."""


class _JumpingSelector(selectors.DefaultSelector):
    """Polls for real events; instead of sleeping until a timer, it advances the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.threads = 0
        self._busy_since = 0.0

    def select(self, timeout: float | None = None) -> Ready:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.threads:  # time stands still while a thread works
            return super().select(MAX_REAL_WAIT_SECONDS)
        if self._workers_are_busy():
            return super().select(WORKER_POLL_SECONDS)
        ready = super().select(0)  # a thread may have ended its work since the first look
        if ready:
            return ready
        if timeout is None:
            return self._await_socket()
        self.now += timeout
        return ready

    def _workers_are_busy(self) -> bool:
        """Whether a thread of anyio works, and time has not stood still for it for too long."""
        if not any(map(_works, threading.enumerate())):
            self._busy_since = 0.0
            return False
        now = time.monotonic()
        self._busy_since = self._busy_since or now
        return now - self._busy_since < MAX_REAL_WAIT_SECONDS

    def _await_socket(self) -> Ready:
        wakers = 1  # the loop's own pipe, for `call_soon_threadsafe`
        ready = super().select(MAX_REAL_WAIT_SECONDS) if len(self.get_map()) > wakers else []
        if not ready:
            raise NothingToWaitFor(NOTHING)
        return ready


def _works(thread: threading.Thread) -> bool:
    """Whether a thread of anyio has work; `tests/testing` holds its undocumented attribute."""
    queue = getattr(thread, "queue", None) if thread.name == WORKER else None
    return isinstance(queue, Queue) and queue.unfinished_tasks > 0


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in virtual time; sockets and executors work, and take no virtual time.

    It waits for threads of `asyncio.to_thread`, of `run_in_executor` and of anyio. It can't see
    that a `threading.Thread` is about to call `call_soon_threadsafe`: the clock jumps on. It starts
    no processes.

    Set `resolver` to script DNS: it is awaited with a name, and returns addresses or raises
    `socket.gaierror`.
    """

    def __init__(self) -> None:
        self.resolver: Resolver | None = None
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._jumping.now

    def advance(self, seconds: float) -> None:
        """Advance the clock while nothing runs, as if the process was blocked or stopped."""
        self._jumping.now += seconds

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> list[Any]:
        """Resolve a name, by `resolver` if it is set."""
        if self.resolver is None:
            return await super().getaddrinfo(host, port, **options)
        found = await self.resolver(host)
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in found]
        return [
            (family, socket.SOCK_STREAM, 0, "", (address, port))
            for family, address in zip(families, found, strict=True)
        ]

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], Any], *args: *Ts
    ) -> asyncio.Future[Any]:
        """Run `func` in a thread; virtual time stops until it has ended."""
        if self.resolver is not None and func is cast("object", socket.getaddrinfo):
            host, port, *_ = cast("tuple[Any, ...]", args)
            return self.create_task(self.getaddrinfo(host, port))
        future = super().run_in_executor(executor, func, *args)
        self._jumping.threads += 1
        future.add_done_callback(self._end_thread)
        return future

    async def subprocess_exec(self, *_args: Any, **_options: Any) -> Any:
        """Raise `RuntimeError`: the clock would jump on while the process works."""
        raise RuntimeError(f"a process works in real time: {REAL_TIME}")

    async def subprocess_shell(self, *_args: Any, **_options: Any) -> Any:
        """Raise `RuntimeError`, as `subprocess_exec` does."""
        raise RuntimeError(f"a process works in real time: {REAL_TIME}")

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 # asyncio's signature; virtual time would be out at once
        """Wait for the threads that still run; that takes no virtual time."""
        self._jumping.threads += 1
        await super().shutdown_default_executor()
        self._jumping.threads -= 1

    def _end_thread(self, _: asyncio.Future[Any]) -> None:
        self._jumping.threads -= 1
