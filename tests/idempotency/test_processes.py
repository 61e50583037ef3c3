"""Keyed requests over real sockets: gateways that are killed, clients that leave."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator

import pytest

from services_mock.shop import SERVICES
from tests.processes.client import Answer, ask
from tests.processes.gateway import addresses
from tests.processes.process import ForkServer
from tests.processes.services import Service
from tests.processes.site import NOTHING_LISTENS, Site

DESKTOP = "bffs.desktop.app:app"
KEYED = {
    "Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
    "Authorization": "Bearer demo-9",
    "Content-Type": "application/json",
}
PATIENCE = 20.0


@pytest.fixture(scope="module")
def site(fork_server: ForkServer, tmp_path_factory) -> Site:
    """Return where processes are started."""
    return Site(fork_server, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def pricing(site) -> Iterator[Service]:
    """Run the one service that is written to."""
    service = site.service("pricing")
    with site.running(service):
        yield service


@pytest.fixture
def environ(pricing) -> dict[str, str]:
    """Return the settings of a desktop gateway whose other services are away."""
    absent = {f"BFF_UPSTREAM_{name.upper()}": NOTHING_LISTENS for name in SERVICES}
    carts = {"BFF_UPSTREAM_CARTS": NOTHING_LISTENS}
    return absent | carts | addresses([pricing]) | {"BFF_MAX_LAG": "0"}


@pytest.fixture
def change(pricing) -> bytes:
    """Return a batch that sets a price to what it is."""
    variant = pricing.ask("GET", "/prices/42")["variants"][0]
    return json.dumps({"items": [variant]}).encode()


def send(port: int, change: bytes) -> "asyncio.Task[Answer]":
    """Send the batch under its key."""
    path = "/v1/prices/bulk"
    return asyncio.create_task(ask(port, path, method="POST", headers=KEYED, body=change))


async def until(is_true: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    ends = time.monotonic() + PATIENCE
    while not await asyncio.to_thread(is_true):
        assert time.monotonic() < ends, "it did not come to it"
        await asyncio.sleep(0.01)


async def ended(task: "asyncio.Task[Answer]") -> None:
    """Leave without an answer."""
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.needs("redis-server")
async def test_a_killed_gateway_leaves_its_request_to_another(
    site, pricing, environ, change, redis_server
):
    """After the lease a retry executes the request; later ones get that answer."""
    shared = environ | {"BFF_IDEMPOTENCY_URL": redis_server.url}
    one, other = site.gateway(DESKTOP, shared), site.gateway(DESKTOP, shared)
    with site.running(one, other):
        with pricing.fault("hang"):
            lost = send(one.port, change)
            await until(lambda: pricing.calls["active"] == 1)
            one.kill()
        retried = await send(other.port, change)
        again = await send(other.port, change)
        await ended(lost)

    assert (retried.status, retried.json()["done"]) == (207, 1)
    assert "idempotency-replayed" not in retried.headers
    assert again.body == retried.body
    assert again.headers["idempotency-replayed"] == "true"


@pytest.fixture(params=["", pytest.param("redis", marks=pytest.mark.needs("redis-server"))])
def store(request) -> str:
    """Return where answers are stored: in the process, and in Redis."""
    return request.getfixturevalue("redis_server").url if request.param else ""


async def test_a_client_that_disconnects_releases_its_key(site, pricing, environ, change, store):
    """Its calls are cancelled, and a retry executes the request at once."""
    with site.serving(DESKTOP, environ | {"BFF_IDEMPOTENCY_URL": store}) as gateway:
        pricing.forget()
        with pricing.fault("hang"):
            left = send(gateway.port, change)
            await until(lambda: pricing.calls["active"] == 1)
            await ended(left)
            await until(lambda: pricing.calls["aborted"] == 1)
        retried = await send(gateway.port, change)

    assert (retried.status, retried.json()["done"]) == (207, 1)
    assert "idempotency-replayed" not in retried.headers
    assert retried.seconds < 4  # not the lease
