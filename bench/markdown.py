"""Writes the figures of the latest session into the documentation: `python -m bench.markdown`."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from bench.harness.programs import ROOT
from bench.harness.report import DISTURBED, as_ratio

RESULTS = ROOT / "bench" / "results" / "latest.json"
PAGE = ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- figures: python -m bench.markdown -->", "<!-- end of figures -->"

Results = Mapping[str, Any]


def figures(results: Results) -> str:
    """Return the tables of a session."""
    parts = [
        summary(results),
        rows(results["rows"]),
        proxies(results.get("proxy", ())),
        downloads(results.get("download", ())),
        layers(results["layers"]),
        auth(results.get("auth", ())),
        starts(results["imports"], results["ready"]),
        workers(results["workers"]),
    ]
    parts += [f"Skipped: {name}: {reason}." for name, reason in results["skipped"].items()]
    return "\n\n".join(part for part in parts if part)


def summary(results: Results) -> str:
    """Return the ratios of a session, and a description of the machine."""
    parts = [
        f"Machine: {results['machine']}.",
        disturbance(results["disturbed"]),
        ratios(results["ratios"]),
    ]
    return "\n\n".join(part for part in parts if part)


def disturbance(shares: Mapping[str, float]) -> str:
    """Return a warning where other programs were busy during the session."""
    most = max(shares.values(), default=0.0)
    if most <= DISTURBED:
        return ""
    return f"The machine was not left alone: others took up to {most:.0%} of a core meanwhile."


def ratios(results: Sequence[Results]) -> str:
    """Return the budget by peer."""
    lines = [
        f"| {compared(one)} | **{as_ratio(one['ratio'])}** | {as_ratio(one['must'])} "
        f"| {as_ratio(one['goal'])} | {one['verdict']} |"
        for one in results
    ]
    return table("| our CPU per request, over that of | ratio | must ≤ | goal ≤ | |", lines)


def compared(one: Results) -> str:
    """Return the name of the peer, and of the gateway if it is not the usual one."""
    ours = one.get("ours", "bff")
    return f"{one['against']}" if ours == "bff" else f"{one['against']}, that of {ours}"


def rows(results: Sequence[Results]) -> str:
    """Return each gateway's figures."""
    lines = [
        f"| {one['name']} | {one['cpu_us']:,.0f} µs | {one['rps']:,.0f} | {one['p50_ms']:.1f} ms "
        f"| {one['p99_ms']:.1f} ms | {one['rss_mib']:.0f} MiB |"
        for one in results
    ]
    return table("| gateway | CPU per request | requests/s | p50 | p99 | memory |", lines)


def proxies(results: Sequence[Results]) -> str:
    """Return the figures of a proxied GET."""
    lines = [
        f"| {one['proxy']} | {one['cpu_us']:,.0f} µs | {one['rps']:,.0f} | {one['p99_ms']:.1f} ms "
        f"| {one['ours']} | {one['verdict']} |"
        for one in results
    ]
    return table("| a GET of 1 KB through | CPU | requests/s | p99 | ours, over it | |", lines)


def downloads(results: Sequence[Results]) -> str:
    """Return the figures of a large download through proxies."""
    lines = [
        f"| {one['proxy']} | {one['mib_per_cpu_second']:,} MiB | {one['growth_mib']:.1f} MiB "
        f"| {one['ours']} | {one['verdict']} |"
        for one in results
    ]
    return table(
        "| a large file through | per CPU second | memory grew by | ours, over it | |", lines
    )


def layers(results: Sequence[Results]) -> str:
    """Return the times of the upstream stack on a constant reply."""
    lines = [f"| {one['stack']} | {one['us']:.2f} µs | {one['added_us']:+.2f} |" for one in results]
    return table("| constant reply through | per call | added |", lines)


def auth(results: Sequence[Results]) -> str:
    """Return the times of authentication."""
    lines = [f"| {one['who']} | {one['us']:.1f} µs | {one['verdict']} |" for one in results]
    return table("| authentication | per request | must ≤ 15 µs |", lines)


def starts(imports: Sequence[Results], ready: Sequence[Results]) -> str:
    """Return import times and times to ready."""
    lines = [f"| import {one['module']} | {one['ms']:,.0f} ms |" for one in imports]
    lines += [f"| {one['app']}: spawn to ready | {one['ready_ms']:,} ms |" for one in ready]
    return table("| start | |", lines)


def workers(results: Sequence[Results]) -> str:
    """Return one worker against two."""
    lines = [
        f"| {one['workers']} | {one['cpu_us']:,.0f} µs | {one['rps']:,.0f} | {one['p99_ms']:.1f} ms"
        f" | {one['rss_mib']:.0f} MiB |"
        for one in results
    ]
    return table("| workers | CPU per request | requests/s | p99 | memory |", lines)


def table(header: str, lines: Sequence[str]) -> str:
    """Return a Markdown table, or "" without rows."""
    rule = "|---" * (header.count("|") - 1) + "|"
    return "\n".join([header, rule, *lines]) if lines else ""


def put(page: str, text: str) -> str:
    """Return the page with `text` between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def main() -> int:
    """Rewrite the figures of both pages."""
    if not RESULTS.exists():
        print(f"bench: {RESULTS} is not there: run `make bench` first")
        return 2
    results = json.loads(RESULTS.read_text())
    for page, text in ((PAGE, figures(results)), (README, summary(results))):
        page.write_text(put(page.read_text(), text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
