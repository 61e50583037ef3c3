"""Servers with several workers refuse unshared state, and warn once."""

import json

import pytest

from bff_core.settings.model import Settings
from bff_core.startup.processes import PROCESSES, Processes, processes_of
from tests.server.talking import until
from tests.startup.conftest import REDIS

APP = "tests.startup.till:app"
ASGI = ("--interface", "asgi")
KILL_TIMEOUT = ("--workers-kill-timeout", "2")
"""Seconds: a worker of granian that gets SIGTERM while it starts may not end, with any app."""

SERVERS = {
    "ours": (("bff_core", "serve", APP, "--workers", "2"), {}),
    "ours by a variable": (("bff_core", "serve", APP), {"BFF_WORKERS": "2"}),
    "uvicorn": (("uvicorn", APP, "--workers", "2"), {}),
    "uvicorn by a variable": (("uvicorn", APP), {"WEB_CONCURRENCY": "2"}),
    "granian": (("granian", *ASGI, APP, "--workers", "2", *KILL_TIMEOUT), {}),
    "a server that says nothing": (("uvicorn", APP), {"BFF_WORKERS": "2"}),
}


@pytest.mark.parametrize("server", SERVERS)
async def test_several_workers_without_a_shared_store_do_not_start(till, server):
    """With each server the log names the variable, and the server ends."""
    command, environ = SERVERS[server]
    process = till(*command, **environ)

    await until(lambda: not process.is_alive)

    assert "BFF_IDEMPOTENCY_URL is not shared, and the gateway runs in 2" in process.output


async def test_our_own_server_says_it_in_a_line(till):
    """There is one line for all workers, without a traceback."""
    process = till("bff_core", "serve", APP, "--workers", "3")

    await until(lambda: not process.is_alive)

    (line,) = process.output.splitlines()
    assert line.startswith("bff: BFF_IDEMPOTENCY_URL is not shared, and the gateway runs in 3")


@pytest.mark.parametrize(
    ("server", "ready"),
    [("ours", "has started"), ("uvicorn", "startup complete"), ("granian", "Started worker-")],
)
async def test_a_warning_is_logged_once_and_not_by_each_worker(till, server, ready):
    """Both workers serve, and one of them logs the warning."""
    command, _ = SERVERS[server]
    process = till(*command, BFF_IDEMPOTENCY_URL=REDIS).wait_until_ready()
    await until(lambda: process.output.count(ready) == 2)
    await until(lambda: "configuration.warned" in process.output)
    process.stop()

    lines = [json.loads(line) for line in process.output.splitlines() if line.startswith("{")]
    warned = [line["variable"] for line in lines if line["event"] == "configuration.warned"]
    assert warned == ["BFF_LIMITS_URL"]


@pytest.mark.parametrize(
    ("command", "environ"),
    [
        (("bff_core", "serve", APP, "--workers", "1"), {"BFF_WORKERS": "4"}),
        (("uvicorn", APP), {}),
        (("granian", *ASGI, APP), {}),
    ],
)
async def test_one_worker_needs_no_store(till, command, environ):
    """The command line overrides the variable."""
    process = till(*command, **environ).wait_until_ready()

    assert process.is_alive
    assert "configuration.warned" not in process.output


def test_our_server_knows_better_than_the_settings():
    """The number that our server reports is used as it is."""
    values = {PROCESSES: Processes(2, is_first=False)}

    assert processes_of(values, Settings(workers=8)) == Processes(2, is_first=False)
    assert processes_of({}, Settings(workers=8)) == Processes(8)
    assert processes_of({}, Settings()) == Processes(1)
