"""Measures a gateway under overload: `make bench-overload`.

Asserts that every answer is one of those that are allowed and reports the figures; it never fails
on speed. The exit status is 1 for a wrong answer and 2 when nothing could be measured.
"""

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from bench.harness import payloads
from bench.harness.machine import choose_cores, describe
from bench.harness.programs import NotReady, missing
from bench.harness.report import Json, table
from bench.overload.ground import MODES, Ground, WrongAnswers, standing
from bench.overload.phases import capacity, classes, loads, outage

RESULTS = Path(__file__).parents[1] / "results" / "overload.json"
TOOLS = ("wrk", "nginx", "taskset")


def main() -> int:
    """Run the command line."""
    options = parse_options()
    if absent := missing(TOOLS):
        print(f"bench: {', '.join(absent)} not installed: nothing can be measured")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cores = choose_cores()
    if not cores.are_apart:
        print("bench: one core only: gateway and load share it, the figures mean little")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            with standing(payloads.generate(), run=Path(folder), cores=cores) as ground:
                found = measure(ground, options)
        except WrongAnswers as wrong:
            print(f"WRONG: {wrong}")
            return 1
        except NotReady as reason:
            print(f"bench: {reason}: nothing can be measured")
            return 2
    machine = describe()
    print(f"\n{machine}")
    save(options.output, {"machine": machine, **found})
    return 0


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench-overload ARGS=…", description=__doc__)
    parser.add_argument("--seconds", type=float, default=8, help="per load (default: 8)")
    parser.add_argument("--outage", type=float, default=60, help="seconds; 0: none (default: 60)")
    modes = ",".join(MODES)
    parser.add_argument("--modes", default=modes, help=f"gateways, by comma (default: {modes})")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    return parser.parse_args()


def measure(ground: Ground, options: argparse.Namespace) -> Json:
    """Measure and print one table after the other."""
    most = capacity(ground, options.seconds)
    print(f"capacity: {most:,.0f} screens a second\n", flush=True)
    modes = [mode for mode in options.modes.split(",") if mode in MODES]
    rows = [row for mode in modes for row in loads(ground, mode, most, options.seconds)]
    shown("Offered 1, 2 and 3 times the capacity (milliseconds)", rows)
    by_class = classes(ground, most, options.seconds)
    shown("Half critical, half sheddable", by_class)
    outages = []
    if options.outage:
        outages = [outage(ground, fault, most, options.outage) for fault in ("errors", "gone")]
        shown("A critical service fails at half load, and comes back", outages)
    return {"capacity": round(most), "loads": rows, "classes": by_class, "outages": outages}


def shown(title: str, rows: list[Json]) -> None:
    """Print a table."""
    cells = [["-" if value is None else str(value) for value in row.values()] for row in rows]
    if rows:
        print(f"{title}\n{table(list(rows[0]), cells)}\n", flush=True)


def save(target: Path, results: Json) -> None:
    """Write the results."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
