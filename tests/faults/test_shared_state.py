"""Redis is down, paused or slow: what needs it says so at once, and nothing else notices."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.conftest import FAULT_GATEWAY, FaultSite
from tests.faults.limits import QUOTA
from tests.processes.client import Answer, ask
from tests.processes.gateway import Gateway
from tests.redis_server import RedisServer
from tests.slow_path import SlowRoad

pytestmark = pytest.mark.needs("redis-server")

WITHIN = 0.05
"""Seconds that a request may lose by a Redis that does not answer."""

KEYED_WITHIN = 0.25
"""Seconds that a request with a key waits for Redis: a write is worth a little patience."""

SLOW = 0.4
"""Seconds that each piece takes on a slow road, in each direction."""

SLACK = 0.1
JSON = {"content-type": "application/json"}


@pytest.fixture
def road(redis_server: RedisServer) -> Iterator[SlowRoad]:
    """Lead to Redis."""
    with SlowRoad(redis_server.port) as road:
        yield road


@pytest.fixture
def shared(fault_site: FaultSite, road: SlowRoad) -> Iterator[Gateway]:
    """Serve a gateway whose shared state is in Redis."""
    url = f"redis://127.0.0.1:{road.port}/0"
    environ = fault_site.environ(BFF_LIMITS_URL=url, BFF_IDEMPOTENCY_URL=url)
    with fault_site.site.serving(FAULT_GATEWAY, environ) as gateway:
        yield gateway


async def keyed(gateway: Gateway, key: str) -> Answer:
    """Do something once."""
    headers = {**JSON, "authorization": "Bearer demo-1", "idempotency-key": f'"{key}"'}
    return await ask(
        gateway.port, "/v1/echo", method="POST", headers=headers, body=b'{"text": "twice"}'
    )


@contextmanager
def troubled(trouble: str, redis_server: RedisServer, road: SlowRoad) -> Iterator[None]:
    """Let something be wrong with Redis, or with the road there."""
    begin, end = {
        "paused": (redis_server.freeze, redis_server.thaw),
        "down": (redis_server.kill, redis_server.start),
        "slow": (lambda: road.slow_down(SLOW), lambda: road.slow_down(0.0)),
    }[trouble]
    begin()
    yield
    end()


REFUSING = {
    "forbidden": (
        ("ACL", "SETUSER", "default", "-eval", "-evalsha"),
        ("ACL", "SETUSER", "default", "+@all"),
    ),
    "read-only": (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    "full": (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
}
"""What makes Redis refuse a gateway's commands, and what ends that."""


@pytest.mark.parametrize("trouble", REFUSING)
async def test_a_redis_that_refuses_is_as_good_as_down(shared, redis_server, trouble):
    """No 500 and no traceback: keys are refused with a 503, limits are counted here; and back."""
    begin, end = REFUSING[trouble]
    first = await keyed(shared, "before")
    assert redis_server.order(*begin) == b"+OK"
    page = await ask(shared.port, "/v1/products/1")
    refused = [await keyed(shared, f"during-{number}") for number in range(4)]
    here = [await ask(shared.port, "/v1/limited") for _ in range(QUOTA + 1)]
    assert redis_server.order(*end) == b"+OK"
    again = await keyed(shared, "after")

    assert (first.status, page.status, again.status) == (200, 200, 200)
    assert {answer.status for answer in refused} == {503}
    assert all(answer.headers["retry-after"].isdigit() for answer in refused)
    assert [answer.status for answer in here] == [200] * QUOTA + [429]
    assert [line["reason"] for line in shared.events("store.refused")] != []
    assert shared.events("exception.unhandled") == []
    assert "Traceback" not in shared.output


@pytest.mark.parametrize("trouble", ["paused", "down", "slow"])
async def test_redis_down_paused_slow(shared, redis_server, road, trouble):
    """Limits are counted here, keys are refused with a 503, pages are as ever; and back again."""
    first = await keyed(shared, "before")
    counted = [await ask(shared.port, "/v1/limited") for _ in range(2)]
    with troubled(trouble, redis_server, road):
        pages = [await ask(shared.port, "/v1/products/1") for _ in range(3)]
        refused = [await keyed(shared, f"during-{number}") for number in range(4)]
        here = [await ask(shared.port, "/v1/limited") for _ in range(QUOTA + 1)]
    async with asyncio.timeout(10):
        while (again := await keyed(shared, "after")).status != 200:
            continue
    replayed = await keyed(shared, "after")

    assert [answer.status for answer in (first, *counted, *pages)] == [200] * 6
    assert {answer.status for answer in refused} == {503}
    assert all(answer.headers["retry-after"].isdigit() for answer in refused)
    assert [answer.status for answer in here] == [200] * QUOTA + [429]
    assert max(answer.seconds for answer in (*pages, *here)) <= WITHIN + SLACK
    assert max(answer.seconds for answer in refused) <= KEYED_WITHIN + SLACK
    assert (again.status, replayed.headers.get("idempotency-replayed")) == (200, "true")
    assert [line["state"] for line in shared.events("store.changed")][-1] == "closed"
