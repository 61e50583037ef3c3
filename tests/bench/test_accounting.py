"""What the bench reads from /proc."""

import os
import subprocess
import sys

import pytest

from bench.harness.procfs import (
    PAGE,
    TICKS_PER_SECOND,
    Core,
    Process,
    cpu_seconds,
    parse_cores,
    parse_process,
    tree_of,
)

STAT = (
    "77 (tmux: a) (b) S 42 77 77 0 -1 4194304 5 6 0 0 30 20 7 3 20 0 1 0 900 1000000 250 "
    "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0"
)
CORES = """\
cpu  300 0 200 900 10 1 2 3 0 0
cpu0 100 5 50 600 7 1 2 3 0 0
cpu1 200 0 150 300 3 0 0 0 0 0
intr 12345
"""


def test_a_process_is_read_whatever_its_command_is_called() -> None:
    """A name with spaces and parentheses does not shift the columns."""
    process = parse_process(STAT)

    assert process == Process(pid=77, parent=42, cpu=60 / TICKS_PER_SECOND, rss=250 * PAGE)


def test_a_tree_holds_descendants_only() -> None:
    """Workers of workers count with their gateway; a neighbour's don't."""
    parents = {10: 1, 11: 10, 12: 11, 20: 1, 21: 20}
    processes = [Process(pid, parent, cpu=0.0, rss=0) for pid, parent in parents.items()]

    members = tree_of(10, processes)

    assert [process.pid for process in members] == [10, 11, 12]


def test_a_core_is_busy_when_it_neither_idles_nor_waits() -> None:
    """Waiting for a disk is no work; time that the hypervisor took is counted apart."""
    cores = parse_cores(CORES)

    assert cores == {
        0: Core(busy=158 / TICKS_PER_SECOND, stolen=3 / TICKS_PER_SECOND),
        1: Core(busy=350 / TICKS_PER_SECOND, stolen=0.0),
    }


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")
def test_work_of_a_child_that_has_ended_still_counts() -> None:
    """A tree's CPU time does not shrink when one of its workers leaves."""
    before = cpu_seconds(os.getpid())
    burn = "import time\nwhile time.process_time() < 0.2: pass"

    subprocess.run([sys.executable, "-S", "-c", burn], check=True)

    assert cpu_seconds(os.getpid()) - before >= 0.15  # ticks of 10 ms are rounded down
