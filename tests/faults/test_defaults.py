"""What the defaults promise of single calls, as a client of a gateway sees it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.faults.conftest import FAULT_GATEWAY, FaultSite
from tests.faults.limits import CONCURRENT, QUEUE
from tests.faults.raw_service import answering
from tests.processes.client import Answer, Line, ask, raw, rendered
from tests.processes.gateway import Gateway
from tests.processes.ports import free_port
from tests.processes.waiting import settled, until

VIEWER = {"authorization": "Bearer demo-1"}
MIB = 1024 * 1024
PATIENCE = 0.6
"""Seconds that a gateway with little patience gives each request."""

PRODUCT = b'{"id": "1", "title": "Hi"}'


@dataclass(frozen=True)
class Odd:
    """A gateway with little patience, and the port of a service that a test plays itself."""

    gateway: Gateway
    port: int

    async def ask_service_that_answers(self, response: bytes) -> tuple[Answer, int]:
        """Return the client's answer, and how many requests the service got."""
        requests: list[str] = []
        async with answering(response, requests, self.port):
            return await ask(self.gateway.port, "/v1/named/1"), len(requests)


@pytest.fixture(scope="module")
def odd(started: FaultSite) -> Iterator[Odd]:
    """Serve a gateway over a service that is yet to be played."""
    port = free_port()
    environ = started.environ(
        BFF_UPSTREAM_NAMED=f"http://127.0.0.1:{port}", BFF_TIMEOUT=str(PATIENCE)
    )
    with started.site.serving(FAULT_GATEWAY, environ) as gateway:
        yield Odd(gateway, port)


@pytest.mark.parametrize(("wish", "ends_at"), [("9999", PATIENCE), ("0.2", 0.2)])
async def test_a_timeout_is_shortened_by_its_client_never_extended(fault_site, odd, wish, ends_at):
    """A client may have less patience than the gateway, and can't give it more."""
    with fault_site.users.fault("hang"):
        headers = {**VIEWER, "request-timeout": wish}
        answer = await ask(odd.gateway.port, "/v1/me", headers=headers)

    assert answer.status == 504
    assert ends_at * 0.9 <= answer.seconds <= ends_at + 0.25


async def test_retry_after_is_obeyed(fault_site):
    """A Retry-After of a second is waited for; after one of a minute there is no retry."""
    with fault_site.users.fault("unavailable", retry_after=1, times=1):
        soon = await ask(fault_site.port, "/v1/me", headers=VIEWER)
    fault_site.users.forget()
    with fault_site.users.fault("unavailable", retry_after=60):
        late = await ask(fault_site.port, "/v1/me", headers=VIEWER)
        attempts = fault_site.users.call_count

    assert (soon.status, late.status) == (200, 503)
    assert 1.0 <= soon.seconds <= 1.8
    assert late.seconds <= 0.3
    assert int(late.headers["retry-after"]) > 30
    assert attempts == 1


async def test_cancels_and_4xx_open_no_circuit(fault_site):
    """What clients do, and what is not there, says nothing about a service."""
    async with Line(fault_site.port) as line:
        missing = {(await line.ask(f"/v1/storm/x{number}")).status for number in range(60)}
    fault_site.pricing.break_by(
        {"kind": "latency", "distribution": {"name": "constant", "seconds": 0.5}}
    )
    await asyncio.gather(*(leave(fault_site.port, f"/v1/storm/{number}") for number in range(60)))
    fault_site.pricing.heal()
    await settled(fault_site.gateway)
    state = fault_site.gateway.look()["upstreams"]["storm"]
    answer = await ask(fault_site.port, "/v1/storm/1")

    assert missing == {404}
    assert state["breaker"] == "closed"
    assert answer.status == 200


async def leave(port: int, path: str) -> None:
    """Ask, and leave while the service thinks."""
    async with raw(port) as (_, writer):
        writer.write(rendered(path))
        await asyncio.sleep(0.15)


async def test_a_bulkhead_bounds_what_a_service_gets_at_once(fault_site):
    """So many calls are under way, so many wait, and all others are refused at once."""
    beyond = 20
    fault_site.pricing.freeze()
    sent = [
        asyncio.create_task(ask(fault_site.port, f"/v1/storm/{1 + number}"))
        for number in range(CONCURRENT + QUEUE + beyond)
    ]
    await until(lambda: sum(task.done() for task in sent) >= beyond)
    state = fault_site.gateway.look()["upstreams"]["storm"]
    refused = [task.result() for task in sent if task.done()]
    fault_site.pricing.thaw()
    answers = await asyncio.gather(*sent)

    assert (state["permits"], state["queued"]) == (CONCURRENT, QUEUE)
    assert {answer.status for answer in refused} == {503}
    assert [answer.json()["code"] for answer in refused] == ["bulkhead_full"] * len(refused)
    assert sum(answer.status == 200 for answer in answers) == CONCURRENT + QUEUE


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "oversized", "bytes": 64 * MIB},
        {"kind": "gzip_bomb", "decoded_bytes": 256 * MIB},
    ],
    ids=["oversized", "gzip bomb"],
)
async def test_answers_of_services_are_capped(fault_site, fault):
    """Eight MiB of a body are taken, unpacked, and no more; it costs no memory that stays."""
    await ask(fault_site.port, "/v1/me", headers=VIEWER)
    memory = fault_site.gateway.memory
    with fault_site.users.fault(**fault):
        answer = await ask(fault_site.port, "/v1/me", headers=VIEWER)

    assert (answer.status, answer.json()["code"]) == (502, "bad_payload")
    assert fault_site.gateway.memory - memory <= 24 * MIB


LENGTHY = b"X-Long: " + b"a" * 70_000 + b"\r\n"
MANY = b"".join(b"X-%d: a\r\n" % number for number in range(200))


@pytest.mark.parametrize("fields", [LENGTHY, MANY], ids=["64 KiB", "128 fields"])
async def test_headers_of_services_are_capped(odd, fields):
    """An answer with a head beyond all measure is none."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n"
    whole, _ = await odd.ask_service_that_answers(head + b"\r\n" + PRODUCT)
    answer, _ = await odd.ask_service_that_answers(head + fields + b"\r\n" + PRODUCT)

    assert (whole.status, answer.status) == (200, 502)


async def test_redirects_are_not_followed(odd):
    """A service can't make the gateway call somebody else."""
    elsewhere: list[str] = []
    async with answering(b"", elsewhere) as port:
        place = f"http://127.0.0.1:{port}/secret".encode()
        redirect = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + place + b"\r\n\r\n"
        answer, requests = await odd.ask_service_that_answers(redirect)

    assert answer.status == 502
    assert "location" not in answer.headers
    assert (requests, elsewhere) == (1, [])


async def test_when_all_endpoints_are_bad_all_are_used(fault_site):
    """With all ejected, all are used again, and the first that works answers."""
    for service in fault_site.catalogs:
        service.break_by({"kind": "error"})
    async with Line(fault_site.port) as line:
        for number in range(12):
            await line.ask(f"/v1/trio/{80 + number}")
        for service in fault_site.catalogs:
            service.heal()
        statuses = [(await line.ask(f"/v1/trio/{180 + number}")).status for number in range(10)]

    assert statuses == [200] * 10
