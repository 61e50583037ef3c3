"""The garbage collector of a process that our own server runs."""

import gc

import pytest

from bff_core.server.gc import tuned_collector
from bff_core.settings.model import Settings
from tests.processes.client import ask
from tests.processes.process import Process
from tests.processes.services import answers
from tests.server.conftest import free_port

PROBE = "tests.server.gc_probe:app"


async def test_our_own_server_collects_less_often(depot):
    """Without any set-up."""
    process = depot(app=PROBE)

    assert int((await ask(process.port, "/threshold")).body) == 20_000


async def test_the_setting_leaves_the_collector_alone(depot):
    """An operator can turn the tuning off."""
    process = depot(app=PROBE, BFF_GC_THRESHOLD="0")

    assert int((await ask(process.port, "/threshold")).body) == gc.get_threshold()[0]


async def test_another_server_s_process_is_not_tuned(fork_server, tmp_path):
    """The main program of that process decides."""
    port = free_port()
    process = Process(
        fork_server,
        *("uvicorn", PROBE, "--port", str(port)),
        log=tmp_path / "log",
        environ={"BFF_ENV": "development", "BFF_LOG": "off"},
        is_ready=lambda: answers(port, "/readyz"),
    )
    process.start().wait_until_ready()

    assert int((await ask(port, "/threshold")).body) == gc.get_threshold()[0]

    process.kill()


@pytest.mark.parametrize("is_frozen", [True, False])
def test_existing_objects_are_frozen_while_it_serves(is_frozen):
    """A server that a test runs leaves the collector unchanged."""
    before = gc.get_threshold(), gc.get_freeze_count()

    with tuned_collector(Settings(gc_freeze=is_frozen, gc_threshold=5_000)):
        during = gc.get_threshold()[0], gc.get_freeze_count() > before[1]

    assert during == (5_000, is_frozen)
    assert gc.get_threshold() == before[0]
