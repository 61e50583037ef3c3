"""How often a service receives one call: never more often than its policy says."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from bff_core.errors import TransportFailed
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.upstream.stack import open_stack, wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CROWD = 8


def forgetful(gate):
    """Answer the first request of each connection; read each further one, and end it there."""

    async def script(peer):
        await peer.request()
        await gate.wait()
        await peer.send(OK)
        await peer.request()

    return script


@asynccontextmanager
async def warm(kit, retry):
    """Open a stack that has many idle connections, each of which the service will give up."""
    gate, bench = asyncio.Event(), LayerRuntime("shop")
    policy = Policy(retry=retry, breaker=None, coalesce=False)
    async with kit.Service(forgetful(gate)) as service:
        stack = open_stack(policy, [service.endpoint.url], bench.runtime, wire)
        crowd = [asyncio.create_task(stack.handler(bench.call(f"/{n}"))) for n in range(CROWD)]
        await service.until(lambda: len(service.requests) == CROWD)
        gate.set()
        await asyncio.gather(*crowd)
        service.requests.clear()
        yield service, stack, bench
        await stack.aclose()


@pytest.mark.parametrize(
    ("retry", "most"),
    [(None, 1), (Retry(attempts=1), 1), (Retry(attempts=2), 2), (Retry(attempts=3), 3)],
)
async def test_stale_connections_cost_attempts(kit, retry, most):
    """A service that gives up each idle connection receives a read as often as its policy says."""
    async with warm(kit, retry) as (service, stack, bench):
        service.script = kit.answering(b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
        call = bench.call("/wanted")
        try:
            status = (await stack.handler(call)).status
        except TransportFailed as error:
            status = error.attempts

    assert len([one for one in service.requests if b"/wanted" in one]) == most
    assert status == (503 if most > 1 else 1)
    assert len(call.trail) == most


async def test_a_write_without_a_key_is_received_once(kit):
    """Nothing that may have been done is done again, however many attempts there are."""
    async with warm(kit, Retry(attempts=3)) as (service, stack, bench):
        with pytest.raises(TransportFailed) as failed:
            await stack.handler(bench.call("/wanted", method="POST"))

    assert len(service.requests) == 1
    assert failed.value.attempts == 1
