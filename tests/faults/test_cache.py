"""Caches of gateways in several processes: stored, shared, purged, and good through outages."""

import asyncio
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import pytest

from bff_core.policy.edge.webhook_signature import key_of, sign
from tests.faults.limits import FRESH
from tests.processes.client import Answer, Line, ask
from tests.processes.gateway import Gateway, addresses
from tests.processes.services import Service
from tests.processes.site import Site

CACHE_GATEWAY = "tests.faults.cache_gateway:app"
SECRET = "the-secret-of-the-cache-site"
VIEWER = {"authorization": "Bearer demo-1"}
SLOW = {"kind": "latency", "distribution": {"name": "constant", "seconds": 0.5}}
SLACK = 0.1
"""Seconds that a busy machine may add to what is asserted."""


@dataclass
class CacheSite:
    """The services whose replies are cached, and the gateways that cache them."""

    site: Site
    services: dict[str, Service]

    def environ(self, **more: str) -> dict[str, str]:
        return {
            **addresses(self.services.values()),
            "BFF_PURGE_SECRET": SECRET,
            "BFF_MAX_LAG": "0",
            "BFF_MAX_CONCURRENT": "5000",
            "BFF_BROWNOUT": "false",
            **more,
        }

    @contextmanager
    def serving(self, count: int = 1, **environ: str) -> Iterator[Sequence[Gateway]]:
        """Serve the gateway in so many processes with empty caches."""
        gateways = [self.site.gateway(CACHE_GATEWAY, self.environ(**environ)) for _ in range(count)]
        with self.site.running(*gateways):
            yield gateways


@pytest.fixture(scope="module")
def started(site: Site) -> Iterator[CacheSite]:
    """Start the services once."""
    names = ("catalog", "pricing", "reviews", "users")
    services = {name: site.service(name) for name in names}
    with site.running(*services.values()):
        yield CacheSite(site, services)


@pytest.fixture
def cache_site(started: CacheSite) -> Iterator[CacheSite]:
    """Hand out the services; what a test broke is healed, and nothing was counted before it."""
    for service in started.services.values():
        service.forget()
    yield started
    for service in started.services.values():
        if not service.is_alive:
            service.restart()
        service.heal()


def cache_status(answer: Answer) -> str:
    """Return what the view cache says of an answer."""
    return answer.headers["cache-status"]


async def test_an_answer_is_cached_as_bytes_with_a_status(cache_site):
    """The second request reaches neither composition nor service, and says so."""
    catalog = cache_site.services["catalog"]
    with cache_site.serving() as (gateway,):
        first = await ask(gateway.port, "/v1/titles/1")
        await until_hit(gateway, "/v1/titles/1")
        second = await ask(gateway.port, "/v1/titles/1")

    assert (first.status, second.status) == (200, 200)
    assert second.body == first.body
    assert "fwd=miss; stored" in cache_status(first)
    assert re.fullmatch(r"shelf; hit; ttl=\d+", cache_status(second))
    assert catalog.call_count == 1


async def test_304_from_end_to_end(cache_site):
    """Client and gateway, gateway and service: neither sends what the other has."""
    reviews = cache_site.services["reviews"]
    with cache_site.serving() as (gateway,):
        first = await ask(gateway.port, "/v1/reviews/1")
        known = {"if-none-match": first.headers["etag"]}
        again = [await ask(gateway.port, "/v1/reviews/1", headers=known) for _ in range(3)]
        other = await ask(gateway.port, "/v1/reviews/1", headers={"if-none-match": '"other"'})

    assert [answer.status for answer in again] == [304] * 3
    assert {answer.body for answer in again} == {b""}
    assert {answer.headers["etag"] for answer in again} == {first.headers["etag"]}
    assert (other.status, other.body) == (200, first.body)
    assert reviews.calls["statuses"] == {"200": 1, "304": 4}


async def test_a_cached_answer_is_304_without_any_call(cache_site):
    """A fresh answer is confirmed by its tag alone."""
    with cache_site.serving() as (gateway,):
        first = await ask(gateway.port, "/v1/titles/2")
        known = {"if-none-match": first.headers["etag"]}
        again = await ask(gateway.port, "/v1/titles/2", headers=known)

    assert (again.status, again.body) == (304, b"")
    assert cache_site.services["catalog"].call_count == 1


async def test_two_viewers_never_share(cache_site):
    """Each gets their own, cached as well, and no anonymous caller gets either."""
    users = cache_site.services["users"]
    other = {"authorization": "Bearer demo-2"}
    with cache_site.serving() as (gateway,):
        rounds = [
            [await ask(gateway.port, "/v1/me", headers=headers) for headers in (VIEWER, other, {})]
            for _ in range(3)
        ]

    for mine, theirs, nobodys in rounds:
        assert nobodys.status == 401
        assert mine.body != theirs.body
        assert "no-store" in nobodys.headers["cache-control"]
    assert {answer.body for answer, *_ in rounds} == {rounds[0][0].body}
    assert users.call_count == 2


async def test_a_service_that_is_down_is_answered_for_and_marked(cache_site):
    """Its last good reply serves, `stale` with its age; no cache on the way may store it."""
    pricing = cache_site.services["pricing"]
    with cache_site.serving() as (gateway,):
        first = await ask(gateway.port, "/v1/products/3")
        pricing.kill()
        during = await until_price_is("stale", gateway, "/v1/products/3?_meta=parts")
        pricing.restart()
        await until_price_is("ok", gateway, "/v1/products/3")

    assert during.status == 200
    assert during.parts == {"product": "ok", "price": "stale"}
    assert during.headers["cache-control"] == "private, no-cache"
    assert during.json()["amount"] == first.json()["amount"]
    assert during.json()["_meta"]["parts"]["price"]["age"] >= FRESH


async def until_price_is(state: str, gateway: Gateway, path: str) -> Answer:
    """Ask until the price is in a state; return that answer."""
    ends = time.monotonic() + 15
    while True:
        answer = await ask(gateway.port, path)
        if answer.parts["price"] == state:
            return answer
        assert time.monotonic() < ends, f"the price is {answer.parts['price']}"
        await asyncio.sleep(0.02)


@pytest.mark.needs("redis-server")
async def test_1000_concurrent_misses_over_4_processes(cache_site, redis_server):
    """One of them calls the service for all: they share a Redis, and one lease.

    A process that a busy machine delays may miss Redis, and calls the service once.
    """
    catalog = cache_site.services["catalog"]
    catalog.break_by(SLOW)
    calls = []
    with cache_site.serving(4, BFF_CACHE_URL=redis_server.url) as gateways:
        for product in (41, 42, 43):
            before = catalog.call_count
            path = f"/v1/titles/{product}"
            answers = await asyncio.gather(*(ask(gateways[n % 4].port, path) for n in range(1000)))
            calls.append(catalog.call_count - before)
            assert {answer.status for answer in answers} == {200}
            assert len({answer.body for answer in answers}) == 1

    assert min(calls) == 1
    assert max(calls) <= 4


@pytest.mark.needs("redis-server")
async def test_what_one_process_has_learnt_all_know(cache_site, redis_server):
    """A gateway that has just started calls no service for what others have cached."""
    catalog = cache_site.services["catalog"]
    with cache_site.serving(BFF_CACHE_URL=redis_server.url) as (first,):
        await ask(first.port, "/v1/titles/5")
        with cache_site.serving(BFF_CACHE_URL=redis_server.url) as (second,):
            answer = await ask(second.port, "/v1/titles/5")

    assert answer.status == 200
    assert catalog.call_count == 1


async def until_hit(gateway: Gateway, path: str) -> None:
    """Send requests until an answer is cached: that happens after the first has been sent."""
    ends = time.monotonic() + 15
    while "hit" not in cache_status(await ask(gateway.port, path)):
        assert time.monotonic() < ends, f"{path} is not cached"


def signed(body: bytes) -> dict[str, str]:
    """Return the header fields of a service's message."""
    name, now = b"msg_%d" % time.monotonic_ns(), b"%d" % time.time()
    signature = sign(key_of(SECRET), name, now, body).decode()
    return {
        "webhook-id": name.decode(),
        "webhook-timestamp": now.decode(),
        "webhook-signature": signature,
    }


@pytest.mark.needs("redis-server")
async def test_a_purge_reaches_other_processes_within_100_ms(cache_site, redis_server):
    """A service purges at one gateway; another one forgets as well, though its answer was fresh."""
    catalog = cache_site.services["catalog"]
    body = b'{"tags": ["product:6"]}'
    took = []
    with cache_site.serving(2, BFF_CACHE_URL=redis_server.url) as (purged, other):
        for _ in range(3):
            for gateway in (purged, other):
                await until_hit(gateway, "/v1/titles/6")
            calls = catalog.call_count
            answer = await ask(
                purged.port, "/hooks/purge", method="POST", headers=signed(body), body=body
            )
            began = time.monotonic()
            async with Line(other.port) as line:
                while "hit" in cache_status(await line.ask("/v1/titles/6")):
                    assert time.monotonic() - began < 5
            took.append(time.monotonic() - began)
            assert answer.json()["purged"] == ["product:6"]
            assert catalog.call_count == calls + 1

    assert min(took) <= 0.1


@pytest.mark.needs("curl")
async def test_the_line_of_the_page_purges(cache_site):
    """What docs/how-to/caching.md has services send is heard, word for word."""
    page = (Path(__file__).parents[2] / "docs" / "how-to/caching.md").read_text()
    (script,) = re.findall(r"```text\n(body=.*?)```", page, re.DOTALL)
    with cache_site.serving() as (gateway,):
        await ask(gateway.port, "/v1/titles/42")
        done = await asyncio.to_thread(
            subprocess.run,
            ("bash", "-euc", script),
            env={
                "PATH": "/usr/bin:/bin",
                "BFF_PURGE_SECRET": SECRET,
                "GATEWAY": f"http://127.0.0.1:{gateway.port}",
            },
            capture_output=True,
            text=True,
            check=True,
        )
        after = await ask(gateway.port, "/v1/titles/42")

    assert '"purged": ["product:42"]' in done.stdout
    assert "hit" not in cache_status(after)


@pytest.mark.needs("redis-server")
async def test_redis_stops_under_load_and_no_request_fails(cache_site, redis_server):
    """No error while it is frozen, little delay, and it is used again as soon as it answers."""
    with cache_site.serving(2, BFF_CACHE_URL=redis_server.url) as (gateway, other):
        await load(gateway, seconds=1.0)
        before = await load(gateway, seconds=2.0)
        redis_server.freeze()
        during = await load(gateway, seconds=3.0)
        redis_server.thaw()
        after = await load(gateway, seconds=1.5)
        shared = await until_shared(gateway, other, cache_site.services["catalog"])

    answers = [*before, *during, *after]
    assert {answer.status for answer in answers} == {200}
    assert {state for answer in answers for state in answer.parts.values()} == {"ok"}
    assert p99(during) - p99(before) <= 0.06 + SLACK
    assert shared


async def load(gateway: Gateway, *, seconds: float) -> list[Answer]:
    """Ask for a hundred prices in turn, over a few connections, for some seconds."""
    answers: list[Answer] = []
    ends = time.monotonic() + seconds

    async def client(first: int) -> None:
        async with Line(gateway.port) as line:
            number = first
            while time.monotonic() < ends:
                answers.append(await line.ask(f"/v1/prices/{number % 100 + 1}"))
                number += 7
                await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as tasks:
        for first in range(8):
            tasks.create_task(client(first))
    return answers


def p99(answers: Sequence[Answer]) -> float:
    """Return what 99 of 100 answers took at most (seconds)."""
    return quantiles([answer.seconds for answer in answers], n=100)[98]


async def until_shared(one: Gateway, other: Gateway, service: Service) -> bool:
    """Whether, before long, a process finds in Redis what another one has just put there."""
    for number in range(1000, 1200):
        await ask(one.port, f"/v1/titles/{number}")
        calls = service.call_count
        await ask(other.port, f"/v1/titles/{number}")
        if service.call_count == calls:
            return True
        await asyncio.sleep(0.05)
    return False
