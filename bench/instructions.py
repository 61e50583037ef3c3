"""Counts the CPU instructions of a request in process: `python -m bench.instructions`.

Valgrind's callgrind counts requests in process, without sockets: a REST screen of three calls, the
same with a log at level info and with metrics, an answer from the view cache, and a GraphQL screen
of the three calls. `bench.counted` runs twice for each, with 1,100 and with 1,500 requests; the
difference divided by 400 is what a request takes, whatever the start took. Bytecode is compiled
before, hashing is fixed and the collector is off, so that figures of two commits on one machine
and one Python can be compared. Without valgrind it says so and counts nothing.
"""

import compileall
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.harness.report import table

ROOT = Path(__file__).parents[1]
REQUESTS = (
    ("REST screen", "off"),
    ("REST screen", "json"),
    ("REST screen", "metrics"),
    ("view-cache hit", "off"),
    ("GraphQL screen", "off"),
)
"""What is sent, and the form of the log; `metrics` for none, and requests that are counted."""

FEWER, MORE = 1100, 1500
"""The requests of the two runs."""

AT_ONCE = 2
TIMEOUT_SECONDS = 900.0

is_total = re.compile(r"Collected : (\d+)").search


def instructions(name: str, log: str, requests: int) -> int:
    """Return the instructions of a whole program that sends so many requests."""
    done = subprocess.run(
        (
            *("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"),
            *(sys.executable, "-m", "bench.counted", name, str(requests), log),
        ),
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    found = is_total(done.stderr)
    if done.returncode or found is None:
        sys.exit(f"{name}, {requests} requests: {done.stdout}{done.stderr[-2000:]}")
    return int(found[1])


def main() -> int:
    """Print what each request takes, in thousands of instructions."""
    if shutil.which("valgrind") is None:
        print("SKIPPED: valgrind is not installed (Debian's package valgrind); nothing was counted")
        return 0
    for package in ("bff_core", "bench"):
        compileall.compile_dir(ROOT / package, quiet=1)
    runs = [(*request, times) for request in REQUESTS for times in (FEWER, MORE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        counts = dict(zip(runs, pool.map(lambda run: instructions(*run), runs), strict=True))
    rows = []
    for name, log in REQUESTS:
        counted = counts[name, log, MORE] - counts[name, log, FEWER]
        shown = name + {"off": "", "json": ", logged", "metrics": ", counted"}[log]
        rows.append((shown, f"{counted / (MORE - FEWER) / 1000:,.1f}"))
    print(table(("request", "k instructions"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
