"""Names and threads in real time: what a resolver that hangs may cost; moves are followed."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from contextlib import asynccontextmanager

import pytest

from bff_core.errors import TransportFailed
from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.connection import Connection
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.upstream.layers.balance import Balancer
from bff_core.upstream.threads import ThreadPerJob
from bff_core.upstream.transport.interface import Endpoint
from bff_core.upstream.transport.wire_transport import WireTransport

ON_BOTH_LOOPS = pytest.mark.parametrize(
    "loop", ["asyncio", pytest.param("uvloop", marks=pytest.mark.uvloop)]
)


@ON_BOTH_LOOPS
async def test_jobs_that_hang_do_not_block_others(loop):
    """A hundred name servers may be silent, and the next name is looked up all the same."""
    running, release, threads = asyncio.get_running_loop(), threading.Event(), ThreadPerJob("test")
    hanging = [running.run_in_executor(threads, release.wait) for _ in range(100)]

    found = await running.run_in_executor(threads, socket.getaddrinfo, "127.0.0.1", 80)
    still_hanging = sum(not each.done() for each in hanging)
    release.set()
    await asyncio.gather(*hanging)

    assert found
    assert still_hanging == 100


@ON_BOTH_LOOPS
async def test_an_error_in_a_thread_is_raised(loop):
    """A name that can't be looked up is an error for the caller."""
    numbers_only = ("a-name.example", 80, 0, 0, 0, socket.AI_NUMERICHOST)

    with pytest.raises(socket.gaierror):
        await asyncio.get_running_loop().run_in_executor(
            ThreadPerJob("test"), socket.getaddrinfo, *numbers_only
        )


HANGS = """
import asyncio, sys, time
from bff_core.upstream.threads import ThreadPerJob

async def main():
    running = asyncio.get_running_loop().run_in_executor(ThreadPerJob("test"), time.sleep, 60)
    await asyncio.wait((running,), timeout=0.05)
    running.cancel()

asyncio.run(main())
print("ended")
"""


@pytest.mark.slow
def test_a_thread_that_hangs_does_not_keep_the_process_from_ending():
    """A gateway stops when it should, whatever its resolver is doing."""
    ended = subprocess.run(
        [sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=30, check=False
    )

    assert (ended.stdout, ended.stderr) == ("ended\n", "")


@asynccontextmanager
async def listening(address, port, answer):
    """Answer every request on an address with a body, and count the connections that are open."""

    async def serve(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer))
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            tasks.discard(asyncio.current_task())
            writer.transport.abort()

    tasks = set()
    server = await asyncio.start_server(serve, address, port)
    try:
        yield server.sockets[0].getsockname()[1], tasks
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.virtual_time
async def test_a_service_that_moves_is_followed_over_real_sockets():
    """Within thirty seconds calls go to the new address; the old connections are closed."""
    bench, found = LayerRuntime(), ["127.0.0.1"]

    async def resolve(_name):
        return found

    asyncio.get_running_loop().resolver = resolve
    async with (
        listening("127.0.0.1", 0, b"old") as (port, old),
        listening("127.0.0.2", port, b"new") as (_, new),
    ):
        origin = Endpoint("http", "shop.internal", port, "shop.internal")
        transport = WireTransport(Connection(idle_expiry=600), bench.runtime)
        layer = Balancer(Balance(), bench.runtime, transport, [origin])
        bodies = [(await layer(bench.call())).body for _ in range(3)]
        found[:] = ["127.0.0.2"]
        await asyncio.sleep(30)
        await layer(bench.call())  # finds out in the background
        await asyncio.sleep(0.1)
        bodies += [(await layer(bench.call())).body for _ in range(3)]
        connections = (len(old), len(new))
        await layer.aclose()

    assert bodies == [b"old"] * 3 + [b"new"] * 3
    assert connections == (0, 1)


@ON_BOTH_LOOPS
async def test_a_name_that_does_not_exist_fails_fast(loop):
    """The real resolver says no; the call was never sent and says so at once."""
    bench = LayerRuntime(clock=time.monotonic)
    transport = WireTransport(Connection(), bench.runtime)
    origin = Endpoint("http", "no-such-name.invalid", 80, "no-such-name.invalid")
    layer = Balancer(Balance(), bench.runtime, transport, [origin])

    with pytest.raises(TransportFailed, match=r"known: no-such-name\.invalid: ") as caught:
        await layer(bench.call())
    began = time.monotonic()
    with pytest.raises(TransportFailed):
        await layer(bench.call())
    took = time.monotonic() - began
    await layer.aclose()

    assert not caught.value.is_sent
    assert took < 0.1
