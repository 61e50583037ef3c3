"""Compare our gateway with hand-written peers in one session: `python -m bench.run`.

Asserts that every answer is correct and reports speed; it never fails on time. The exit status is
1 when a peer answered wrongly and 2 when nothing could be measured. See docs/benchmarks.md.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from bench.harness import payloads
from bench.harness.comparison import Comparison, Ground, compare
from bench.harness.machine import choose_cores, describe
from bench.harness.nginx import serving
from bench.harness.peers import PEERS, Peer
from bench.harness.programs import missing
from bench.harness.report import Json, absolute_table, ratio_row_of, ratio_table, row_of
from bench.harness.sample import Plan

RESULTS = Path(__file__).parent / "results" / "latest.json"
TOOLS = ("wrk", "nginx", "taskset")


def main() -> int:
    """Run what the command line asks for."""
    options = parse_options()
    if reason := why_not():
        print(f"bench: {reason}: nothing can be measured")
        return 2
    # Leave through the contexts, so that no program stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    comparison = run_session(options)
    report(comparison)
    save(comparison, options.output)
    return 1 if comparison.wrong else 0


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    names = ",".join(peer.name for peer in PEERS)
    parser.add_argument("--only", default=names, help=f"peers, by comma (default: {names})")
    parser.add_argument("--seconds", type=float, default=5.0, help="measured per run (default: 5)")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds before (default: 2)")
    parser.add_argument("--runs", type=int, default=3, help="runs per peer (default: 3)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    return parser.parse_args()


def why_not() -> str:
    """Return why this machine can't measure, or an empty text."""
    if not sys.platform.startswith("linux"):
        return "CPU time is read from Linux's /proc"
    absent = missing(TOOLS)
    return f"{', '.join(absent)} not installed" if absent else ""


def choose_peers(only: str) -> list[Peer]:
    """Return the named peers; ends the program at a name that there isn't."""
    known = {peer.name: peer for peer in PEERS}
    names = [name.strip() for name in only.split(",")]
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"bench: no peer named {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names]


def run_session(options: argparse.Namespace) -> Comparison:
    """Start the services and compare the chosen peers."""
    peers = choose_peers(options.only)
    plan = Plan(warm_up=options.warm_up, seconds=options.seconds, runs=options.runs)
    answers, cores = payloads.generate(), choose_cores()
    print(f"{plan.runs} runs of {plan.seconds:g} s per peer, in turn:")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run = Path(folder)
        # The nginx workers read from it, as whoever they run.
        run.chmod(0o755)
        # This process and wrk share the core of the services.
        os.sched_setaffinity(0, {cores.load})
        with serving(answers, run=run, core=cores.load) as services:
            return compare(peers, Ground(services, answers, run, cores, plan))


def report(comparison: Comparison) -> None:
    """Print ratios first, absolute figures second, the machine in a line."""
    if comparison.ratios:
        print(f"\n{ratio_table(comparison.ratios)}")
    if comparison.samples:
        print(f"\n{absolute_table(comparison.samples)}")
    for name, reason in comparison.skipped.items():
        print(f"skipped: {name}: {reason}")
    for name, reason in comparison.wrong.items():
        print(f"WRONG: {name}: {reason}")
    print(f"\n{describe()}")


def save(comparison: Comparison, target: Path) -> None:
    """Write the results as JSON."""
    told: Json = {
        "machine": describe(),
        "rows": [row_of(name, sample) for name, sample in comparison.samples.items()],
        "ratios": [ratio_row_of(ratio) for ratio in comparison.ratios],
        "skipped": comparison.skipped,
        "wrong": comparison.wrong,
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
