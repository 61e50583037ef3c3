"""Services that fail for a while: they are spared, and back to work without anybody's help."""

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from tests.faults.limits import EJECT_FOR, OPEN_FOR, OPEN_FOR_MAX, WINDOW
from tests.processes.client import Line
from tests.processes.waiting import until

OUTAGE = 1.6
"""Seconds of failure, of a window that is a tenth of the usual one."""

PROBES = 3
JITTER = 1.2


@dataclass
class Load:
    """Clients that send requests one after another, and the times of their answers."""

    port: int
    path: str
    answers: list[tuple[float, int]] = field(default_factory=list)
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    async def __aenter__(self):
        self._clients = [asyncio.create_task(self._ask()) for _ in range(6)]
        return self

    async def __aexit__(self, *_):
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _ask(self) -> None:
        async with Line(self.port) as line:
            while True:
                answer = await line.ask(f"{self.path}/{next(self.numbers) % 2000 + 1}")
                self.answers.append((time.monotonic(), answer.status))
                await asyncio.sleep(0.015)

    def statuses(self, since: float = 0.0, until: float = float("inf")) -> Counter[int]:
        """Count the statuses in a span of time."""
        return Counter(status for at, status in self.answers if since <= at < until)


async def test_60_s_of_500s_then_healthy(fault_site):
    """Scaled to 1.6 s: the circuit opens, hardly anything is sent, and recovery is quick and whole.

    Windows, and so all durations, are a tenth of the default ones or less.
    """
    service = fault_site.pricing
    async with Load(fault_site.port, "/v1/storm") as load:
        await asyncio.sleep(0.3)
        before = service.call_count
        began = time.monotonic()
        with service.fault("error", status=500):
            await asyncio.sleep(WINDOW)
            at_window = service.call_count
            state = fault_site.gateway.look()["upstreams"]["storm"]["breaker"]
            await asyncio.sleep(OUTAGE - WINDOW)
            at_end = service.call_count
        healed = time.monotonic()
        await asyncio.sleep(OPEN_FOR_MAX * JITTER + 0.6)
        ended = time.monotonic()

    requests = load.statuses(began, healed).total()
    assert state in {"open", "half-open"}
    assert at_window - before <= 1.2 * requests + 3
    # Open for 0.3 s at least: each time it half-opens the first probe that fails closes the door.
    assert at_end - at_window <= PROBES * ((OUTAGE - WINDOW) / (OPEN_FOR / JITTER) + 1)
    assert set(load.statuses(began + WINDOW, healed)) <= {500, 502, 503}
    assert set(load.statuses(ended - 0.5, ended)) == {200}
    assert load.statuses(ended - 0.5, ended)[200] > 20


@pytest.mark.parametrize("trouble", ["errors", "dead"])
async def test_1_of_3_endpoints_bad(fault_site, trouble):
    """It is found out after five failures; until then a retry may find the budget spent."""
    bad = fault_site.catalogs[2]
    if trouble == "dead":
        bad.kill()
    else:
        bad.break_by({"kind": "error"})
    began = time.monotonic()
    async with Load(fault_site.port, "/v1/trio") as load:
        await asyncio.sleep(1.5 * EJECT_FOR)
    lasted = time.monotonic() - began
    calls = 0 if trouble == "dead" else bad.call_count
    is_ejected = fault_site.gateway.look()["upstreams"]["trio"]["ejected"]
    if trouble == "dead":
        bad.restart()
    bad.heal()
    await until_restored(fault_site)

    statuses, after = load.statuses(), load.statuses(began + EJECT_FOR / 3)
    assert statuses[200] >= 0.95 * statuses.total() > 50
    assert after[200] >= 0.995 * after.total() > 30
    assert is_ejected == 1
    # Those that were under way when it was ejected come on top: one per client at most.
    assert calls <= 5 + 5 + lasted / EJECT_FOR


async def until_restored(fault_site) -> None:
    """Go on asking until the endpoint is in use again, as it will be by itself."""
    async with Load(fault_site.port, "/v1/trio"):
        await until(lambda: not fault_site.gateway.look()["upstreams"]["trio"]["ejected"])
