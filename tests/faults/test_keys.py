"""Everything distinct: whatever is remembered by key is bounded."""

import asyncio
import itertools
import os
from collections.abc import Iterator

import pytest

from tests.faults.conftest import FAULT_GATEWAY, FaultSite
from tests.processes.client import Line
from tests.processes.gateway import Gateway
from tests.processes.waiting import settled

KEYS = int(os.environ.get("FAULTS_KEYS", "5000"))
"""How many: a million of them take seven minutes."""

CLIENTS = 8
MIB = 1024 * 1024
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def fresh(started: FaultSite) -> Iterator[Gateway]:
    """Serve a gateway with empty stores."""
    with started.site.serving(FAULT_GATEWAY, started.environ(BFF_LOG="off")) as gateway:
        yield gateway


def distinct(number: int) -> dict:
    """Return a request in which all that could be a key is new."""
    viewer = {"authorization": f"Bearer demo-{number}"}
    names = {
        "user-agent": f"agent/{number}",
        "accept-language": f"x{number}",
        "traceparent": f"00-{number + 1:032x}-{number + 1:016x}-01",
        "x-request-id": f"request-{number}",
        "origin": f"https://{number}.example",
        f"x-{number}": "new",
    }
    text = b'{"text": "%d"}' % number
    body = {"method": "POST", "body": text}
    kinds = (
        {"path": f"/v1/products/x{number}", "headers": names},
        {"path": f"/v1/me?q={number}", "headers": names | viewer},
        {"path": f"/nowhere/{number}", "headers": names | viewer},
        {"path": "/v1/me", "headers": names | {"host": f"{number}.example"}},
        {"path": "/v1/me", "headers": {"authorization": f"Bearer wrong-{number}"}},
        {"path": "/v1/me", "method": f"M{number}", "headers": names},
        {
            "path": "/v1/echo",
            **body,
            "headers": JSON | names | viewer | {"idempotency-key": f'"key-{number}"'},
        },
        {"path": "/v1/echo", **body, "headers": names | {"content-type": f"application/x{number}"}},
    )
    return kinds[number % len(kinds)]


async def ask_all(gateway: Gateway, numbers: Iterator[int]) -> set[int]:
    """Send a round of distinct requests; return the statuses."""

    async def client() -> set[int]:
        async with Line(gateway.port) as line:
            return {
                (await line.ask(**distinct(number))).status
                for number in itertools.islice(numbers, KEYS // 2 // CLIENTS)
            }

    return set().union(*await asyncio.gather(*(client() for _ in range(CLIENTS))))


async def test_10_6_distinct_keys_users_hosts_label_values(fault_site, fresh):
    """Scaled to thousands: the second half takes no more memory than noise."""
    numbers = itertools.count(1)
    statuses = await ask_all(fresh, numbers)
    await settled(fresh)
    half = fresh.memory
    await ask_all(fresh, numbers)
    state = await settled(fresh)
    grown = fresh.memory - half

    assert statuses <= {200, 400, 401, 404, 405, 415, 422}
    assert grown <= 4 * MIB
    assert fresh.peak_memory <= 150 * MIB
    assert (state["flights"], state["requests"]) == (0, 0)
