"""Parts whose service is slow, dead or garbage: what is optional goes missing, in time."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.limits import CALL_TIMEOUT, PART_TIMEOUT
from tests.processes.client import Answer, ask
from tests.processes.services import Service

SLACK = 0.05
"""What the promise allows on top of a timeout (seconds)."""

SLOW = {"kind": "latency", "distribution": {"name": "constant", "seconds": 3.0}}


@contextmanager
def dead(service: Service) -> Iterator[None]:
    service.kill()
    yield
    service.restart()


@contextmanager
def frozen(service: Service) -> Iterator[None]:
    service.freeze()
    yield
    service.thaw()


TROUBLES = {
    "slow": lambda service: service.fault(**SLOW),
    "hanging": lambda service: service.fault("hang"),
    "frozen": frozen,
    "dead": dead,
    **{
        f"garbage-{flavour}": lambda service, flavour=flavour: service.fault(
            "garbage", flavour=flavour
        )
        for flavour in ("syntax", "cut", "nan", "deep", "shape", "html", "charset", "empty")
    },
}


async def quickest(port: int, path: str, rounds: int = 3) -> Answer:
    """Return the quickest of a few answers: others' load on the machine only ever adds."""
    return min([await ask(port, path) for _ in range(rounds)], key=lambda answer: answer.seconds)


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_optional_part_slow_dead_or_garbage(fault_site, trouble):
    """The page is there without it, says so, and took no longer than the part may."""
    with TROUBLES[trouble](fault_site.reviews):
        answer = await quickest(fault_site.port, "/v1/products/1")

    assert answer.status == 200
    assert answer.json() == {"title": answer.json()["title"], "reviews": []}
    assert answer.parts == {"product": "ok", "reviews": "fallback"}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.seconds <= PART_TIMEOUT + SLACK


async def test_critical_part_slow(fault_site):
    """The page fails in time with problem details, and the service's work is called off."""
    with fault_site.catalog.fault(**SLOW):
        answer = await quickest(fault_site.port, "/v1/products/2", rounds=1)
        ended = time.monotonic()
        while fault_site.catalog.calls["active"]:
            assert time.monotonic() < ended + 5, "the call goes on"
            await asyncio.sleep(0.001)
        cancelled_after = time.monotonic() - ended
        calls = fault_site.catalog.calls

    assert answer.status == 504
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "timeout"
    assert answer.json()["trace_id"]
    assert answer.seconds <= CALL_TIMEOUT + 2 * SLACK
    assert calls["aborted"] == calls["total"] == 1
    assert cancelled_after <= SLACK
