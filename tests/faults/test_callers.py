"""Clients that leave, and clients that all want the same."""

import asyncio
import random
import time

from tests.processes.client import Line, ask, raw, rendered
from tests.processes.waiting import settled, until

SLOW = {"kind": "latency", "distribution": {"name": "constant", "seconds": 5.0}}
VIEWER = {"authorization": "Bearer demo-1"}


async def test_client_disconnects_during_a_fan_out(fault_site):
    """Its calls to three services are cancelled there within 100 ms."""
    services = (
        fault_site.catalogs[0],
        fault_site.catalogs[1],
        fault_site.pricing,
        fault_site.users,
    )
    for service in services:
        service.break_by(SLOW)
    async with raw(fault_site.port) as (_, writer):
        writer.write(rendered("/v1/fan/1", headers=VIEWER))
        await until(lambda: sum(service.calls["active"] for service in services) == 3)
    left = time.monotonic()
    await until(lambda: not any(service.calls["active"] for service in services))
    called_off_after = time.monotonic() - left
    calls = [service.calls for service in services]

    assert called_off_after <= 0.1
    assert sum(one["aborted"] for one in calls) == sum(one["total"] for one in calls) == 3


async def test_a_flight_that_others_wait_for_goes_on(fault_site):
    """The first client leaves while a second wants the same: the second gets its answer."""
    path = "/v1/patient/31"
    fault_site.catalog.freeze()
    async with raw(fault_site.port) as (_, writer):
        writer.write(rendered(path))
        await until(lambda: fault_site.gateway.look()["requests"] == 1)
        second = asyncio.create_task(ask(fault_site.port, path))
        await until(lambda: fault_site.gateway.look()["requests"] == 2)
    await until(lambda: fault_site.gateway.look()["requests"] == 1)
    fault_site.catalog.thaw()
    answer = await second

    assert answer.status == 200
    assert fault_site.catalog.call_count <= 2


async def test_1000_cancelled_requests_then_normal_load(fault_site):
    """Clients that leave at any moment hold no resource, and later clients are not affected."""
    await asyncio.gather(*(ask(fault_site.port, f"/v1/products/{n}") for n in range(1, 20)))
    baseline = await settled(fault_site.gateway)
    chance = random.Random(1000)
    for start in range(0, 1000, 100):
        await asyncio.gather(
            *(leave(fault_site.port, start + n, chance.random()) for n in range(100))
        )
    async with Line(fault_site.port) as line:
        statuses = [(await line.ask(f"/v1/products/{number}")).status for number in range(1, 101)]
    after = await settled(fault_site.gateway)

    assert statuses == [200] * 100
    for held in ("requests", "tasks", "flights", "permits", "queued", "active", "waiting"):
        assert after[held] <= baseline[held], held
    assert after["idle"] <= 100 * len(after["upstreams"])


async def leave(port: int, number: int, moment: float) -> None:
    """Ask for something, and leave a few milliseconds later, perhaps before all was sent."""
    path = ("/v1/products", "/v1/pair", "/v1/trio")[number % 3]
    request = rendered(f"{path}/{number + 1}")
    async with raw(port) as (_, writer):
        writer.write(request if moment > 0.1 else request[: len(request) // 2])
        await asyncio.sleep(moment * 0.03)


async def test_1000_concurrent_identical_reads(fault_site):
    """A thousand clients want one product: the service gets one call."""
    fault_site.catalog.freeze()
    reading = [asyncio.create_task(ask(fault_site.port, "/v1/patient/41")) for _ in range(1000)]
    await until(lambda: fault_site.gateway.look()["requests"] == 1000, within=20)
    fault_site.catalog.thaw()
    answers = await asyncio.gather(*reading)

    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert fault_site.catalog.call_count == 1


async def test_a_failure_of_identical_reads_is_shared_once(fault_site):
    """All get the failure, and none of them causes another call."""
    with fault_site.catalog.fault("reset", fraction=0.5):
        fault_site.catalog.freeze()
        reading = [asyncio.create_task(ask(fault_site.port, "/v1/patient/42")) for _ in range(100)]
        await until(lambda: fault_site.gateway.look()["requests"] == 100)
        fault_site.catalog.thaw()
        answers = await asyncio.gather(*reading)
        calls = fault_site.catalog.call_count

    assert {answer.status for answer in answers} == {502}
    assert calls == 1


async def test_one_waiter_that_leaves_fails_no_other(fault_site):
    """Half of the clients leave, the first among them; the others get what they wanted."""
    fault_site.catalog.freeze()
    reading = [asyncio.create_task(ask(fault_site.port, "/v1/patient/43")) for _ in range(100)]
    await until(lambda: fault_site.gateway.look()["requests"] == 100)
    for leaver in reading[:50]:
        leaver.cancel()
    await until(lambda: fault_site.gateway.look()["requests"] == 50)
    fault_site.catalog.thaw()
    answers = await asyncio.gather(*reading[50:])

    assert {answer.status for answer in answers} == {200}
    assert fault_site.catalog.call_count <= 51
