"""Profiles a Python peer under the bench's load: `python -m bench.hotspots bff`.

Needs py-spy, and the right to look into another process (root, or `kernel.yama.ptrace_scope=0`).
"""

import argparse
import shutil
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.harness.load import drive
from bench.harness.peers import PEERS, build, started
from bench.harness.report import table
from bench.harness.sample import Plan
from bench.run import standing

RATE = 800
PYTHON = ("bff", "bff-view-cache", "fastapi-httpx", "starlette-hello")


@dataclass(frozen=True, slots=True)
class Hotspot:
    """A function's share of all samples: by itself, and with what it calls."""

    function: str
    own: float
    total: float


def parse_stacks(lines: Iterable[str]) -> list[Hotspot]:
    """Read py-spy's raw format ("outer (file:line);inner (file:line) 12"), hottest first."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for line in lines:
        stack, _, number = line.rpartition(" ")
        functions = [without_line(frame) for frame in stack.split(";")]
        own[functions[-1]] += int(number)
        for function in set(functions):
            total[function] += int(number)
    samples = sum(own.values())
    return [
        Hotspot(function, own[function] / samples, total[function] / samples)
        for function, _ in sorted(total.items(), key=lambda item: (-own[item[0]], -item[1]))
    ]


def without_line(frame: str) -> str:
    """Return "function (file)" of a frame, so that a function is one entry."""
    return f"{frame.rpartition(':')[0]})" if ":" in frame else frame


def main() -> int:
    """Load a peer, watch it, and print its hottest functions."""
    options = parse_options()
    spy = shutil.which("py-spy", path=sysconfig.get_path("scripts")) or shutil.which("py-spy")
    if spy is None:
        print("bench: py-spy not installed: pip install py-spy")
        return 2
    peer = next(peer for peer in PEERS if peer.name == options.peer)
    with standing(Plan()) as ground:
        build(peer, ground.run / "build.log")
        core = str(ground.cores.gateway)
        with started(peer, ground.services, run=ground.run, cores=core) as gateway:
            ground.verify(gateway)
            drive(gateway.url, seconds=2, core=ground.cores.load, repeats=peer.repeats)
            target = options.output or ground.run / "stacks.txt"
            command = [spy, "record", "--pid", str(gateway.pid), "--format", "raw"]
            command += ["--rate", str(RATE), "--duration", str(options.seconds)]
            command += ["--output", str(target), *(["--native"] if options.native else [])]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as watching:
                seconds, core = options.seconds + 1, ground.cores.load
                drive(gateway.url, seconds=seconds, core=core, repeats=peer.repeats)
            if watching.returncode:
                return watching.returncode
        print(as_table(parse_stacks(Path(target).read_text().splitlines())[: options.top]))
    return 0


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.hotspots", description=__doc__)
    parser.add_argument("peer", choices=PYTHON)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--top", type=int, default=25, help="how many functions (default: 25)")
    parser.add_argument("--native", action="store_true", help="with C functions")
    parser.add_argument("--output", type=Path, help="keep the raw stacks, for a flame graph")
    return parser.parse_args()


def as_table(hotspots: list[Hotspot]) -> str:
    """Return function, own and total share."""
    rows = [(f"{spot.own:.1%}", f"{spot.total:.1%}", spot.function) for spot in hotspots]
    return table(("own", "total", "function"), rows)


if __name__ == "__main__":
    sys.exit(main())
