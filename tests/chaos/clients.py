"""Clients that read, write, disconnect or send malformed requests, each with a seed of its own."""

import asyncio
import os
import random
import re
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

from tests.chaos.checks import Checker, Viewer
from tests.chaos.screens import Request, bad, purchases, reads, writes
from tests.processes.client import Answer, Cut, Line

TICK = 0.02
PRODUCTS = (5, 42, 311)
LEAVING, MALFORMED, WRITING, SHORT_TIMEOUT = 0.10, 0.06, 0.15, 0.15
"""Shares of requests whose client leaves, that are bad, that write, that have a short timeout."""

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

AT_ONCE = 0.05
LONGEST_STREAM = 2.0
"""Seconds that a client reads a stream: one that drips would go on for hours."""


class Stopwatch:
    """Measures the delay that the machine adds: a client or a gateway without a processor.

    A busy machine's delay is not a gateway's fault. Time in which a gateway runs does not count.
    `pids` are the gateways'.
    """

    def __init__(
        self,
        pids: Collection[int],
        clock: Callable[[], float] = time.monotonic,
        taken: Callable[[Collection[int]], Sequence[float]] | None = None,
    ) -> None:
        self._pids = pids
        self._clock = clock
        self._waits_of = taken or waits_of
        self._stalls: deque[tuple[float, float]] = deque(maxlen=5000)
        self._began, self._taken = clock(), self._waits_of(pids)

    async def run(self) -> None:
        """Tick for ever, and record the delay of each tick."""
        while True:
            self._began = self._clock()
            await asyncio.sleep(TICK)
            self._note()

    def since(self, began: float) -> float:
        """Return the seconds of delay since an instant, with those of the current tick.

        What delays an answer may delay the tick, too, whose end comes after the answer.
        """
        self._note()
        recent = takewhile(lambda stall: stall[0] >= began, reversed(self._stalls))
        return sum(lost for _, lost in recent)

    def _note(self) -> None:
        """Record the delay since the last time."""
        before, now = self._taken, self._clock()
        self._taken = self._waits_of(self._pids)
        late = max(0.0, now - self._began - TICK)
        self._began += late
        taken = max(after - earlier for earlier, after in zip(before, self._taken, strict=True))
        if late or taken:
            self._stalls.append((now, late + taken))


def waits_of(pids: Collection[int]) -> list[float]:
    """Return how long each process, and each processor, has waited so far (seconds)."""
    return [*map(waited_of, pids), *stolen()]


def waited_of(pid: int) -> float:
    """Return for how many seconds a process was ready to run and had no processor (proc(5))."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def stolen() -> list[float]:
    """Return for how many seconds each processor served other virtual machines (proc(5))."""
    lines = Path("/proc/stat").read_text().splitlines()
    return [int(line.split()[8]) / CLOCK_TICKS for line in lines if re.match(r"cpu\d", line)]


@dataclass
class Client:
    """One client of one viewer, with a connection to each gateway; buys `skus`."""

    viewer: Viewer
    ports: dict[str, int]
    chance: random.Random
    checker: Checker
    stopwatch: Stopwatch
    skus: tuple[str, ...] = ()
    method: str = ""
    good: list[tuple[float, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = {name: Line(port) for name, port in self.ports.items()}
        self._reads = reads(PRODUCTS)
        self._bad = bad()
        self._number = 0

    async def run(self, pause: float) -> None:
        """Send one request after another, for ever."""
        try:
            while True:
                await self.ask_something()
                await asyncio.sleep(self.chance.expovariate(1 / pause))
        finally:
            self.leave()

    def leave(self) -> None:
        """Close all connections."""
        for line in self._lines.values():
            line.close()

    async def ask_something(self) -> None:
        """Send a request at random."""
        await self.ask(self._choose())

    def _choose(self) -> Request:
        if self.chance.random() < MALFORMED:
            return self.chance.choice(self._bad)
        if self.skus and self.chance.random() < WRITING:
            sku, quantity = self.chance.choice(self.skus), self.chance.randint(1, 2)
            return self.chance.choice(writes(sku, quantity) + purchases(self.method))
        return self.chance.choice(self._reads)

    async def ask(self, request: Request) -> None:
        """Send a request, perhaps with a short timeout; perhaps disconnect before the answer."""
        wish = None
        if request.kind != "bad" and self.chance.random() < SHORT_TIMEOUT:
            wish = round(self.chance.uniform(0.2, 2.0), 2)
        stays = LONGEST_STREAM if request.kind == "stream" else None
        if request.kind != "write" and self.chance.random() < LEAVING:
            stays = self.chance.random() * 0.2
        if request.kind in {"write", "buy"}:
            key = f'"{self.viewer.number}-{self.chance.getrandbits(64):x}"'
            request = replace(request, headers={**request.headers, "idempotency-key": key})
        counts = self.checker.report.counts
        counts["requests"] += 1
        try:
            async with asyncio.timeout(stays):
                await self._ask(request, wish)
        except TimeoutError:
            counts["left by the client"] += 1
            self._lines[request.gateway].close()

    async def _ask(self, request: Request, wish: float | None) -> None:
        self._number += 1
        name = f"chaos-{self.viewer.number}-{id(self):x}-{self._number}"
        headers = {**self.viewer.headers, "x-request-id": name, **request.headers}
        if wish is not None:
            headers["request-timeout"] = str(wish)
        line, began = self._lines[request.gateway], time.monotonic()
        is_reused = line.is_open
        try:
            answer = await line.ask(
                request.path, method=request.method, headers=headers, body=request.body
            )
        except Cut as cut:
            self._take_cut(request, f"{name}: {cut}", began, wish=wish, is_reused=is_reused)
            return
        self._take(request, answer, name, wish, began)

    def _take(
        self, request: Request, answer: Answer, name: str, wish: float | None, began: float
    ) -> None:
        request_id = answer.headers.get("x-request-id", name)
        is_mine = request_id == name or answer.status in {400, 431}  # refused before it was read
        self.checker.report.hold(
            1, is_mine, f"{request.name}: the answer to {request_id}, not {name}"
        )
        is_good = self.checker.judge(
            self.viewer, request, answer, wish=wish, stall=self.stopwatch.since(began)
        )
        if request.kind in {"read", "write"} and wish is None:
            self.good.append((time.monotonic(), is_good))

    def _take_cut(
        self, request: Request, cut: str, began: float, *, wish: float | None, is_reused: bool
    ) -> None:
        """Check an answer without an end: a stream, or lines that had begun at the deadline.

        An idle connection may also be closed in the very moment of its use.
        """
        checker, seconds = self.checker, time.monotonic() - began
        if request.kind == "stream":
            checker.report.counts["streams cut off"] += 1
        elif request.kind == "lines" and seconds >= min(checker.timeout, wish or checker.timeout):
            checker.report.counts["lines cut off at the deadline"] += 1
        elif is_reused and seconds < AT_ONCE:
            checker.report.counts["idle connections closed"] += 1
        else:
            what = f"{request.gateway} {request.name}: no answer after {seconds:.3f} s, {cut}"
            checker.report.hold(6, is_held=False, otherwise=what)


def goodput(clients: Sequence[Client], since: float, until: float) -> tuple[float, float]:
    """Return the rate of good answers (per second), and their share of all."""
    are_good = [good for client in clients for at, good in client.good if since <= at < until]
    return sum(are_good) / (until - since), sum(are_good) / len(are_good) if are_good else 0.0
