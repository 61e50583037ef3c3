"""Graceful shutdown: admitted requests are answered, within the grace period."""

import asyncio
import json
import re
import signal
import socket
import time

import pytest

from tests.processes.services import request
from tests.server.talking import Shop, connect, hang, served, until

ITEM = b"GET /items/1?seconds=%g HTTP/1.1\r\nHost: localhost\r\n\r\n"


def events(process, name: str) -> list[dict[str, object]]:
    """Return the lines of a process's log about one kind of event."""
    lines = (json.loads(line) for line in process.output.splitlines() if line.startswith("{"))
    return [line for line in lines if line.get("event") == name]


async def gone(process) -> None:
    """Wait until a process has ended."""
    await until(lambda: not process.is_alive)


async def test_readiness_turns_false_while_requests_are_still_served(depot):
    """A balancer notices at the probe, and no request fails until it has."""
    process = depot("--drain-delay=1", "--grace=5")
    idle = await connect(process.port)

    process.ask_to_end()
    probes = []
    while (status := request(process.port, "GET", "/readyz")[0]) == 200:
        probes.append(status)
    idle.send(ITEM % 0)
    served = await idle.answer()
    still = request(process.port, "GET", "/items/2")

    assert status == 503
    assert (served.status, served.fields["connection"]) == (200, "close")
    assert await idle.is_closed()
    assert still[0] == 200
    await gone(process)


async def test_requests_in_flight_are_finished(depot):
    """Within the grace period, after the socket is closed; then the process exits."""
    process = depot("--drain-delay=0", "--grace=5")
    client = await connect(process.port)
    client.send(ITEM % 0.6)
    await asyncio.sleep(0.2)
    began = time.monotonic()

    process.ask_to_end()
    answer = await client.answer()
    await gone(process)

    assert (answer.status, answer.fields["connection"]) == (200, "close")
    assert time.monotonic() - began < 4
    (drained,) = events(process, "server.drained")
    assert drained["unfinished"] == 0


async def test_requests_unfinished_after_the_grace_are_a_503(depot):
    """With a problem that has the request id, and `Retry-After`; the handler is cancelled."""
    process = depot("--drain-delay=0", "--grace=0.3")
    client = await connect(process.port)
    client.send(ITEM.replace(b"\r\n\r\n", b"\r\nX-Request-ID: late-1\r\n\r\n") % 60)
    await asyncio.sleep(0.2)

    process.ask_to_end()
    answer = await client.answer()
    await gone(process)

    assert (answer.status, answer.fields["retry-after"]) == (503, "1")
    assert answer.problem["request_id"] == "late-1"
    assert [event["unfinished"] for event in events(process, "server.drained")] == [1]
    assert [event["status"] for event in events(process, "request.answered")] == [503]


async def test_connections_in_the_backlog_are_served(depot):
    """Clients that the kernel has accepted are answered, not reset."""
    process = depot("--drain-delay=0", "--grace=5")
    process.freeze()
    waiting = [await connect(process.port) for _ in range(40)]
    for client in waiting:
        client.send(ITEM % 0.01)

    process.ask_to_end()
    answers = [await client.answer() for client in waiting]

    assert [answer.status for answer in answers] == [200] * 40
    await gone(process)


async def test_no_connection_is_accepted_after_the_delay(depot):
    """The kernel refuses later ones at once, and a balancer tries elsewhere."""
    process = depot("--drain-delay=0", "--grace=5")
    busy = await connect(process.port)
    busy.send(ITEM % 1)
    await asyncio.sleep(0.2)

    process.ask_to_end()
    await until(lambda: _is_refused(process.port))

    assert process.is_alive
    assert (await busy.answer()).status == 200


def _is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


async def test_an_event_stream_ends_with_a_time_to_reconnect(depot):
    """`EventSource` reconnects by itself, each client after its own time."""
    process = depot("--drain-delay=0", "--grace=20")
    client = await connect(process.port)
    client.send(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await client.head()
    chunks = client.chunks()
    first = await anext(chunks)
    began = time.monotonic()

    process.ask_to_end()
    last = [chunk async for chunk in chunks][-1]

    assert first == b"data: 0\n\n"
    assert re.fullmatch(rb": the server restarts\nretry: [0-9]+\n\n", last)
    await gone(process)
    assert time.monotonic() - began < 10


async def test_an_export_that_exceeds_the_grace_says_that_it_is_truncated(depot):
    """With a line of its own and without a regular end: no client takes the part for the whole."""
    process = depot("--drain-delay=0", "--grace=0.5")
    client = await connect(process.port)
    client.send(b"GET /rows HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await client.head()

    process.ask_to_end()
    *rows, last = [json.loads(line) for line in await cut_short(client)]

    assert len(rows) > 5
    assert rows[-1] == {"row": len(rows) - 1}
    assert (last["status"], last["code"]) == (503, "service_unavailable")
    await gone(process)


async def cut_short(client) -> list[bytes]:
    """Read chunks of an answer that must not end as it should."""
    received = []
    with pytest.raises(EOFError):  # noqa: PT012 # what came before the cut counts
        async for chunk in client.chunks():
            received.append(chunk)  # noqa: PERF401 # the same
    return received


async def test_an_export_that_ends_within_the_grace_is_whole(depot):
    """It is not truncated because the process ends."""
    process = depot("--drain-delay=0", "--grace=5")
    client = await connect(process.port)
    client.send(b"GET /rows?count=10 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await client.head()

    process.ask_to_end()
    rows = [json.loads(chunk)["row"] async for chunk in client.chunks()]

    assert rows == list(range(10))


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_at_once(depot, second):
    """An operator who sends two does not want to wait."""
    process = depot("--drain-delay=30", "--grace=30")
    client = await connect(process.port)
    client.send(ITEM % 60)
    await asyncio.sleep(0.2)
    began = time.monotonic()

    process.ask_to_end()
    await until(lambda: request(process.port, "GET", "/readyz")[0] == 503)
    process.signal(second)
    answer = await client.answer()
    await gone(process)

    assert answer.status == 503
    assert time.monotonic() - began < 5


async def test_ctrl_c_does_not_wait_for_balancers(depot):
    """There is none on a laptop: the delay is for SIGTERM."""
    process = depot("--drain-delay=30", "--grace=5")
    began = time.monotonic()

    process.signal(signal.SIGINT)
    await gone(process)

    assert time.monotonic() - began < 5


async def test_idle_connections_are_closed_regularly(depot):
    """They are not reset, and not held open until the end of the grace period."""
    process = depot("--drain-delay=0", "--grace=20")
    clients = [await connect(process.port) for _ in range(20)]
    for client in clients:
        client.send(ITEM % 0)
        await client.answer()
    began = time.monotonic()

    process.ask_to_end()
    closed = [await client.is_closed() for client in clients]
    await gone(process)

    assert closed == [True] * 20
    assert time.monotonic() - began < 5


async def test_a_client_that_left_unnoticed_does_not_stop_the_drain():
    """The loop may not have noticed yet that it left: other connections drain all the same."""
    shop = Shop(routes={"/": hang})

    async with served(shop) as server:
        client = await connect(server.port)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
        await until(lambda: shop.running == 1)
        client.writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        [connection] = server.serving.connections

        assert connection.cancel()
        await client.close()
    assert shop.running == 0
