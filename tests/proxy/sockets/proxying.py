"""A proxy for web sockets: the project's own server, an application, and an upstream behind it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import random
from typing import Any

from bff_core.errors import UpstreamError
from bff_core.events import AnyEvent, Events
from bff_core.policy.upstream.policy import Policy
from bff_core.proxy.socket_forwarding import forward_socket
from bff_core.proxy.sockets import Socket
from bff_core.upstream.client import Upstream
from bff_core.upstream.forwarding import ForwardedRequest
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.stack import UpstreamStack, open_stack, wire
from tests.proxy.sockets.wire import RawClient, opened
from tests.server.talking import Served, live, served, until


class Live(Upstream):
    """A service with web sockets."""


@dataclass
class Proxy:
    """The application that passes every web socket on."""

    upstream: Live
    options: Socket
    running: int = 0
    failures: list[BaseException] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await live(receive, send)
            return
        request = ForwardedRequest(
            method="GET",
            target=scope["raw_path"].decode() or "/",
            audience=None,
            headers=tuple(scope["headers"]),
        )
        self.running += 1
        try:
            await forward_socket(
                scope, receive, send, upstream=self.upstream, request=request, options=self.options
            )
        except UpstreamError as error:
            self.failures.append(error)
            await send({"type": "websocket.http.response.start", "status": error.status})
            await send({"type": "websocket.http.response.body", "body": error.code.encode()})
        finally:
            self.running -= 1


@dataclass
class Running:
    """A proxy that runs."""

    app: Proxy
    server: Served
    stack: UpstreamStack
    events: list[AnyEvent]

    async def open(self, path: str = "/", *fields: str, **options: Any) -> RawClient:
        """Open a web socket as a client does."""
        return await opened(self.server.port, path, *fields, **options)

    @property
    def permits(self) -> int:
        """The permits in use."""
        bulkhead = self.stack.state().bulkhead
        return 0 if bulkhead is None else bulkhead.in_use

    @property
    def connections(self) -> int:
        """The connections to services that are in use."""
        return sum(one.active for one in self.stack.state().endpoints)

    @property
    def sockets(self) -> int:
        """The connections of clients."""
        return len(self.server.serving.state.connections)

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing of a web socket is left."""
        return not (self.app.running or self.permits or self.connections or self.sockets)

    async def rest(self) -> None:
        """Wait until nothing of a web socket is left."""
        await until(lambda: self.is_at_rest, 10)


@asynccontextmanager
async def proxying(
    *urls: str, socket: Socket | None = None, policy: Policy | None = None, **server: Any
) -> AsyncIterator[Running]:
    """Run a proxy for the services at some addresses."""
    loop = asyncio.get_running_loop()
    heard: list[AnyEvent] = []
    tasks: set[asyncio.Task[None]] = set()

    def spawn(work: Any) -> asyncio.Task[None]:
        task = loop.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    runtime = Runtime("live", loop, loop.time, random, Events(heard.append), spawn)
    addresses: Sequence[str] = urls
    stack = open_stack(policy or Policy(), addresses, runtime, wire)
    app = Proxy(Live(stack), socket or Socket())
    try:
        async with served(app, **server) as server_:
            yield Running(app, server_, stack, heard)
    finally:
        await stack.aclose()
        for task in [*tasks]:
            task.cancel()
