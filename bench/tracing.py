"""Measures what traces and records cost in CPU time: `python -m bench.tracing`.

A gateway in process answers a REST screen of three calls whose services answer from memory, with a
log at level info. Each round runs every mode once, in a process of its own, in changing order; the
ratio is the median over rounds of the CPU time of a mode to that of `off` in the same round. It
includes the exporting threads, which export every 0.5 s, and the flush. There are no sockets, so
that the shares are larger than those of a gateway that serves clients.
"""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.counted import SAMPLES, app_of, scope_of
from bench.harness.report import table
from bff_core.observe.recording import record_requests

ROOT = Path(__file__).parents[1]

MODES = {
    "off": {},
    "records of the console": {"BENCH_RECORDS": "1"},
    "metrics": {"OTEL_TRACES_EXPORTER": "none"},
    "traces, 1 % sampled": {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_SAMPLER_ARG": "0.01"},
    "traces, 10 % sampled": {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
    "traces, 10 %, and metrics": {"OTEL_TRACES_SAMPLER_ARG": "0.1"},
    "traces, 100 %": {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_SAMPLER_ARG": "1"},
}
WARM_UP = 2000
"""Requests before, in which the exporters are made."""


async def measure(times: int) -> float:
    """Return the seconds of CPU time of so many requests, after some others."""
    app, sample = app_of("json"), SAMPLES["REST screen"]
    if os.environ.get("BENCH_RECORDS"):
        record_requests(app.events, "counted")
    headers = [(b"host", b"localhost"), (b"accept", b"application/json"), (b"user-agent", b"bench")]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def take(_message: object) -> None:
        pass

    async with app.router.lifespan_context(app):
        for number in range(WARM_UP + times):
            if number == WARM_UP:
                began = time.process_time()
            await app(scope_of(sample, headers), receive, take)
    return time.process_time() - began


def run(mode: str, times: int, collector: str) -> float:
    """Measure a mode in a process of its own; return microseconds a request."""
    export = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        "OTEL_TRACES_SAMPLER": "traceidratio",
        "OTEL_BSP_SCHEDULE_DELAY": "500",
    }
    is_exported = any(name.startswith("OTEL") for name in MODES[mode])
    done = subprocess.run(
        (sys.executable, "-m", "bench.tracing", "--measure", str(times)),
        cwd=ROOT,
        env={**os.environ, **(export if is_exported else {}), **MODES[mode]},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        text=True,
    )
    return float(done.stdout) / times * 1e6


class Collector(BaseHTTPRequestHandler):
    """Takes what is exported."""

    def do_POST(self) -> None:
        """Answer 200."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def compare(modes: Sequence[str], rounds: int, times: int) -> str:
    """Return the table of the modes."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        found: dict[str, list[float]] = {mode: [] for mode in modes}
        for _ in range(rounds):
            for mode in random.sample(modes, len(modes)):
                found[mode].append(run(mode, times, address))
        server.shutdown()
    rows = []
    for mode, values in found.items():
        ratios = [one / off for one, off in zip(values, found["off"], strict=True)]
        share = f"{(statistics.median(ratios) - 1) * 100:+.1f} %"
        spread = f"{(min(ratios) - 1) * 100:+.1f} … {(max(ratios) - 1) * 100:+.1f} %"
        rows.append((mode, f"{statistics.median(values):,.0f}", share, spread))
    return table(("", "CPU µs a request", "median", "all rounds"), rows)


def main() -> None:
    """Print what each mode costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=4000)
    options = parser.parse_args()
    if options.measure:
        print(asyncio.run(measure(options.measure)))
        return
    print(compare(list(MODES), options.rounds, options.requests))


if __name__ == "__main__":
    main()
