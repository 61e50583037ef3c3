"""Services of a gateway with several workers: states are merged, actions reach all of them."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.console.conftest import CHANGE
from tests.processes.process import ForkServer, Process
from tests.processes.services import answers
from tests.server.conftest import free_port
from tests.server.talking import until

TOKEN = "the-operator-s-own-token"
BEARER = {"authorization": f"Bearer {TOKEN}"}
CONSOLE = "/console/api/upstreams/reviews"


class Rated(Process):
    """A gateway with two workers, whose service is at two closed ports."""

    def __init__(self, fork_server: ForkServer, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        self.addresses = [f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"]
        super().__init__(
            fork_server,
            *("bff_core", "serve", "tests.console.rated:app", "--workers", "2"),
            *("--port", str(self.port)),
            log=folder / "log",
            environ={
                "BFF_ENV": "production",
                "BFF_CONSOLE": "on",
                "BFF_OPERATOR_TOKEN": TOKEN,
                "BFF_DRAIN_DELAY": "0",
                "BFF_UPSTREAM_REVIEWS": ",".join(f"http://{one}" for one in self.addresses),
                "TMPDIR": str(folder),
            },
            is_ready=lambda: answers(self.port, "/readyz"),
        )

    async def until_complete(self) -> None:
        """Wait until both workers serve commands."""
        await until(lambda: len([*self.folder.glob("bff-*/*.sock")]) == 2)

    def client(self) -> httpx.AsyncClient:
        """Return an operator's client, each of whose requests may reach another worker."""
        limits = httpx.Limits(max_keepalive_connections=0)
        url = f"http://127.0.0.1:{self.port}"
        return httpx.AsyncClient(base_url=url, headers=BEARER, limits=limits)

    @property
    def acted(self) -> list[dict[str, object]]:
        """The entries of the audit log."""
        lines = (json.loads(line) for line in (self.folder / "log").read_text().splitlines())
        return [line for line in lines if line.get("event") == "operator.acted"]


@pytest.fixture(scope="module")
def rated(fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rated]:
    """Serve the gateway."""
    process = Rated(fork_server, tmp_path_factory.mktemp("rated"))
    yield process.start().wait_until_ready()
    process.kill()


async def test_counts_of_all_workers_are_merged(rated):
    """The calls that failed are the sum of those of both, and each has its own layers."""
    await rated.until_complete()
    async with rated.client() as client:
        for _ in range(16):
            await client.get("/product")
        row = (await client.get("/console/api/upstreams")).json()["rows"][0]
        page = (await client.get(CONSOLE)).json()

    counts = [
        int(layer["now"].partition(" ")[0])
        for process in page["processes"]
        for layer in process["layers"]
        if layer["layer"] == "breaker" and "failed" in layer["now"]
    ]
    assert (row["failed"], row["window"]) == (16, 16)
    assert sum(counts) == 16
    assert row["permits"] == 200
    assert [one["address"] for one in row["endpoints"]] == sorted(rated.addresses)


async def test_an_action_reaches_all_workers(rated):
    """Both open the circuit, the page shows both, and the console closes it in both."""
    await rated.until_complete()
    async with rated.client() as client:
        body = {"upstream": "reviews", "seconds": 60}
        opened = await client.post("/operator/upstreams/open", json=body)
        page = (await client.get(CONSOLE)).json()
        shown = [await client.get("/product") for _ in range(20)]
        closed = await client.post(
            f"{CONSOLE}/actions", json={"action": "close"}, headers={**BEARER, **CHANGE}
        )
        row = (await client.get("/console/api/upstreams")).json()["rows"][0]

    assert opened.json()["action"] == "Opened the circuit for 60 s in 2 of 2 processes."
    breakers = [
        layer["now"]
        for process in page["processes"]
        for layer in process["layers"]
        if layer["layer"] == "breaker"
    ]
    assert len({one["pid"] for one in page["processes"]}) == 2
    assert all(one.startswith("open by an operator, ") for one in breakers)
    assert all("reason=circuit_open" in one.headers["part-status"] for one in shown)
    assert closed.json()["text"] == "rated: Closed the circuit in 2 of 2 processes."
    assert row["breaker"] == "closed"
    assert [(one["actor"], one["subject"]) for one in rated.acted] == [("operator", "reviews")] * 2


async def test_a_worker_that_started_since_does_not_know_of_an_action(rated):
    """The page says in how many processes the circuit is open; to open it again reaches all."""
    await rated.until_complete()
    async with rated.client() as client:
        act = {"url": f"{CONSOLE}/actions", "json": {"action": "open"}, "headers": CHANGE}
        await client.post(**act)
        before = (await client.get(CONSOLE)).json()
        first, _ = (one["pid"] for one in before["processes"])
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(10.0):
            page = before
            while {first} & {one["pid"] for one in page["processes"]} or len(page["processes"]) < 2:
                page = (await client.get(CONSOLE)).json()
        again = (await client.post(**act)).json()
        every = (await client.get(CONSOLE)).json()

    said = "n operator opened its circuit"
    assert before["headline"]["text"].endswith(f"{said}.")
    assert page["headline"]["text"].endswith(f"{said} on rated, in 1 of 2 processes.")
    assert page["actions"][0]["note"].startswith("Not open in all processes: open it again")
    assert again["lines"] == ["rated: Opened the circuit for 60 s in 2 of 2 processes."]
    assert every["headline"]["text"].endswith(f"{said}.")
