"""The supervisor of `bff dev`, over stand-in programs in processes of their own."""

import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

SUPERVISE = str(Path(__file__).with_name("supervise.py"))
READY = "event=run.ready"
PID = re.compile(r"event=program.ready program=(\w+) url=\S+ pid=(\d+)")


@pytest.fixture
def supervise(start, free_ports) -> Callable[..., Any]:
    """Supervise stand-ins, given as `name="--option …"`; names in capitals are gateways."""

    def run(
        *,
        seconds: float = 20.0,
        ignores_sigint: bool = False,
        environ: Mapping[str, str] = MappingProxyType({}),
        **stand_ins: str,
    ) -> Any:
        ports = free_ports(len(stand_ins))
        wanted = {
            name: [port, *options.split()]
            for (name, options), port in zip(stand_ins.items(), ports, strict=True)
        }
        command = (sys.executable, SUPERVISE, json.dumps(wanted), str(seconds))
        started = start(*command, ignores_sigint=ignores_sigint, **environ)
        started.ports = dict(zip(stand_ins, ports, strict=True))
        return started

    return run


def pids(run) -> dict[str, int]:
    """Wait until all is up, and return the process ids by name."""
    run.until(READY)
    return {name: int(pid) for name, pid in PID.findall(run.output)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_program_and_is_no_failure(supervise, number):
    """Ctrl-C, `kill` and a closed terminal stop the whole run; it ends with 0."""
    run = supervise(GATEWAY="", service="")
    programs = pids(run)

    assert programs.keys() == {"GATEWAY", "service"}
    assert run.end(number) == 0
    assert not run.survivors(programs.values(), seconds=1)


def test_gateways_run_where_processes_are_not_forked(supervise):
    """Each starts in an interpreter of its own, as on macOS."""
    run = supervise(GATEWAY="", environ={"WITHOUT_FORK": "1"})
    programs = pids(run)

    with socket.create_connection(("127.0.0.1", run.ports["GATEWAY"]), 5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    assert run.end() == 0
    assert not run.survivors(programs.values(), seconds=1)


def test_ctrl_c_works_in_a_run_that_a_script_put_in_the_background(supervise):
    """A background job starts with SIGINT ignored; the run hears it all the same."""
    run = supervise(other="", service="", ignores_sigint=True)
    programs = pids(run)

    assert run.end(signal.SIGINT) == 0
    assert not run.survivors(programs.values(), seconds=1)


def test_a_program_that_dies_is_reported_and_the_rest_goes_on(supervise):
    """Killing a service is reported with its name, cause and last lines; the others go on."""
    run = supervise(other="", service="--say bye")
    programs = pids(run)

    os.kill(programs["service"], signal.SIGKILL)
    line = run.until("event=run.failed")

    assert f"service (pid {programs['service']}) was killed by SIGKILL" in line
    assert run.until("line=bye")
    assert run.survivors([programs["other"]], seconds=0)
    assert run.end() == 0


def test_a_run_without_a_gateway_is_over(supervise):
    """When the last gateway is dead the services stop as well, and the run has failed."""
    run = supervise(GATEWAY="", service="")
    programs = pids(run)

    os.kill(programs["GATEWAY"], signal.SIGKILL)

    assert run.wait() == 1
    assert "no gateway is left" in run.output
    assert not run.survivors(programs.values(), seconds=1)


def test_a_gateway_that_died_refuses_connections(supervise):
    """Its clients get an error at once: no socket is left that nothing reads."""
    run = supervise(GATEWAY="", OTHER="")
    programs = pids(run)

    os.kill(programs["GATEWAY"], signal.SIGKILL)
    run.until("was killed by SIGKILL")

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", run.ports["GATEWAY"]), 5)


def test_a_program_that_ends_at_once_fails_the_start_by_name(supervise):
    """A broken program is named with its status and its last lines, and nothing is left running."""
    run = supervise(service="", broken="--say Traceback --exit 3")

    assert run.wait() == 1
    assert "broken did not come up: ended with status 3" in run.output.replace('"', "").replace(
        "program=broken message=", "broken "
    )
    assert "line=Traceback" in run.output
    assert READY not in run.output


def test_a_program_that_is_never_ready_fails_the_start_in_bounded_time(supervise):
    """A program that answers 503 for ever is named with its answer once the time is up."""
    run = supervise(service="", unready="--status 503", seconds=1.5)

    assert run.wait() == 1
    assert "is not ready after 1.5 s" in run.output
    assert "503 Service Unavailable" in run.output
    before, *_ = run.output.partition("is not ready")
    waiting = rf"waiting for unready; http://localhost:{run.ports['unready']}/"
    assert re.search(waiting, before)


def test_a_program_that_does_not_stop_is_killed(supervise):
    """A program that ignores SIGTERM is killed when its time is up; the run still ends with 0."""
    run = supervise(other="", service="--deaf")
    programs = pids(run)

    assert run.end() == 0
    assert "killed what did not stop in 1 s: service" in run.output
    assert not run.survivors(programs.values(), seconds=1)


def workers_of(run) -> list[int]:
    """Return the processes that the programs started."""
    run.until('line="worker')
    return [int(pid) for pid in re.findall(r'line="worker (\d+)"', run.output)]


def test_processes_that_a_program_started_end_with_it(supervise):
    """A worker of a program is no orphan, neither when its program dies nor when the run ends."""
    run = supervise(GATEWAY="STARTS_WORKER", service="--worker")
    programs = pids(run)
    (of_gateway,) = workers_of(run)

    os.kill(programs["service"], signal.SIGKILL)
    run.until("was killed by SIGKILL")
    of_service = next(pid for pid in workers_of(run) if pid != of_gateway)

    assert not run.survivors([of_service], seconds=2)
    assert run.survivors([of_gateway], seconds=0)
    assert run.end() == 0
    assert not run.survivors([of_gateway], seconds=1)


def test_nothing_outlives_a_supervisor_that_was_killed(supervise):
    """Even SIGKILL, which no handler notices, leaves no orphan: a guard ends the programs."""
    run = supervise(GATEWAY="STARTS_WORKER", service="--deaf")
    programs = pids(run)
    workers = workers_of(run)

    run.end(signal.SIGKILL)

    assert not run.survivors([*programs.values(), *workers], seconds=6)


def test_stopping_while_starting_leaves_nothing_behind(supervise):
    """SIGTERM before all is ready stops what was started, and is no failure."""
    run = supervise(service="", unready="--status 503")
    run.until("event=run.starting")

    assert run.end() == 0
    assert READY not in run.output
