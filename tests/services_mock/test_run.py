"""`python -m services_mock`: all of them or one, started and stopped without leftovers."""

import contextlib
import os
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from services_mock.shop import SERVICES


def free_row(count: int) -> int:
    """Return the first of so many free neighbouring ports."""
    for first in range(21_000, 60_000, 50):
        with contextlib.ExitStack() as opened:
            try:
                for port in range(first, first + count):
                    probe = opened.enter_context(socket.socket())
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free row of ports")


def children_of(pid: int) -> list[int]:
    """Return the ids of a process's children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in children.split()]


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has only not been reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def all_gone(pids: list[int], seconds: float = 5.0) -> bool:
    """Wait until no process of a list runs."""
    until = time.monotonic() + seconds
    while any(map(is_alive, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(is_alive, pids))


def ready(process, count: int) -> list[str]:
    """Read the lines of so many services."""
    return [process.stderr.readline() for _ in range(count)]


@pytest.fixture
def ignoring_interrupts():
    """Let children inherit an ignored SIGINT, as a shell's background jobs do."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ignoring_interrupts")
def test_all_services_come_up_and_go_with_one_signal(start):
    """Nine lines, nine answers, status 0, no orphan; SIGINT is heard even if it was ignored."""
    first = free_row(len(SERVICES))
    process = start(SERVICES_PORT=str(first))
    lines = ready(process, len(SERVICES))
    started = [
        httpx.get(f"http://127.0.0.1:{first + place}/healthz").json()["service"]
        for place in range(len(SERVICES))
    ]
    children = children_of(process.pid)

    process.send_signal(signal.SIGINT)

    assert process.wait(10) == 0
    assert {line.split()[0] for line in lines} == set(SERVICES)
    assert started == list(SERVICES)
    assert len(children) == len(SERVICES)
    assert all_gone(children)


def test_no_service_outlives_the_one_that_started_it(start):
    """Even a killed supervisor leaves no orphan."""
    process = start("--port", str(free_row(len(SERVICES))))
    ready(process, len(SERVICES))
    children = children_of(process.pid)

    process.kill()
    process.wait(5)

    assert len(children) == len(SERVICES)
    assert all_gone(children)


def test_when_one_service_dies_all_stop_and_it_is_named(start):
    """Nothing goes on silently with a part of the shop."""
    process = start("--port", str(free_row(len(SERVICES))))
    lines = ready(process, len(SERVICES))
    children = children_of(process.pid)

    os.kill(children[1], signal.SIGKILL)
    status = process.wait(10)

    assert len(lines) == len(SERVICES)
    assert status == 1
    assert process.stderr.read().startswith("catalog ended by itself")
    assert all_gone(children)


def test_a_busy_port_is_one_line_and_nothing_is_left(start):
    """The line names the service, the port and the variable."""
    first = free_row(len(SERVICES))
    with socket.create_server(("127.0.0.1", first + 4)):
        process = start(SERVICES_PORT=str(first))
        _, errors = process.communicate(timeout=10)

    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert errors.startswith(f"orders: cannot listen on 127.0.0.1:{first + 4}")
    assert "SERVICES_PORT" in errors
    with socket.create_server(("127.0.0.1", first)) as again:
        assert again.getsockname()[1] == first


def test_one_service_stops_with_status_zero_though_a_call_hangs(start):
    """A request in flight gets a moment, then is cut off; no traceback is printed."""
    process = start("catalog", "--port", "0")
    [line] = ready(process, 1)
    address = line.split()[1]
    httpx.put(f"{address}/__faults__", json={"faults": [{"kind": "hang"}]})
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET /products HTTP/1.1\r\nHost: test\r\n\r\n")
        while httpx.get(f"{address}/__calls__").json()["active"] == 0:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)

    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize("value", ["http", "65530"])
def test_a_first_port_that_is_none_is_refused_by_name(start, value):
    """A setting that cannot be meant stops the start with its name."""
    process = start(SERVICES_PORT=value)
    _, errors = process.communicate(timeout=10)

    assert process.returncode == 1
    assert errors.startswith("SERVICES_PORT must be a port")


@pytest.mark.parametrize("value", ["http", "-1", "65536"])
def test_a_port_that_is_none_is_refused_with_the_usage(start, value):
    """A mistyped port is a line that names the option, not a traceback."""
    process = start("catalog", f"--port={value}")
    _, errors = process.communicate(timeout=10)

    assert process.returncode == 2
    assert f"argument --port: '{value}' is no port" in errors
    assert "Traceback" not in errors


def test_a_first_port_too_high_for_all_is_refused(start):
    """Ten services need ten ports; the line says how high the first may be."""
    process = start("--port", "65530")
    _, errors = process.communicate(timeout=10)

    assert process.returncode == 1
    assert errors == "--port must be a port from 1 to 65526, not '65530'\n"
