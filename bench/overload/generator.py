"""An open-loop load generator: requests start when they are due, answered or not.

Latency counts from the intended start. A request that has to wait, for a connection or because the
generator itself is late, is not forgiven that time (no coordinated omission).
"""

import gc
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

PATIENCE = 10.0
"""A request that takes longer counts as lost, and its connection is closed (seconds)."""

TICK = 0.1
"""The pause between two checks for lost requests (seconds)."""

HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length: "

Judge = Callable[[int, bytes, bytes], str]
"""Takes status, head and body of an answer, and returns a verdict."""


class Sent(NamedTuple):
    """One request: its kind, when it was due and how long it took (seconds), its outcome."""

    kind: str
    due: float
    latency: float
    verdict: str

    @property
    def ended(self) -> float:
        """When the answer was there."""
        return self.due + self.latency


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests of one sort: how many a second, their bytes, and the judge of their answers."""

    name: str
    rate: float
    request: Callable[[int], bytes]
    judge: Judge


@dataclass(slots=True)
class Run:
    """The results of a run: each request, and how late the generator sent them (seconds).

    `cpu` is the share of its core that the server used meanwhile, `disturbed` the larger of the
    shares of the two cores that went to somebody else.
    """

    seconds: float
    cpu: float = 0.0
    disturbed: float = 0.0
    sent: list[Sent] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)


def get(path: str, *headers: str) -> Callable[[int], bytes]:
    """Return what renders a GET; `%d` in the path is another number for every request."""
    lines = "".join(f"{header}\r\n" for header in headers)
    text = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode()
    return text.__mod__ if b"%d" in text else lambda _: text


def schedule(kinds: Sequence[Kind], seconds: float, seed: int) -> deque[tuple[float, Kind]]:
    """Return when each request is due: a Poisson stream of every kind, the same for a seed."""
    chance = Random(seed)
    due: list[tuple[float, Kind]] = []
    for kind in kinds:
        instant = 0.0
        while kind.rate > 0 and (instant := instant + chance.expovariate(kind.rate)) < seconds:
            due.append((instant, kind))
    return deque(sorted(due, key=lambda one: one[0]))


class Connection:
    """One keep-alive connection, with at most one request in flight."""

    __slots__ = ("_received", "_socket", "due", "kind", "number")

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self.number = self._socket.fileno()
        self.kind: Kind | None = None
        self.due = 0.0
        self._received = b""

    def send(self, kind: Kind, due: float, number: int) -> None:
        """Send a request: it fits into the buffer of an idle connection."""
        self.kind, self.due, self._received = kind, due, b""
        self._socket.send(kind.request(number))

    def read(self) -> tuple[int, bytes, bytes] | None:
        """Return status, head and body once they are complete; raises ConnectionError."""
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionResetError("closed by the server")
        self._received = received = self._received + data if self._received else data
        end = received.find(HEAD_END)
        if end < 0:
            return None
        at = received.find(LENGTH, 0, end + 2)
        if at < 0:
            raise ConnectionError("an answer without a length")
        begin = at + len(LENGTH)
        length = int(received[begin : received.index(b"\r", begin)])
        if len(received) < end + len(HEAD_END) + length:
            return None
        return int(received[9:12]), received[:end], received[end + len(HEAD_END) :]

    def close(self) -> None:
        """Close it."""
        self._socket.close()


class Generator:
    """Sends requests to one port by a schedule, over as many connections as necessary."""

    def __init__(self, port: int, *, most: int = 2000, ready: int = 64) -> None:
        self._port = port
        self._most = most
        self._poll = select.epoll()
        self._all: dict[int, Connection] = {}
        self._number = time.time_ns() // 1_000_000 * 1000  # no number twice in a session
        self._idle = [self._open() for _ in range(ready)]

    def drive(
        self,
        kinds: Sequence[Kind],
        seconds: float,
        *,
        seed: int = 1,
        tick: Callable[[float], object] = lambda _: None,
    ) -> Run:
        """Send what is due for so many seconds, then wait for the last answers.

        `tick` is called ten times a second with the seconds since the start.
        """
        due, run = schedule(kinds, seconds, seed), Run(seconds)
        gc.collect()
        gc.disable()  # a pause here would be attributed to the server
        try:
            self._drive(due, run, tick)
        finally:
            gc.enable()
        return run

    def close(self) -> None:
        """Close all connections."""
        for connection in tuple(self._all.values()):
            self._drop(connection)
        self._idle.clear()
        self._poll.close()

    def _drive(
        self, due: deque[tuple[float, Kind]], run: Run, tick: Callable[[float], object]
    ) -> None:
        start, next_tick = time.perf_counter(), TICK
        while due or len(self._idle) < len(self._all):
            now = time.perf_counter() - start
            while due and due[0][0] <= now and (connection := self._take()) is not None:
                self._send(connection, *due.popleft(), now, run)
            if now >= next_tick:
                next_tick = now + TICK
                self._expire(now, run)
                tick(now)
            self._wait(due[0][0] - now if due else TICK)
            for number, _ in self._poll.poll(0):
                self._read(self._all[number], run, start)

    def _send(self, connection: Connection, due: float, kind: Kind, now: float, run: Run) -> None:
        self._number += 1
        run.lateness.append(now - due)
        try:
            connection.send(kind, due, self._number)
        except OSError:
            self._fail(connection, now, "broken", run)

    def _wait(self, seconds: float) -> None:
        # epoll counts in milliseconds, which would make requests late by half of one.
        select.select([self._poll], (), (), min(max(seconds, 0.0), TICK))

    def _take(self) -> Connection | None:
        if self._idle:
            return self._idle.pop()
        return self._open() if len(self._all) < self._most else None

    def _open(self) -> Connection:
        connection = Connection(self._port)
        self._all[connection.number] = connection
        self._poll.register(connection.number, select.EPOLLIN)
        return connection

    def _read(self, connection: Connection, run: Run, start: float) -> None:
        kind = connection.kind
        try:
            answer = connection.read()
        except OSError:
            self._fail(connection, time.perf_counter() - start, "broken", run)
            return
        if answer is None or kind is None:
            return
        now = time.perf_counter() - start
        verdict = kind.judge(*answer)
        run.sent.append(Sent(kind.name, connection.due, now - connection.due, verdict))
        connection.kind = None
        if b"\r\nconnection: close" in answer[1]:
            self._drop(connection)
        else:
            self._idle.append(connection)

    def _expire(self, now: float, run: Run) -> None:
        late = [one for one in self._all.values() if one.kind and now - one.due > PATIENCE]
        for connection in late:
            self._fail(connection, now, "lost", run)

    def _fail(self, connection: Connection, now: float, verdict: str, run: Run) -> None:
        if connection.kind is not None:
            latency = now - connection.due
            run.sent.append(Sent(connection.kind.name, connection.due, latency, verdict))
        elif connection in self._idle:
            self._idle.remove(connection)
        self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._poll.unregister(connection.number)
        del self._all[connection.number]
        connection.close()
