"""`make run` as a newcomer meets it: the real services and gateways, in processes of their own."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from scripts.run.shop import GATEWAYS, SERVICES

ROW = re.compile(
    r"^  (?P<name>\w+) +http://localhost:(?P<port>\d+) +pid (?P<pid>\d+) ", re.MULTILINE
)
START_SECONDS = 90


@dataclass(frozen=True)
class Shop:
    """A shop that is up: its supervisor, its ports, and what it printed."""

    run: Any
    ports: dict[str, int]

    @property
    def pids(self) -> dict[str, int]:
        """The process ids by name."""
        return {row["name"]: int(row["pid"]) for row in ROW.finditer(self.run.output)}

    @property
    def requests(self) -> list[str]:
        """The requests that it printed to be copied."""
        lines = self.run.output.splitlines()
        return [line.strip() for line in lines if line.startswith("  curl ")]


def open_shop(start, free_ports, *, ignores_sigint: bool = False) -> Shop:
    """Start the shop on free ports, and wait until it says that all is up."""
    names = (*SERVICES, *(gateway.name for gateway in GATEWAYS))
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    environ = {gateway.variable: str(ports[gateway.name]) for gateway in GATEWAYS}
    command = (sys.executable, "-m", "scripts.run")
    run = start(
        *command, ignores_sigint=ignores_sigint, SERVICES_PORT=str(ports[SERVICES[0]]), **environ
    )
    run.until("Ctrl-C stops everything", START_SECONDS)
    return Shop(run, ports)


@pytest.fixture(scope="module")
def shop(start_for_all, free_ports) -> Shop:
    """Open the shop once for the tests that leave its gateways alone."""
    return open_shop(start_for_all, free_ports)


def send(request: str) -> tuple[int, Any]:
    """Run a printed request in a shell; return status and decoded body."""
    line = f"{request} --max-time 10 --write-out '\\n%{{http_code}}'"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def test_the_table_names_every_program_with_its_address(shop):
    """Once all is up, a table gives each program's URL and process id."""
    rows = {row["name"]: int(row["port"]) for row in ROW.finditer(shop.run.output)}

    assert rows == shop.ports
    assert len(shop.run.survivors(shop.pids.values(), seconds=0)) == len(shop.ports)


@pytest.mark.needs("curl")
def test_the_printed_requests_show_the_home_screen(shop):
    """Copied into a shell, each of the three requests answers 200 with this client's screen."""
    answers = [send(request) for request in shop.requests]

    assert [status for status, _ in answers] == [200, 200, 200]
    web, mobile, desktop = (body for _, body in answers)
    assert web["data"]["home"]
    assert "errors" not in web
    assert mobile
    assert desktop


@pytest.mark.needs("curl")
def test_a_killed_service_is_reported_and_the_screens_answer(shop):
    """Without recommendations every screen still answers 200; the run tells who died."""
    os.kill(shop.pids["recommendations"], signal.SIGKILL)
    report = shop.run.until("!!! recommendations")

    assert report.endswith("was killed by SIGKILL")
    assert [send(request)[0] for request in shop.requests] == [200, 200, 200]
    assert shop.run.process.poll() is None


def test_ctrl_c_stops_the_whole_shop_even_in_the_background(start, free_ports):
    """SIGINT ends every program and is no failure, also where it was ignored at the start."""
    shop = open_shop(start, free_ports, ignores_sigint=True)
    pids = shop.pids

    assert shop.run.end(signal.SIGINT) == 0
    assert len(pids) == len(shop.ports)
    assert not shop.run.survivors(pids.values(), seconds=1)
    assert "killing" not in shop.run.output
