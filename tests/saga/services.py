"""Real HTTP services on loopback that answer or fail by script."""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Ledger:
    """A service that knows no Idempotency-Key: each write that it receives has its effect.

    `script` says what happens to each next write: "ok"; "lost" (done, then the connection ends);
    "dropped" (not done, and the connection ends); "broken" (not done, 500); "failed" (done, 500);
    "hang" (not done, and no end); "late" (done after `LATE` seconds, no reply); "refused" (422).
    `reads` says the same of each next read. Entries are found by the path that they were put under.
    """

    script: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    entries: dict[str, Any] = field(default_factory=dict)
    writes: Counter[str] = field(default_factory=Counter)
    received: list[str] = field(default_factory=list)
    before: Callable[[], Awaitable[None]] | None = None
    """What happens before the next write is answered."""
    port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Ledger"]:
        """Listen."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._exchange(reader, writer):
                continue
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, path, _ = head.split(" ", 2)
        lines = head.lower().split("\r\n")
        length = next((int(one[15:]) for one in lines if one.startswith("content-length:")), 0)
        body = json.loads(await reader.readexactly(length) or b"null")
        self.received.append(f"{method} {path}")
        script = self.reads if method == "GET" else self.script
        what = script.pop(0) if script else "ok"
        if what == "late":
            await asyncio.sleep(LATE)
        if self.before is not None and method != "GET":
            await self.before()
        if what in {"ok", "lost", "failed", "late"} and method != "GET":
            self.writes[f"{method} {path}"] += 1
            self.entries[path] = body
        if what == "hang":
            await asyncio.sleep(3600)
        if what in {"lost", "dropped", "late"}:
            return False
        status, content = self._reply(what, method, path)
        await self._send(writer, status, content)
        return True

    def _reply(self, what: str, method: str, path: str) -> tuple[int, Any]:
        if what in {"broken", "failed"}:
            return 500, {"title": "Broken"}
        if what == "refused":
            return 422, {"title": "Refused"}
        if method == "GET" and path.partition("?")[0] not in self.entries:
            return 404, {"title": "Not found"}
        return 200, {"path": path, "times": self.writes[f"POST {path}"]}

    async def _send(self, writer: asyncio.StreamWriter, status: int, content: Any) -> None:
        kind = "application/json" if status == 200 else "application/problem+json"
        body = json.dumps(content).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        with suppress(ConnectionError):
            await writer.drain()


LATE = 0.5


def closed_port() -> int:
    """Return a port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@asynccontextmanager
async def silent_port() -> AsyncIterator[int]:
    """Return a port whose backlog is full: a connection to it is never accepted."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    port = int(server.getsockname()[1])
    crowd = [socket.socket() for _ in range(4)]
    for one in crowd:
        one.setblocking(False)  # that is its signature
        one.connect_ex(("127.0.0.1", port))
    try:
        yield port
    finally:
        for one in (*crowd, server):
            one.close()
