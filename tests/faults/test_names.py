"""Names that no longer resolve, and names that lead elsewhere."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import FAULT_GATEWAY, FaultSite
from tests.faults.limits import LAST_GOOD_FOR, LOOKED_UP_EVERY
from tests.faults.names import HANGS_FOR
from tests.processes.client import Answer, ask
from tests.processes.gateway import UVICORN_ON_ASYNCIO, Gateway

NAME = "catalog.test"
ELSEWHERE = "127.0.0.2"


class Names:
    """The file that the gateway's resolver reads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def say(self, address: str | None) -> None:
        """Let the name stand for an address, for no address, or for a resolver that hangs."""
        changed = self.path.with_suffix(".new")
        changed.write_text("" if address is None else f"{NAME} {address}\n")
        changed.replace(self.path)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Names:
    """Begin with the address of the catalog."""
    names = Names(tmp_path_factory.mktemp("names") / "hosts")
    names.say("127.0.0.1")
    return names


@pytest.fixture(scope="module")
def by_name(started: FaultSite, names: Names) -> Iterator[Gateway]:
    """Serve a gateway that calls the catalog by its name, on a loop whose look-ups are ours."""
    environ = started.environ(
        BFF_UPSTREAM_NAMED=f"http://{NAME}:{started.catalog.port}",
        FAULT_GATEWAY_NAMES=str(names.path),
    )
    with started.site.serving(FAULT_GATEWAY, environ, UVICORN_ON_ASYNCIO) as gateway:
        yield gateway


async def test_dns_failure(by_name, names):
    """The last good address is used for a while; then calls fail fast, and no threads pile up."""
    names.say("127.0.0.1")
    await until_answered(by_name, 200)
    names.say("hangs")
    lost = time.monotonic()
    statuses, last_good = set(), await get_product(by_name)
    while time.monotonic() < lost + LAST_GOOD_FOR - LOOKED_UP_EVERY:
        last_good = await get_product(by_name)
        statuses.add(last_good.status)
    await until_answered(by_name, 502)
    failing_after = time.monotonic() - lost
    many = await asyncio.gather(*(get_product(by_name) for _ in range(100)))
    threads = by_name.threads
    names.say("127.0.0.1")
    await until_answered(by_name, 200)

    assert statuses == {200}
    assert failing_after <= LAST_GOOD_FOR + 2 * (LOOKED_UP_EVERY + HANGS_FOR) + 0.5
    assert {answer.status for answer in many} == {502}
    # One of them may wait for the look-up that is under way, the others have nothing to wait for.
    assert sorted(answer.seconds for answer in many)[-2] <= 0.3
    assert threads <= 4


async def test_dns_address_change(by_name, names, started):
    """A service that moved is called at its new address, without a failure in between."""
    names.say("127.0.0.1")
    await until_answered(by_name, 200)
    statuses = []
    moved = started.site.service("catalog", host=ELSEWHERE, port=started.catalog.port)
    with started.site.running(moved):
        names.say(ELSEWHERE)
        async with asyncio.timeout(5):
            while not moved.call_count:
                statuses.append((await get_product(by_name)).status)
        started.catalog.forget()
        statuses += [(await get_product(by_name)).status for _ in range(20)]
        calls = started.catalog.call_count
        names.say("127.0.0.1")
        while not started.catalog.call_count:
            statuses.append((await get_product(by_name)).status)

    assert calls == 0
    assert set(statuses) == {200}


async def get_product(gateway: Gateway) -> Answer:
    return await ask(gateway.port, "/v1/named/1")


async def until_answered(gateway: Gateway, status: int) -> None:
    """Ask until the answer has a status."""
    async with asyncio.timeout(10):
        while (await get_product(gateway)).status != status:
            continue
