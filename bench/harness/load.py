"""Runs wrk and reads its figures."""

import json
import subprocess
from dataclasses import dataclass
from itertools import count
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "load.lua"
CONNECTIONS = 32
IDS_PER_RUN = 10_000_000

_runs = count(1)


class WrongAnswer(Exception):
    """A peer answered with an error or with another body than the screen's."""


@dataclass(frozen=True, slots=True)
class Load:
    """The figures of wrk: answered requests, seconds, latencies in milliseconds."""

    requests: int
    duration: float
    p50_ms: float
    p99_ms: float

    @property
    def rps(self) -> float:
        """Requests answered in a second."""
        return self.requests / self.duration


def parse_load(output: str) -> Load:
    """Read the JSON line that load.lua prints last.

    Raises WrongAnswer for any error that wrk counted, or when nothing was answered.
    """
    figures = json.loads(output.strip().rpartition("\n")[2])
    failures = {name: figures[name] for name in ("refused", "broken", "timed_out") if figures[name]}
    if failures or not figures["requests"]:
        raise WrongAnswer(f"{figures['requests']} requests, of which failed: {failures}")
    return Load(
        requests=figures["requests"],
        duration=figures["duration_us"] / 1e6,
        p50_ms=figures["p50_us"] / 1e3,
        p99_ms=figures["p99_us"] / 1e3,
    )


def drive(url: str, *, seconds: int, core: int, repeats: bool = False) -> Load:
    """Load a peer over keep-alive connections; no id is requested twice in a session.

    If it `repeats`, the id is always the same. `url` is the screen's without the id. wrk takes
    whole seconds only. Raises WrongAnswer.
    """
    origin, slash, path = url.partition("/screen/")
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    command += ["--timeout", "10s", "--latency", "-s", str(SCRIPT), origin]
    first, step = (1, 0) if repeats else (next(_runs) * IDS_PER_RUN, 1)
    command += ["--", slash + path, str(first), str(step)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise WrongAnswer(f"wrk: {(ended.stderr or ended.stdout).strip()}")
    return parse_load(ended.stdout)
