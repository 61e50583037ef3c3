"""The metrics of a gateway with several workers, over real processes."""

import os
import signal
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.processes.process import ForkServer, Process
from tests.processes.services import answers
from tests.server.conftest import free_port


class Till:
    """Two workers, each of which serves the metrics of both on one port."""

    def __init__(self, fork_server: ForkServer, folder) -> None:
        self.port, self.metrics_port = free_port(), free_port()
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

    async def scrape(self) -> dict[tuple[str, ...], float]:
        """Return the values of counters, histograms and start times by name and labels."""
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"http://127.0.0.1:{self.metrics_port}/metrics")).text
        return {
            (one.name, *one.labels.values()): one.value
            for family in text_string_to_metric_families(text)
            for one in family.samples
        }


@pytest.fixture
def till(fork_server: ForkServer, tmp_path) -> Iterator[Till]:
    """Serve a gateway with two workers."""
    till = Till(fork_server, tmp_path)
    till.process.start().wait_until_ready()
    yield till
    till.process.kill()


def workers(found: dict[tuple[str, ...], float]) -> set[str]:
    """Return the process ids of the workers that a scrape has."""
    return {labels[-1] for labels in found if labels[0] == "bff_worker_start_time_seconds"}


async def test_counters_are_those_of_all_workers_and_never_decrease(till):
    """Whichever worker is scraped; also when one is killed, and when another has replaced it."""
    requests = ("bff_requests_total", "till", "GET", "/pid", "2xx", "complete")

    async def both_serve() -> bool:
        return len(workers(await till.scrape())) == 2

    while not await both_serve():
        pass
    await till.send(20)
    first = [await till.scrape() for _ in range(4)]
    os.kill(int(min(workers(first[0]))), signal.SIGKILL)
    during = await till.scrape()
    while not (workers(during) != workers(first[0]) and await both_serve()):
        during = await till.scrape()
    await till.send(10)
    second = await till.scrape()

    assert {one[requests] for one in first} == {20}
    assert during[requests] == 20
    assert second[requests] == 30
    cumulative = [
        name for name in first[0] if name[0].endswith(("_total", "_bucket", "_count", "_sum"))
    ]
    assert len(cumulative) > 20
    assert [name for name in cumulative if not first[0][name] <= during[name] <= second[name]] == []
