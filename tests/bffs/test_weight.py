"""What passes through a gateway: how much it takes in, gives out and holds meanwhile."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from bff_core.testing import Step, assert_complete, assert_size
from tests.bffs.in_process import SCRIPTS

KIB, MIB = 1024, 1024 * 1024
ROWS = 12_000


@pytest.mark.virtual_time
async def test_home_is_small_where_its_data_is_large(open_gateway):
    """The phone gets at most 6 KB of the 40 KB and more that the services sent for it."""
    sizes: list[int] = []

    def weighed(service: Step) -> Step:
        async def step(call):
            reply = await service(call)
            sizes.append(len(reply.content))
            return reply

        return step

    services = {name: weighed(service) for name, service in SCRIPTS.items()}
    async with open_gateway("mobile", services=services) as client:
        answer = await client.get("/v1/home")

    assert_complete(answer)
    assert_size(answer, at_most=6 * KIB)
    assert sum(sizes) >= 40 * KIB


@pytest.fixture
def long_export(served_mocks) -> Iterator[str]:
    """Serve an export of 20 MiB and more, chunk by chunk; yield its address."""
    order = served_mocks.get("orders", "/orders/10001").json()
    row = json.dumps(order).encode() + b"\n"
    chunk = b"%x\r\n%b\r\n" % (len(row) * 10, row * 10)
    assert len(row) * ROWS > 20 * MIB

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(ROWS // 10):
            writer.write(chunk)
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        writer.close()

    with _serving(answer) as url:
        yield url


@contextmanager
def _serving(answer) -> Iterator[str]:
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(server.wait_closed())
        loop.close()


def test_export_holds_memory_flat(serve, long_export):
    """More than 20 MiB of orders go through a process that does not grow by a third of it."""
    viewer = {"authorization": "Bearer demo-1"}
    with serve("desktop", BFF_UPSTREAM_ORDERS=long_export) as gateway_process:
        # What the first request of a process needs stays: it is no growth.
        httpx.get(f"{gateway_process.url}/v1/dashboard", headers=viewer, trust_env=False)
        before = _peak(gateway_process.pid)
        url = f"{gateway_process.url}/v1/orders/export"
        with httpx.stream("GET", url, headers=viewer, trust_env=False, timeout=30) as answer:
            rows = sum(1 for _ in answer.iter_lines())
        grown = _peak(gateway_process.pid) - before

    assert rows == ROWS
    assert grown < 7 * MIB


def _peak(pid: int) -> int:
    """Return the most memory that a process has held, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * KIB
