"""Measures start-up: imports, and the time from spawning a process to its first ready answer."""

import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.harness.programs import ROOT, free_ports, running, wait_until_ready

MODULES = ("bff_core", "fastapi", "strawberry", "bffs.mobile.app", "bffs.web.app")
RUNS = 5
HEAVIEST = 8


@dataclass(frozen=True, slots=True)
class Imported:
    """The time to import a module into a fresh interpreter, and by package (ms)."""

    module: str
    total_ms: float
    heaviest: dict[str, float]


def parse_importtime(trace: str) -> Counter[str]:
    """Add up the report of `python -X importtime`: each package's own microseconds."""
    own: Counter[str] = Counter()
    for line in trace.splitlines():
        fields = line.removeprefix("import time:").split("|")
        if len(fields) == 3 and fields[0].strip().isdigit():
            own[fields[2].strip().partition(".")[0]] += int(fields[0])
    return own


def measure_import(module: str, runs: int = RUNS) -> Imported | None:
    """Return the median of several imports, or None where there is no such module.

    The bare interpreter's start is not counted. Tracing slows importing down, so the total comes
    from untraced runs and only the distribution from a traced one.
    """
    totals = [seconds for _ in range(runs) if (seconds := _seconds_to_import(module)) is not None]
    if not totals:
        return None
    traced = _run("-X", "importtime", "-c", f"import {module}")
    own = parse_importtime(traced.stderr)
    heaviest = {package: own_us / 1e3 for package, own_us in own.most_common(HEAVIEST)}
    return Imported(module, median(totals) * 1e3, heaviest)


def _seconds_to_import(module: str) -> float | None:
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    ended = _run("-c", code)
    return None if ended.returncode else float(ended.stdout)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@dataclass(frozen=True, slots=True)
class Startable:
    """An application and how it is started; the port is the command's last argument."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]

    def command_on(self, port: int) -> list[str]:
        """Return the whole command."""
        return [*self.command, str(port)]


def measure_start(app: Startable, *, core: int, log: Path, runs: int = RUNS) -> float:
    """Return the milliseconds from spawning a process to its first 200 on /readyz, the median.

    The application has `core` for itself. Raises NotReady.
    """
    taken = []
    for _ in range(runs):
        port = free_ports(1)[0]
        command, before = app.command_on(port), time.perf_counter()
        with running(command, cores=str(core), log=log, environment=app.environment) as process:
            wait_until_ready(process, port, "/readyz", log)
            taken.append(time.perf_counter() - before)
    return median(taken) * 1e3
