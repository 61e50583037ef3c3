"""Measures what an open page of the console costs, and how it feels: `python -m bench.console`.

A gateway with the console serves about 1,000 requests a second on a core of its own; load, services
and Chromium share the other. Each round measures every page once, in changing order; the ratio is
the median over rounds of the CPU time a request with that page open to that without a page in the
same round. Keys are pressed all the time: the delay is that from a key to its handler. Paints,
tasks and delays are times of the clock: they mean little where other programs use the cores.
"""

import argparse
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

from bench.harness.load import CONNECTIONS, IDS_PER_RUN, SCRIPT, Load, parse_load
from bench.harness.peers import BFF, Running, started
from bench.harness.procfs import rss_mib
from bench.harness.programs import missing
from bench.harness.report import table
from bench.harness.sample import Plan
from bench.run import standing

TOKEN: Final = "the-token-of-the-benchmark"
PAGES: Final = ("overview", "requests")
WITHOUT: Final = "no page"
PAUSE_MS: Final = CONNECTIONS
"""Each connection pauses so long between requests: 1,000 a second, less their own time."""

OBSERVE: Final = """
window.bench = { tasks: [0], delays: [0] };
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) bench.tasks.push(one.duration);
}).observe({ type: "longtask", buffered: true });
addEventListener("keydown", (event) => {
  bench.delays.push(performance.now() - event.timeStamp);
}, true);
"""
"""Long tasks are those of more than 50 ms; a key's delay is the time until its first handler."""

PAINTED: Final = "performance.getEntriesByName('first-contentful-paint').length"

_runs = count(1)


@dataclass(slots=True)
class Felt:
    """What someone at a page notices, in milliseconds; `heap` is in MB.

    `busy` is the share of a core that the page's main thread uses.
    """

    paints: list[float] = field(default_factory=list)
    tasks: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    heap: list[float] = field(default_factory=list)


def paced(gateway: Running, seconds: float) -> "subprocess.Popen[str]":
    """Start a load of about 1,000 requests a second; no id is requested twice."""
    origin, slash, path = gateway.url.partition("/screen/")
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--latency"]
    command += ["-s", str(SCRIPT), origin, "--", slash + path]
    command += [f"{next(_runs) * IDS_PER_RUN}", "1", f"{PAUSE_MS}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process's threads, which /proc/<pid>/schedstat has exactly."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(one.read_text().split()[0]) for one in tasks) / 1e9


@contextmanager
def opened(browser: Browser, gateway: Running, name: str) -> Iterator[Page]:
    """Open a page of the console in a new profile."""
    context = browser.new_context(extra_http_headers={"authorization": f"Bearer {TOKEN}"})
    try:
        page = context.new_page()
        page.add_init_script(OBSERVE)
        page.goto(f"http://127.0.0.1:{gateway.port}/console/{name}")
        page.wait_for_selector("main")
        yield page
    finally:
        context.close()


def note(page: Page, felt: Felt) -> None:
    """Note what the page has measured since it was opened."""
    found = page.evaluate("bench")
    felt.tasks.append(max(found["tasks"]))
    felt.delays.append(max(found["delays"]))
    felt.paints += page.evaluate(
        "performance.getEntriesByName('first-contentful-paint').map((one) => one.startTime)"
    )


def heap_mb(page: Page) -> float:
    """Return the heap of a page after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return float(used) / 1e6


@contextmanager
def watched(page: Page, felt: Felt) -> Iterator[None]:
    """Note how busy the main thread of a page is meanwhile, by its CPU time."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def used() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    before, began = used(), time.monotonic()
    yield
    felt.busy.append((used() - before) / (time.monotonic() - began))
    session.detach()


def drive(gateway: Running, seconds: float, page: Page | None = None) -> tuple[float, Load]:
    """Load the gateway, with keys for the page; return its CPU microseconds a request."""
    before = cpu_of(gateway.pid)
    load = paced(gateway, seconds)
    while load.poll() is None:
        if page is not None:
            page.keyboard.press("Shift")  # which no page uses
        time.sleep(0.2)
    used = cpu_of(gateway.pid) - before
    assert load.stdout is not None
    figures = parse_load(load.stdout.read())
    return used / figures.requests * 1e6, figures


def compare(
    browser: Browser, gateway: Running, rounds: int, seconds: float, felt: dict[str, Felt]
) -> str:
    """Return the table of CPU time per request, with and without each page."""
    modes = (WITHOUT, *PAGES)
    costs: dict[str, list[float]] = {mode: [] for mode in modes}
    rates = []
    for name in PAGES:  # the first page loads the console
        with opened(browser, gateway, name) as page:
            page.wait_for_function(PAINTED)
            drive(gateway, seconds, page)
    for _ in range(rounds):
        for mode in random.sample(modes, len(modes)):
            if mode == WITHOUT:
                cost, load = drive(gateway, seconds)
            else:
                with opened(browser, gateway, mode) as page:
                    page.wait_for_function(PAINTED)
                    time.sleep(2)
                    with watched(page, felt[mode]):
                        cost, load = drive(gateway, seconds, page)
                    note(page, felt[mode])
            costs[mode].append(cost)
            rates.append(load.rps)
    rows = []
    for mode, values in costs.items():
        ratios = [one / base for one, base in zip(values, costs[WITHOUT], strict=True)]
        share = f"{(statistics.median(ratios) - 1) * 100:+.1f} %"
        spread = f"{(min(ratios) - 1) * 100:+.1f} … {(max(ratios) - 1) * 100:+.1f} %"
        rows.append((mode, f"{statistics.median(values):,.0f}", share, spread))
    title = f"at {statistics.median(rates):,.0f} requests/s"
    return table((title, "CPU µs a request", "median", "all rounds"), rows)


def stay(browser: Browser, gateway: Running, minutes: float, felt: dict[str, Felt]) -> None:
    """Leave the pages open under load, and note their heaps; the first one is after 20 s."""
    for name in PAGES:
        with opened(browser, gateway, name) as page:
            for seconds in (20, minutes * 60):
                drive(gateway, seconds, page)
                felt[name].heap.append(heap_mb(page))
            note(page, felt[name])


def feeling(felt: dict[str, Felt]) -> str:
    """Return the table of what someone at a page notices."""
    rows = [
        (
            name,
            f"{statistics.median(one.paints):,.0f} ms",
            f"{statistics.median(one.busy) * 100:.0f} %",
            f"{max(one.tasks):,.0f} ms" if max(one.tasks) else "none",
            f"{max(one.delays):,.1f} ms",
            " → ".join(f"{size:.1f} MB" for size in one.heap),
        )
        for name, one in felt.items()
    ]
    columns = ("page", "first paint", "main thread", "longest task > 50 ms", "input delay", "heap")
    return table(columns, rows)


def main() -> int:
    """Print what the console costs; 2 where it can't be measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="of load per page and round")
    parser.add_argument("--minutes", type=float, default=2, help="that a page stays open; 0: none")
    options = parser.parse_args()
    if absent := missing(("wrk", "nginx", "taskset", "chromium")):
        print(f"bench: {', '.join(absent)} not installed: nothing can be measured")
        return 2
    console = {**(BFF.environment or {}), "BFF_CONSOLE": "on", "BFF_OPERATOR_TOKEN": TOKEN}
    peer, felt = replace(BFF, environment=console), {name: Felt() for name in PAGES}
    with (
        standing(Plan()) as ground,
        started(peer, ground.services, run=ground.run, cores=f"{ground.cores.gateway}") as gateway,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        print(compare(browser, gateway, options.rounds, options.seconds, felt), flush=True)
        if options.minutes:
            stay(browser, gateway, options.minutes, felt)
        print(f"\n{feeling(felt)}\n\ngateway: {rss_mib(gateway.pid):.0f} MiB")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
