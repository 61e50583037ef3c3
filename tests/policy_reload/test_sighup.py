"""SIGHUP to a gateway that serves: over real sockets, under load."""

import asyncio
import signal
from collections import Counter
from pathlib import Path
from typing import Self

import pytest

from tests.processes.client import Line, ask
from tests.processes.gateway import UVICORN_ON_ASYNCIO, Gateway, addresses
from tests.processes.services import Service
from tests.processes.site import Site
from tests.processes.waiting import until

APP = "tests.policy_reload.serve:app"
MEMBER = "/members/1"


@pytest.fixture
def users(site: Site):
    """Run the service."""
    service = site.service("users")
    with site.running(service):
        yield service


class PolicyFile:
    """The policy file of an operator, empty at first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.say("")

    def say(self, text: str) -> None:
        """Write another content."""
        self.path.write_text(text)

    def remove(self) -> None:
        """Delete the file."""
        self.path.unlink()


@pytest.fixture
def file(tmp_path: Path) -> PolicyFile:
    """Return the file of one test."""
    return PolicyFile(tmp_path / "policies.toml")


def slow(seconds: float) -> dict[str, object]:
    """Return the fault of a service with this latency."""
    return {"kind": "latency", "distribution": {"name": "constant", "seconds": seconds}}


def club(site: Site, users: Service, file: PolicyFile, **environ: str) -> Gateway:
    """Return a gateway that is not started yet."""
    settings = {**addresses([users]), "BFF_POLICIES": str(file.path), "BFF_MAX_LAG": "0"}
    return site.gateway(APP, {**settings, "BFF_RELOAD_ON_CHANGE": "false", **environ})


async def hang_up(gateway: Gateway, event: str, count: int = 1) -> None:
    """Send SIGHUP, and wait until the log has so many more lines about it."""
    expected = len(gateway.events(event)) + count
    gateway.signal(signal.SIGHUP)
    await until(lambda: len(gateway.events(event)) >= expected)


class Load:
    """Clients that send requests in a loop, and record the answers."""

    def __init__(self, gateway: Gateway, clients: int) -> None:
        self.statuses: Counter[int] = Counter()
        self._gateway = gateway
        self._clients = clients
        self._is_over = False

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._go_on()) for _ in range(self._clients)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True
        await asyncio.gather(*self._tasks)

    async def _go_on(self) -> None:
        async with Line(self._gateway.port) as line:
            while not self._is_over:
                self.statuses[(await line.ask(MEMBER)).status] += 1

    async def goes_on(self) -> None:
        """Wait until each client has a few more answers."""
        enough = self.statuses.total() + 5 * self._clients
        await until(lambda: self.statuses.total() >= enough, within=20)


async def test_a_timeout_changes_under_load_without_a_failed_request(
    site: Site, users: Service, file: PolicyFile
) -> None:
    """Requests in flight end with the old policy, later ones use the new one."""
    users.break_by(slow(0.05))
    gateway = club(site, users, file)
    with site.running(gateway):
        async with Load(gateway, 20) as load:
            for timeout in (4.0, 3.0, 4.0, 2.0):
                await load.goes_on()
                file.say(f"[users]\ntimeout = {timeout}")
                await hang_up(gateway, "policies.changed")
            await load.goes_on()
        users.break_by(slow(1.0))
        before = await ask(gateway.port, MEMBER)
        file.say("[users]\ntimeout = 0.2")
        await hang_up(gateway, "policies.changed")
        after = await ask(gateway.port, MEMBER)
        await until(lambda: gateway.look()["upstreams"]["users"]["active"] == 0)
        # Those of the five stacks before close when they have been idle for four seconds.
        await until(lambda: gateway.files[f"tcp {users.port} 01"] <= 1, within=15.0)
    changes = [event["changes"] for event in gateway.events("policies.changed")]

    assert set(load.statuses) == {200}
    assert changes[-1] == ["users.timeout: 2.0 -> 0.2"]
    assert (before.status, after.status) == (200, 504)
    assert after.seconds < 0.9


async def test_a_broken_file_changes_nothing(site: Site, users: Service, file: PolicyFile) -> None:
    """The gateway uses the same connection, and logs the mistake."""
    gateway = club(site, users, file)
    with site.running(gateway):
        async with Load(gateway, 5) as load:
            await load.goes_on()
            for text in ("[users]\ntimout = 1", "[users"):
                file.say(text)
                await hang_up(gateway, "policies.refused")
            file.remove()
            await hang_up(gateway, "policies.refused")
            await load.goes_on()
        alive = gateway.is_alive
    reasons = [event["reason"] for event in gateway.events("policies.refused")]

    assert set(load.statuses) == {200}
    assert alive
    assert "users.timout is no option: did you mean timeout?" in reasons[0]
    assert gateway.events("policies.changed") == []


async def test_each_worker_reads_the_file(site: Site, users: Service, file: PolicyFile) -> None:
    """The supervisor passes the signal on."""
    gateway = club(site, users, file, BFF_WORKERS="2")
    with site.running(gateway):
        file.say("[users]\ntimeout = 3.0")
        await hang_up(gateway, "policies.changed", count=2)

        assert (await ask(gateway.port, MEMBER)).status == 200


async def test_workers_change_together_or_not_at_all(
    site: Site, users: Service, file: PolicyFile
) -> None:
    """A file that only one of two workers can read is refused by both."""
    gateway = club(site, users, file, BFF_WORKERS="2", REFUSES_IN_WORKER="2")
    with site.running(gateway):
        await until(lambda: len(gateway.events("server.started")) == 2)
        file.say("[users]\ntimeout = 3.0")
        await hang_up(gateway, "policies.refused")
        await until(lambda: len(gateway.events("reload.skipped")) == 1)
    skipped = gateway.events("reload.skipped")[0]["reason"]

    assert skipped == "another worker refused: worker 2 has no transport for that"
    assert gateway.events("policies.changed") == []


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_changed_file_is_read_without_a_signal(
    site: Site, users: Service, file: PolicyFile, workers: str
) -> None:
    """Within two seconds, by each worker; a wrong file changes nothing until it is mended."""
    gateway = club(site, users, file, BFF_WORKERS=workers, BFF_RELOAD_ON_CHANGE="true")
    with site.running(gateway):
        await until(lambda: len(gateway.events("server.started")) == int(workers))
        file.say("[users]\ntimeout = what")
        await until(lambda: len(gateway.events("policies.refused")) >= int(workers))
        file.say("[users]\ntimeout = 3.0")
        await until(lambda: len(gateway.events("policies.changed")) >= int(workers))
    changes = [event["changes"] for event in gateway.events("policies.changed") if event["changes"]]

    assert changes == [["users.timeout: 5.0 -> 3.0"]] * int(workers)


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_hangup_without_a_file_ends_no_process(
    site: Site, users: Service, workers: str
) -> None:
    """SIGHUP to a gateway without a policy file does not end it."""
    gateway = site.gateway(APP, {**addresses([users]), "BFF_WORKERS": workers})
    with site.running(gateway):
        await until(lambda: len(gateway.events("server.started")) == int(workers))
        await hang_up(gateway, "reload.skipped", count=int(workers))
        answer = await ask(gateway.port, MEMBER)
        alive = gateway.is_alive
    reasons = {event["reason"] for event in gateway.events("reload.skipped")}

    assert (answer.status, alive) == (200, True)
    assert reasons == {"neither BFF_POLICIES nor BFF_PROXY is set: nothing to reload"}
    assert gateway.events("worker.ended") == []


async def test_a_hangup_to_another_server_is_that_server_s(
    site: Site, users: Service, file: PolicyFile
) -> None:
    """Uvicorn handles no SIGHUP, and by default that signal ends a process."""
    environ = {**addresses([users]), "BFF_POLICIES": str(file.path)}
    gateway = site.gateway(APP, environ, server=UVICORN_ON_ASYNCIO)
    with site.running(gateway):
        gateway.signal(signal.SIGHUP)
        gateway.wait_for_end()

    assert gateway.events("policies.changed") == []


async def test_a_wrong_file_is_a_line_and_no_gateway(
    site: Site, users: Service, file: PolicyFile
) -> None:
    """The operator gets one line that says what to write instead."""
    file.say("[users.retry]\natempts = 1")
    gateway = club(site, users, file).start()
    gateway.wait_for_end()

    assert "users.retry.atempts is no option: did you mean attempts?" in gateway.output
    assert "Traceback" not in gateway.output
