"""The metrics of a gateway with several workers, over real processes."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bff_core.gateway.metrics_port import TIMEOUT_HEADER
from tests.processes.process import PATIENCE, ForkServer, Process
from tests.processes.services import answers
from tests.server.conftest import free_port

ENDED = ("bff_workers_ended_total", "till")

TIMEOUT_SECONDS = 2.4
"""Of a scrape, as Prometheus sends it."""

REQUESTS = ("bff_requests_total", "till", "GET", "/pid", "2xx", "complete")


class Till:
    """Two workers, whose parent serves the metrics of both on one port."""

    def __init__(self, fork_server: ForkServer, folder, metrics_port: int = 0) -> None:
        self.port, self.metrics_port = free_port(), metrics_port or free_port()
        self.process = Process(
            fork_server,
            *("bff_core", "serve", "tests.console.till:app", "--workers", "2"),
            *("--port", str(self.port)),
            log=folder / "log",
            environ={
                "BFF_ENV": "production",
                "BFF_METRICS_PORT": str(self.metrics_port),
                "BFF_DRAIN_DELAY": "0",
                "TMPDIR": str(folder),
            },
            is_ready=lambda: answers(self.port, "/readyz"),
        )

    async def send(self, requests: int) -> None:
        """Send requests, each on a connection of its own, so that both workers get some."""
        for _ in range(requests):
            async with httpx.AsyncClient() as client:
                await client.get(f"http://127.0.0.1:{self.port}/pid")

    async def scrape(self, **headers: str) -> dict[tuple[str, ...], float]:
        """Return the values of counters, histograms and start times by name and labels."""
        async with httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{self.metrics_port}/metrics"
            text = (await client.get(url, headers=headers)).text
        return {
            (one.name, *one.labels.values()): one.value
            for family in text_string_to_metric_families(text)
            for one in family.samples
        }

    async def scrape_until(
        self, is_so: Callable[[dict[tuple[str, ...], float]], bool]
    ) -> dict[tuple[str, ...], float]:
        """Scrape until the values are as they should be; return them."""
        async with asyncio.timeout(PATIENCE):
            while not is_so(found := await self.scrape()):  # noqa: ASYNC110 # another process
                await asyncio.sleep(0.02)
        return found


@pytest.fixture(scope="module")
def till(fork_server: ForkServer, tmp_path_factory) -> Iterator[Till]:
    """Serve a gateway with two workers."""
    till = Till(fork_server, tmp_path_factory.mktemp("till"))
    till.process.start().wait_until_ready()
    asyncio.run(till.scrape_until(lambda found: len(workers(found)) == 2))
    yield till
    till.process.kill()


def workers(found: dict[tuple[str, ...], float]) -> set[str]:
    """Return the process ids of the workers that a scrape has."""
    return {labels[-1] for labels in found if labels[0] == "bff_worker_start_time_seconds"}


async def test_counters_are_those_of_all_workers_and_never_decrease(till):
    """Also when one is killed, and when another has replaced it."""
    earlier = (await till.scrape()).get(REQUESTS, 0)
    await till.send(20)
    first = [await till.scrape() for _ in range(4)]
    os.kill(int(min(workers(first[0]))), signal.SIGKILL)
    during = await till.scrape_until(lambda found: workers(found) - workers(first[0]))
    await till.send(10)
    second = await till.scrape()

    assert first[0][ENDED] == 0
    assert second[ENDED] == 1
    assert {one[REQUESTS] - earlier for one in first} == {20}
    assert during[REQUESTS] - earlier == 20
    assert second[REQUESTS] - earlier == 30
    cumulative = [
        name for name in first[0] if name[0].endswith(("_total", "_bucket", "_count", "_sum"))
    ]
    assert len(cumulative) > 20
    assert [name for name in cumulative if not first[0][name] <= during[name] <= second[name]] == []


async def test_a_worker_that_is_blocked_delays_a_scrape_by_half_of_its_timeout(till):
    """Its counts are those of the scrape before, and `bff_worker_up` names it."""
    await till.send(20)
    before = await till.scrape()
    stopped, other = sorted(workers(before))
    times = []
    os.kill(int(stopped), signal.SIGSTOP)
    try:
        for _ in range(5):
            started = time.monotonic()
            found = await till.scrape(**{TIMEOUT_HEADER: f"{TIMEOUT_SECONDS}"})
            times.append(time.monotonic() - started)
    finally:
        os.kill(int(stopped), signal.SIGCONT)
    again = await till.scrape()

    assert times[0] < TIMEOUT_SECONDS
    assert max(times[1:]) < TIMEOUT_SECONDS / 2  # it is known by then
    assert found["bff_worker_up", "till", stopped] == 0
    assert found["bff_worker_up", "till", other] == 1
    assert found[REQUESTS] == before[REQUESTS] >= 20
    assert again["bff_worker_up", "till", stopped] == 1


def test_a_second_gateway_on_the_same_port_does_not_start(till, fork_server, tmp_path):
    """Prometheus would get sometimes the one and sometimes the other."""
    (tmp_path / "second").mkdir()
    second = Till(fork_server, tmp_path / "second", till.metrics_port)
    second.process.start().wait_for_end()

    reason = f"BFF_METRICS_PORT={till.metrics_port}: another process, perhaps another gateway"
    assert reason in second.process.output
