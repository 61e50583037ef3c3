"""An event loop whose clock jumps to the next timer, so that an hour of sleeping takes no time.

Latencies can be asserted exactly, and a test that would hang fails with `NothingToWaitFor`.
"""

import asyncio
import selectors
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVarTuple, cast

Ts = TypeVarTuple("Ts")
Ready = list[tuple[selectors.SelectorKey, int]]

Resolver = Callable[[str], Awaitable[Sequence[str]]]

START = 1_000_000.0
"""The first instant, in seconds: far from zero, as that of a real monotonic clock is."""

MAX_REAL_WAIT_SECONDS = 5.0
"""How long the loop waits for sockets and threads, which run in real time."""


class NothingToWaitFor(RuntimeError):
    """Every task waits, and nothing is left that could wake one: a real loop would hang."""


class _JumpingSelector(selectors.DefaultSelector):
    """Polls for real events; where a loop would sleep until a timer, it moves the clock there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.threads = 0

    def select(self, timeout: float | None = None) -> Ready:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.threads:  # time stands still while a thread works
            return super().select(MAX_REAL_WAIT_SECONDS)
        if timeout is None:
            return self._await_socket()
        self.now += timeout
        return ready

    def _await_socket(self) -> Ready:
        wakers = 1  # the loop's own pipe, by which other threads would wake it
        ready = super().select(MAX_REAL_WAIT_SECONDS) if len(self.get_map()) > wakers else []
        if not ready:
            raise NothingToWaitFor("every task waits, and no timer, socket or thread can wake one")
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in virtual time; sockets and threads work, in zero virtual seconds.

    Set `resolver` to decide what names resolve to, and how long that takes: it is awaited with a
    name and returns addresses, or raises `socket.gaierror`.
    """

    def __init__(self) -> None:
        self.resolver: Resolver | None = None
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual instant, in seconds."""
        return self._jumping.now

    def advance(self, seconds: float) -> None:
        """Let time pass while nothing runs, as when the process was busy or stopped."""
        self._jumping.now += seconds

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> list[Any]:
        """Resolve a name, by the script if there is one."""
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
        """Run `func` in a thread; the clock stands still until it has ended."""
        if self.resolver is not None and func is cast("object", socket.getaddrinfo):
            host, port, *_ = cast("tuple[Any, ...]", args)
            return self.create_task(self.getaddrinfo(host, port))
        future = super().run_in_executor(executor, func, *args)
        self._jumping.threads += 1
        future.add_done_callback(self._end_thread)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 # asyncio's signature; virtual time would be out at once
        """Wait for the threads that still work, in zero virtual seconds."""
        self._jumping.threads += 1
        await super().shutdown_default_executor()
        self._jumping.threads -= 1

    def _end_thread(self, _: asyncio.Future[Any]) -> None:
        self._jumping.threads -= 1
