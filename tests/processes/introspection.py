"""Reports the state of a gateway under test (tasks, permits, connections) over a Unix socket.

Served in place of a gateway's own module: `INTROSPECTED_APP` names that module, and
`INTROSPECTION_SOCKET` the socket. The gateway is unchanged, except that its lifespan opens the
socket, too.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

from bff_core import Gateway
from bff_core.call import Call, Handler, Reply
from bff_core.upstream.layers.breaker import BreakerLayer
from bff_core.upstream.layers.bulkhead import BulkheadLayer
from bff_core.upstream.layers.coalesce import CoalesceLayer
from bff_core.upstream.layers.retry import RetryLayer
from bff_core.upstream.stack import UpstreamStack


class Counted:
    """Counts the calls of one upstream that reach its retry layer."""

    def __init__(self, inner: Handler) -> None:
        self.calls = 0
        self._inner = inner

    def __call__(self, call: Call) -> Awaitable[Reply]:
        """Count a call and forward it."""
        self.calls += 1
        return self._inner(call)


def count_calls(stack: UpstreamStack) -> Counted | None:
    """Put a counter in front of an upstream's retries, unless its policy has none."""
    for outer, inner in pairwise(stack._lines):
        if isinstance(inner, RetryLayer):
            counted = outer.inner = Counted(inner)
            return counted
    return None


def held_by(gateway: Gateway, counters: Mapping[str, Counted | None]) -> dict[str, Any]:
    """Return the state of a gateway and of its upstreams."""
    upstreams = {stack.name: _upstream(stack) for stack in gateway.running.upstreams.stacks}
    for name, counter in counters.items():
        upstreams[name]["calls"] = 0 if counter is None else counter.calls
    total = {
        key: sum(upstream[key] for upstream in upstreams.values())
        for key in ("flights", "permits", "queued", "active", "idle", "waiting")
    }
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    return {
        "tasks": len(tasks),
        "running": sorted(_name(task.get_coro()) for task in tasks),
        "requests": gateway.shedding.pressure.in_flight,
        "streams": gateway.shedding.pressure.streams,
        **total,
        "upstreams": upstreams,
    }


def _name(running: object) -> str:
    """Return the name of what a task runs; a step of an asynchronous generator has none."""
    return getattr(running, "__qualname__", type(running).__name__)


def _upstream(stack: UpstreamStack) -> dict[str, Any]:
    layers = {type(line): line for line in stack._lines}
    balancer = stack.balancer
    loads = [place.target.load for place in balancer.endpoints._all]
    found: dict[str, Any] = {
        "flights": 0,
        "permits": 0,
        "queued": 0,
        "active": sum(load.active for load in loads),
        "idle": sum(load.idle for load in loads),
        "waiting": sum(load.waiting for load in loads),
        "ejected": len(balancer.endpoints.ejected),
    }
    for kind, look in LOOKS.items():
        if kind in layers:
            found |= look(layers[kind])
    return found


LOOKS = {
    CoalesceLayer: lambda layer: {"flights": len(layer._flights)},
    BulkheadLayer: lambda layer: {"permits": layer.permits.in_use, "queued": layer.permits.waiting},
    BreakerLayer: lambda layer: {"breaker": layer.circuit.state},
}


def with_introspection(gateway: Gateway, path: Path) -> Gateway:
    """Let the lifespan of a gateway open the socket."""
    inner = gateway.router.lifespan_context
    counters: dict[str, Counted | None] = {}
    path.unlink(missing_ok=True)

    async def send(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps(held_by(gateway, counters)).encode())
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def lifespan(app: Gateway) -> AsyncIterator[Mapping[str, Any] | None]:
        async with inner(app) as state, await asyncio.start_unix_server(send, path):
            counters.update(
                {stack.name: count_calls(stack) for stack in gateway.running.upstreams.stacks}
            )
            yield state

    gateway.router.lifespan_context = lifespan
    return gateway


def _served() -> Gateway:
    module, _, name = os.environ["INTROSPECTED_APP"].partition(":")
    return with_introspection(
        getattr(import_module(module), name), Path(os.environ["INTROSPECTION_SOCKET"])
    )


app = _served()
