"""Processes that do not answer: pages wait once, for a short time, and show them."""

import asyncio
import os
import socket
import time
from contextlib import asynccontextmanager

import msgspec
import pytest

from bff_core.console.answers import ConsoleProblem
from bff_core.console.installation import INFO, gateways_of
from bff_core.console.model import GatewayInfo, WorkerInfo
from bff_core.console.sources import GREETING_SECONDS, GatewaySource, Sources
from bff_core.observe.process_socket import serve_commands
from tests.server.talking import until

WORKER = WorkerInfo(pid=os.getpid(), started=1.0, lag=0.0, in_flight=0, limit=1.0)
SILENT = 7


async def _info(_body: bytes) -> bytes:
    return msgspec.json.encode(GatewayInfo(name="web", url="", workers=[WORKER]))


@pytest.fixture
def blocked(tmp_path):
    """Listen as a process whose event loop is blocked: the system accepts, no one answers."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / f"{SILENT}.sock"))
        listener.listen()
        yield listener


@asynccontextmanager
async def reading(folder):
    """Read a gateway whose processes serve commands in a folder."""
    found = Sources([GatewaySource(name="web", folder=folder)])
    yield found
    await found.aclose()


async def _taken(work) -> tuple[float, object]:
    """Return how long something took by the clock of the loop, and its result."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    found = await work
    return loop.time() - began, found


async def test_only_the_first_page_waits(tmp_path, blocked):
    """It waits for 0.4 s; the next ones do not, and all show the process and since when."""
    began = time.time()
    async with serve_commands(tmp_path, {INFO: _info}), reading(tmp_path) as sources:
        first, (web,) = await _taken(gateways_of(sources))
        ended = time.time()
        second, (again,) = await _taken(gateways_of(sources))

    assert GREETING_SECONDS <= first < GREETING_SECONDS + 0.3
    assert second < 0.2
    assert [one.pid for one in web.workers] == [os.getpid()]
    assert [one.pid for one in web.silent] == [SILENT]
    assert began <= web.silent[0].since <= ended
    assert again.silent == web.silent
    assert web.health == "degraded"


async def test_a_process_that_answers_again_is_no_longer_silent(tmp_path, blocked):
    """The console notices it by itself."""
    async with reading(tmp_path) as sources:
        (web,) = await gateways_of(sources)
        blocked.accept()[0].close()  # that of the page
        with blocked.accept()[0] as waiting:
            waiting.sendall(b"ready\n")
            await until(lambda: not sources.silent)
        blocked.close()
        (tmp_path / f"{SILENT}.sock").unlink()
        (without,) = await gateways_of(sources)

    assert (web.health, [one.pid for one in web.silent]) == ("failed", [SILENT])
    assert (without.health, without.silent) == ("stopped", [])


async def test_a_command_for_one_process_avoids_silent_ones(tmp_path, blocked):
    """The one that greets gets it, within the time that pages wait."""
    async with serve_commands(tmp_path, {INFO: _info}), reading(tmp_path) as sources:
        seconds, found = await _taken(sources.send_one("web", INFO))

    assert seconds < GREETING_SECONDS
    assert msgspec.json.decode(found, type=GatewayInfo).workers[0].pid == os.getpid()


@pytest.mark.parametrize("process", ["", f"{SILENT}"])
async def test_a_silent_gateway_is_a_problem_at_once(tmp_path, blocked, process):
    """The error says why, also for a process that is named."""
    async with reading(tmp_path) as sources:
        with pytest.raises(ConsoleProblem) as problem:
            await _taken(sources.send_one("web", INFO, process=process))
        seconds, _ = await _taken(gateways_of(sources))

    assert seconds < 0.2
    assert problem.value.status == 503
    assert problem.value.detail == "Process 7 is stopped, or its event loop is blocked."


async def test_what_was_not_greeted_is_never_sent(tmp_path, blocked):
    """A process that goes on later must not do what was reported as failed."""
    async with reading(tmp_path) as sources:
        with pytest.raises(ConsoleProblem):
            await sources.send_one("web", INFO, b"body")
        with blocked.accept()[0] as late:
            late.setblocking(False)
            sent = await asyncio.get_running_loop().sock_recv(late, 1)

    assert sent == b""


@pytest.mark.parametrize("is_hung", [True, False], ids=["hangs", "ends"])
async def test_a_command_that_one_process_got_runs_in_no_other(tmp_path, is_hung):
    """It may have run there: a write would be carried out twice."""
    runs: list[bytes] = []

    async def run(body: bytes) -> bytes:
        runs.append(body)
        return b""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"ready\n")
        line = await reader.readline()
        if line:
            runs.append(await reader.readexactly(5))
            if is_hung:
                await reader.read()  # until the sender gives up
        writer.close()
        await writer.wait_closed()

    async with (
        await asyncio.start_unix_server(take, tmp_path / "1.sock"),
        serve_commands(tmp_path, {"write": run}),
        reading(tmp_path) as sources,
    ):
        with pytest.raises(ConsoleProblem, match="does not answer"):
            await sources.send_one("web", "write", b"order", seconds=0.3)

    assert runs == [b"order"]
