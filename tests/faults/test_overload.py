"""Three times more than a gateway can answer: it answers what it can and refuses the rest early."""

import asyncio
import statistics
import time
from collections.abc import Iterator

import pytest

from tests.faults.conftest import FAULT_GATEWAY, FaultSite
from tests.processes.client import Answer, Line, ask
from tests.processes.gateway import Gateway

PLACES = 20
"""Requests at once; with what a service takes they make the capacity, whatever the machine."""

TAKES = 0.15
SHARE = 0.9
"""The share of places that requests of the usual class may take; the rest is for their betters."""

CAPACITY = SHARE * PLACES / TAKES
SECONDS = 1.5
PREFETCH = {"sec-purpose": "prefetch"}


@pytest.fixture
def small(fault_site: FaultSite) -> Iterator[Gateway]:
    """Serve a gateway with low limits, over a service that takes its time."""
    environ = fault_site.environ(BFF_MAX_CONCURRENT=str(PLACES), BFF_LOG="off")
    slow = {"name": "constant", "seconds": TAKES}
    with (
        fault_site.site.serving(FAULT_GATEWAY, environ) as gateway,
        fault_site.catalog.fault("latency", distribution=slow),
    ):
        yield gateway


async def arrivals(gateway: Gateway, rate: float) -> list[tuple[bool, Answer]]:
    """Send requests at a rate that takes no notice of answers; every second one is a prefetch."""
    free: list[Line] = []

    async def arrive(number: int) -> tuple[bool, Answer]:
        line = free.pop() if free else Line(gateway.port)
        is_prefetch = number % 2 == 1
        path = f"/v1/patient/{number % 2000 + 1}"
        answer = await line.ask(path, headers=PREFETCH if is_prefetch else {})
        free.append(line)
        return is_prefetch, answer

    began, sent = time.monotonic(), []
    for number in range(int(rate * SECONDS)):
        await asyncio.sleep(began + number / rate - time.monotonic())
        sent.append(asyncio.create_task(arrive(number)))
    answers = await asyncio.gather(*sent)
    for line in free:
        line.close()
    return answers


async def test_overload_3_x_capacity(small):
    """Goodput stays, refusals come at once, prefetches give way, and it stays healthy."""
    flood = asyncio.create_task(arrivals(small, 3 * CAPACITY))
    await asyncio.sleep(SECONDS / 2)
    alive = await ask(small.port, "/healthz")
    answers = await flood
    good = [(is_prefetch, one) for is_prefetch, one in answers if one.status == 200]
    refused = [one for _, one in answers if one.status == 503]

    assert len(good) + len(refused) == len(answers)
    assert len(good) >= 0.9 * CAPACITY * (SECONDS - TAKES)
    assert alive.status == 200
    assert all(1 <= int(one.headers["retry-after"]) <= 4 for one in refused)
    assert statistics.median(one.seconds for one in refused) <= 0.02
    assert sum(is_prefetch for is_prefetch, _ in good) < 0.25 * len(good)
    assert max(one.seconds for _, one in good) <= TAKES + 0.5
