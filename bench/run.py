"""Compare our gateway with hand-written peers in one session: `make bench`.

Asserts that every answer is correct and reports speed; it never fails on time. The exit status is
1 when a peer answered wrongly and 2 when nothing could be measured. See docs/benchmarks.md.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bench.harness import payloads
from bench.harness.comparison import Comparison, Ground, compare
from bench.harness.machine import choose_cores, describe
from bench.harness.nginx import serving
from bench.harness.peers import PEERS, Peer
from bench.harness.programs import missing
from bench.harness.report import Json, absolute_table, ratio_row_of, ratio_table, row_of
from bench.harness.sample import Plan
from bench.sections import SECTIONS, Section, Unmeasured

RESULTS = Path(__file__).parent / "results" / "latest.json"
TOOLS = ("wrk", "nginx", "taskset")

T = TypeVar("T", Peer, Section)


def main() -> int:
    """Run the command line."""
    options = parse_options()
    peers = chosen(options.only, {peer.name: peer for peer in PEERS})
    sections = chosen(options.sections, {section.key: section for section in SECTIONS})
    if reason := why_not():
        print(f"bench: {reason}: nothing can be measured")
        return 2
    # Leave through the contexts, so that no program is left running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    plan = Plan(warm_up=options.warm_up, seconds=options.seconds, runs=options.runs)
    with standing(plan) as ground:
        comparison = compare_peers(peers, ground)
        rows = {section.key: measure_section(section, ground) for section in sections}
    machine = describe()
    print(f"\n{machine}")
    save(options.output, {"machine": machine, **as_json(comparison), **rows})
    return 1 if comparison.wrong else 0


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    peers = ",".join(peer.name for peer in PEERS)
    sections = ",".join(section.key for section in SECTIONS)
    parser.add_argument("--only", default=peers, help=f"peers, by comma (default: {peers})")
    parser.add_argument(
        "--sections", default=sections, help=f"what else, by comma or '' (default: {sections})"
    )
    parser.add_argument("--seconds", type=int, default=5, help="measured per run (default: 5)")
    parser.add_argument("--warm-up", type=int, default=2, help="seconds before (default: 2)")
    parser.add_argument("--runs", type=int, default=3, help="runs per peer (default: 3)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    return parser.parse_args()


def chosen(names: str, known: dict[str, T]) -> list[T]:
    """Parse comma-separated names; an unknown one ends the program."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in known]:
        sys.exit(f"bench: no {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in wanted]


def why_not() -> str:
    """Return why this machine can't run the benchmark, or ""."""
    if not sys.platform.startswith("linux"):
        return "CPU time is read from Linux's /proc"
    absent = missing(TOOLS)
    return f"{', '.join(absent)} not installed" if absent else ""


@contextmanager
def standing(plan: Plan) -> Iterator[Ground]:
    """Start the services; this process and wrk share their core."""
    answers, cores = payloads.generate(), choose_cores()
    if not cores.are_apart:
        print("bench: one core only: gateway and load share it, the rates mean little")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run = Path(folder)
        # The nginx workers read from it, as the user that they run as.
        run.chmod(0o755)
        os.sched_setaffinity(0, {cores.load})
        with serving(answers, run=run, core=cores.load) as services:
            yield Ground(services, answers, run, cores, plan)


def compare_peers(peers: Sequence[Peer], ground: Ground) -> Comparison:
    """Measure the peers; print ratios first, absolute figures second."""
    plan = ground.plan
    print(f"{plan.runs} runs of {plan.seconds} s per peer, in turn:", flush=True)
    comparison = compare(peers, ground)
    if comparison.ratios:
        print(f"\n{ratio_table(comparison.ratios)}")
    if comparison.samples:
        print(f"\n{absolute_table(comparison.samples)}")
    for name, reason in comparison.skipped.items():
        print(f"skipped: {name}: {reason}")
    for name, reason in comparison.wrong.items():
        print(f"WRONG: {name}: {reason}")
    return comparison


def measure_section(section: Section, ground: Ground) -> list[Json]:
    """Measure and print a section, or say why it can't be."""
    try:
        rows = section.measure(ground)
    except Unmeasured as reason:
        print(f"\n{section.title}: skipped: {reason}", flush=True)
        return []
    print(f"\n{section.written(rows)}", flush=True)
    return rows


def as_json(comparison: Comparison) -> Json:
    """Return the comparison as it is stored."""
    return {
        "rows": [row_of(name, sample) for name, sample in comparison.samples.items()],
        "ratios": [ratio_row_of(ratio) for ratio in comparison.ratios],
        "disturbed": {name: round(s.disturbed, 2) for name, s in comparison.samples.items()},
        "skipped": comparison.skipped,
        "wrong": comparison.wrong,
    }


def save(target: Path, results: Json) -> None:
    """Write the results."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
