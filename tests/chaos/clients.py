"""The clients: some read, some write, some leave, some send nonsense; each by its own dice."""

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
LEAVING, NONSENSE, WRITING, HURRY = 0.10, 0.06, 0.15, 0.15
"""Shares of requests whose client leaves, that are bad, that write, that have a short timeout."""

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

AT_ONCE = 0.05
LONGEST_STREAM = 2.0
"""Seconds that a client reads a stream: one that drips would go on for hours."""


class Stopwatch:
    """How long the machine let us wait: this client stood still, or a gateway that had work to do.

    What a busy machine adds to an answer is nobody's doing; what a gateway does to itself is not
    counted, for then it runs. `pids` are the gateways'.
    """

    def __init__(
        self,
        pids: Collection[int],
        clock: Callable[[], float] = time.monotonic,
        taken: Callable[[Collection[int]], Sequence[float]] | None = None,
    ) -> None:
        self._pids = pids
        self._clock = clock
        self._taken_of = taken or taken_of
        self._stalls: deque[tuple[float, float]] = deque(maxlen=5000)
        self._began, self._taken = clock(), self._taken_of(pids)

    async def run(self) -> None:
        """Tick for ever, and note what was lost in each tick."""
        while True:
            self._began = self._clock()
            await asyncio.sleep(TICK)
            self._note()

    def since(self, began: float) -> float:
        """Return how many seconds were lost since an instant, also in the tick that is not over.

        Whatever kept an answer may have kept the tick, too, and its end comes after the answer.
        """
        self._note()
        recent = takewhile(lambda stall: stall[0] >= began, reversed(self._stalls))
        return sum(lost for _, lost in recent)

    def _note(self) -> None:
        """Note what was lost since the last time."""
        before, now = self._taken, self._clock()
        self._taken = self._taken_of(self._pids)
        late = max(0.0, now - self._began - TICK)
        self._began += late
        taken = max(after - earlier for earlier, after in zip(before, self._taken, strict=True))
        if late or taken:
            self._stalls.append((now, late + taken))


def taken_of(pids: Collection[int]) -> list[float]:
    """Return for how long each process, and each processor, had to wait so far (seconds)."""
    return [*map(waited_of, pids), *stolen()]


def waited_of(pid: int) -> float:
    """Return for how many seconds a process was ready to run and had no processor (proc(5))."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def stolen() -> list[float]:
    """Return for how many seconds each processor served other machines, if ours tells (proc(5))."""
    lines = Path("/proc/stat").read_text().splitlines()
    return [int(line.split()[8]) / CLOCK_TICKS for line in lines if re.match(r"cpu\d", line)]


@dataclass
class Client:
    """One client of one viewer, with a connection to each gateway; buys `wares`."""

    viewer: Viewer
    ports: dict[str, int]
    chance: random.Random
    checker: Checker
    stopwatch: Stopwatch
    wares: tuple[str, ...] = ()
    method: str = ""
    good: list[tuple[float, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = {name: Line(port) for name, port in self.ports.items()}
        self._reads = reads(PRODUCTS)
        self._bad = bad()
        self._number = 0

    async def run(self, pause: float) -> None:
        """Ask for one thing after another, for ever."""
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
        """Ask for whatever comes to mind."""
        await self.ask(self._choose())

    def _choose(self) -> Request:
        if self.chance.random() < NONSENSE:
            return self.chance.choice(self._bad)
        if self.wares and self.chance.random() < WRITING:
            sku, quantity = self.chance.choice(self.wares), self.chance.randint(1, 2)
            return self.chance.choice(writes(sku, quantity) + purchases(self.method))
        return self.chance.choice(self._reads)

    async def ask(self, request: Request) -> None:
        """Ask for one thing, perhaps in a hurry, and perhaps leave before the answer."""
        wish = None
        if request.kind != "bad" and self.chance.random() < HURRY:
            wish = round(self.chance.uniform(0.2, 2.0), 2)
        stays = LONGEST_STREAM if request.kind == "stream" else None
        if request.kind != "write" and self.chance.random() < LEAVING:
            stays = self.chance.random() * 0.2
        if request.kind in {"write", "buy"}:
            key = f'"{self.viewer.number}-{self.chance.getrandbits(64):x}"'
            request = replace(request, headers={**request.headers, "idempotency-key": key})
        counts = self.checker.verdict.counts
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
        told = answer.headers.get("x-request-id", name)
        is_mine = told == name or answer.status in {400, 431}  # refused before it was read
        self.checker.verdict.hold(1, is_mine, f"{request.name}: the answer to {told}, not {name}")
        is_good = self.checker.judge(
            self.viewer, request, answer, wish=wish, stall=self.stopwatch.since(began)
        )
        if request.kind in {"read", "write"} and wish is None:
            self.good.append((time.monotonic(), is_good))

    def _take_cut(
        self, request: Request, cut: str, began: float, *, wish: float | None, is_reused: bool
    ) -> None:
        """Judge an answer without an end: a stream, or lines that had begun at the deadline.

        An idle connection may also be closed in the very moment of its use.
        """
        checker, seconds = self.checker, time.monotonic() - began
        if request.kind == "stream":
            checker.verdict.counts["streams cut off"] += 1
        elif request.kind == "lines" and seconds >= min(checker.timeout, wish or checker.timeout):
            checker.verdict.counts["lines cut off at the deadline"] += 1
        elif is_reused and seconds < AT_ONCE:
            checker.verdict.counts["idle connections closed"] += 1
        else:
            what = f"{request.gateway} {request.name}: no answer after {seconds:.3f} s, {cut}"
            checker.verdict.hold(6, is_held=False, otherwise=what)


def goodput(clients: Sequence[Client], since: float, until: float) -> tuple[float, float]:
    """Return the rate of good answers (per second), and the share of all that they are."""
    told = [good for client in clients for at, good in client.good if since <= at < until]
    return sum(told) / (until - since), sum(told) / len(told) if told else 0.0
