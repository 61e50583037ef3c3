"""The supervisor behind `make run`, over stand-in programs in processes of their own."""

import json
import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SUPERVISE = str(Path(__file__).with_name("supervise.py"))


@pytest.fixture
def supervise(start, free_ports) -> Callable[..., Any]:
    """Supervise stand-ins, given as `name="--option …"`; names in capitals are vital."""

    def run(
        *,
        seconds: float = 10.0,
        ignores_sigint: bool = False,
        terminal: int | None = None,
        **stand_ins: str,
    ) -> Any:
        ports = free_ports(len(stand_ins))
        wanted = {
            name: [port, *options.split()]
            for (name, options), port in zip(stand_ins.items(), ports, strict=True)
        }
        command = (sys.executable, SUPERVISE, json.dumps(wanted), str(seconds))
        return start(*command, ignores_sigint=ignores_sigint, terminal=terminal)

    return run


def pids(run) -> dict[str, int]:
    """Wait until all is up, and return the process ids by name."""
    return json.loads(run.until("up {").removeprefix("up "))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_every_program_and_is_no_failure(supervise, number):
    """Ctrl-C, `kill` and a closed terminal stop the whole run; it ends with 0."""
    run = supervise(GATEWAY="", service="")
    programs = pids(run)

    assert run.end(number) == 0
    assert not run.survivors(programs.values(), seconds=1)


def test_ctrl_c_works_in_a_run_that_a_script_put_in_the_background(supervise):
    """A background job starts with SIGINT ignored; the run and its programs still hear it."""
    run = supervise(GATEWAY="", ignores_sigint=True)
    run.until("SIGINT is heard")
    programs = pids(run)

    assert run.end(signal.SIGINT) == 0
    assert not run.survivors(programs.values(), seconds=1)


def test_a_program_that_dies_is_reported_and_the_rest_goes_on(supervise):
    """Killing a service is reported with its name, cause and last lines; the others go on."""
    run = supervise(GATEWAY="", service="--say bye")
    programs = pids(run)

    os.kill(programs["service"], signal.SIGKILL)
    line = run.until("!!! service")

    assert line == f"!!! service (pid {programs['service']}) was killed by SIGKILL"
    assert "      bye\n" in run.output
    assert run.until("Press 2 to start it again")
    assert run.survivors([programs["GATEWAY"]], seconds=0)
    assert run.end() == 0


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Return both ends of a terminal: the keyboard's, and the program's."""
    keyboard, screen = os.openpty()
    yield keyboard, screen
    os.close(keyboard)
    os.close(screen)


def test_a_key_stops_a_program_and_starts_it_again(supervise, terminal):
    """The second program has key 2: pressed once it is gone, pressed again it serves."""
    keyboard, screen = terminal
    before = termios.tcgetattr(screen)
    run = supervise(GATEWAY="", service="--say bye", terminal=screen)
    programs = pids(run)

    os.write(keyboard, b"x2")
    run.until("!!! service is stopped. Press 2 to start it again.")
    assert not run.survivors([programs["service"]])
    os.write(keyboard, b"2")
    line = run.until("service serves again (pid ")
    again = int(line.rpartition(" ")[2].rstrip(")"))
    os.kill(again, signal.SIGKILL)
    run.until(f"!!! service (pid {again}) was killed by SIGKILL")

    assert run.survivors([programs["GATEWAY"]], seconds=0)
    assert run.end(signal.SIGINT) == 0
    assert termios.tcgetattr(screen) == before


def test_ctrl_c_on_the_keyboard_stops_a_run_that_reads_keys(supervise, terminal):
    """The terminal still turns Ctrl-C into SIGINT."""
    keyboard, screen = terminal
    run = supervise(GATEWAY="", service="", terminal=screen)
    programs = pids(run)

    os.write(keyboard, b"\x03")

    assert run.wait() == 0
    assert not run.survivors(programs.values(), seconds=1)


def test_a_program_that_does_not_come_up_again_can_be_tried_again(supervise, terminal, tmp_path):
    """A key for a program that ends at its start says why; the run goes on."""
    keyboard, screen = terminal
    run = supervise(GATEWAY="", service=f"--once {tmp_path / 'mark'}", terminal=screen)
    pids(run)

    os.write(keyboard, b"2")
    run.until("service is stopped")
    os.write(keyboard, b"2")
    run.until("!!! did not come up: service (pid")
    os.write(keyboard, b"2")
    run.until("!!! did not come up: service (pid", count=2)

    assert run.end() == 0


def test_a_run_without_a_vital_program_is_over(supervise):
    """When the last gateway is dead the services stop as well, and the run has failed."""
    run = supervise(GATEWAY="", service="")
    programs = pids(run)

    os.kill(programs["GATEWAY"], signal.SIGKILL)

    assert run.wait() == 1
    assert "no gateway is left" in run.output
    assert not run.survivors(programs.values(), seconds=1)


def test_a_program_that_ends_at_once_fails_the_start_by_name(supervise):
    """A broken program is named with its status and its last lines, and nothing is left running."""
    run = supervise(GATEWAY="", broken="--say Traceback --exit 3")

    assert run.wait() == 1
    assert "did not come up: broken (pid" in run.output
    assert "ended with status 3" in run.output
    assert "      Traceback\n" in run.output
    assert "!!! did not come up: GATEWAY" not in run.output
    assert "up {" not in run.output


def test_a_program_that_is_never_ready_fails_the_start_in_bounded_time(supervise):
    """A program that answers 503 for ever is named with its answer once the time is up."""
    run = supervise(GATEWAY="", unready="--status 503", seconds=0.7)

    assert run.wait() == 1
    assert "gave up after 0.7 s: unready is not ready" in run.output
    assert "503 Service Unavailable" in run.output


def test_a_program_that_does_not_stop_is_killed(supervise):
    """A program that ignores SIGTERM is killed when its time is up; the run still ends with 0."""
    run = supervise(GATEWAY="--deaf", service="")
    programs = pids(run)

    assert run.end() == 0
    assert "killing what did not stop in 1 s: GATEWAY" in run.output
    assert not run.survivors(programs.values(), seconds=1)


def test_processes_that_a_program_started_end_with_it(supervise):
    """A worker of a program is no orphan, neither when its program dies nor when the run ends."""
    run = supervise(GATEWAY="--worker", service="--worker")
    programs = pids(run)
    workers = [int(line.split()[-1]) for line in run.output.splitlines() if "| worker" in line]

    os.kill(programs["service"], signal.SIGKILL)
    run.until("to start it again")

    assert len(workers) == 2
    assert len(run.survivors(workers, seconds=0.5)) == 1
    assert run.end() == 0
    assert not run.survivors(workers, seconds=1)


def test_nothing_outlives_a_supervisor_that_was_killed(supervise):
    """Even SIGKILL, which no handler sees, leaves no orphan: the supervisor's child ends them."""
    run = supervise(GATEWAY="", service="--deaf --worker")
    programs = pids(run)
    worker = int(run.until("| worker").split()[-1])

    run.end(signal.SIGKILL)

    assert not run.survivors([*programs.values(), worker], seconds=6)


def test_stopping_while_starting_leaves_nothing_behind(supervise):
    """SIGTERM before all is ready stops what was started, and is no failure."""
    run = supervise(GATEWAY="", unready="--status 503 --worker")
    worker = int(run.until("| worker").split()[-1])

    assert run.end() == 0
    assert not run.survivors([worker], seconds=1)


def test_logs_carry_the_name_of_their_program(supervise):
    """Each line of output stands behind the name of its program, all names in one width."""
    run = supervise(GATEWAY="--say one", cart="--say two")
    pids(run)

    assert run.until("one") == "GATEWAY | one"
    assert run.until("two") == "cart    | two"
