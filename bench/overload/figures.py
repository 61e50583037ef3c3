"""Computes the figures of a run: rates, shares and quantiles, after the limit has settled."""

from collections import Counter
from collections.abc import Sequence

from bench.harness.report import Json
from bench.overload.generator import Run, Sent
from bench.overload.verdicts import FULL, GOOD, REFUSED

SETTLE = 1.0
"""The start of a run that is not counted, as the limit still adapts (seconds)."""

IN_TIME = 1.0
"""An answer that takes longer is useless (seconds)."""

WINDOW = 0.5
"""Seconds over which goodput is counted after an outage."""

BACK = 6
"""How many of those in a row are good when goodput is back."""


def of(sent: Sequence[Sent], *verdicts: str) -> list[Sent]:
    """Return the requests that ended so."""
    return [one for one in sent if one.verdict in verdicts]


def settled(run: Run, kind: str) -> list[Sent]:
    """Return the requests of one kind without those of the first second."""
    return [one for one in run.sent if one.kind == kind and one.due >= SETTLE]


def quantile_ms(sent: Sequence[Sent], share: float) -> float | None:
    """Return a quantile of the latencies in milliseconds."""
    if not sent:
        return None
    latencies = sorted(one.latency for one in sent)
    return round(latencies[min(int(len(latencies) * share), len(latencies) - 1)] * 1000, 2)


def good_rate(run: Run) -> float:
    """Return how many screens a second were answered in time."""
    in_time = (one.latency <= IN_TIME for one in of(settled(run, "screen"), *GOOD))
    return sum(in_time) / (run.seconds - SETTLE)


def load_row(run: Run, capacity: float) -> Json:
    """Return the outcomes of screens and probes under a load."""
    screens, seconds = settled(run, "screen"), run.seconds - SETTLE
    good, refused = of(screens, *GOOD), of(screens, REFUSED)
    lateness = sorted(run.lateness)
    return {
        "offered/s": round(len(screens) / seconds),
        "good/s": round(good_rate(run)),
        "of capacity": round(good_rate(run) / capacity, 2),
        "whole": share(good, FULL),
        "refused/s": round(len(refused) / seconds),
        "refused p50": quantile_ms(refused, 0.5),
        "refused p99": quantile_ms(refused, 0.99),
        "good p50": quantile_ms(good, 0.5),
        "good p99": quantile_ms(good, 0.99),
        "probe p99": quantile_ms(settled(run, "probe"), 0.99),
        "others": f"{run.disturbed:.0%}",
        "lost": len(of(screens, "lost", "broken")),
        "sent late p99": round(lateness[int(len(lateness) * 0.99)] * 1000, 2),
    }


def class_row(run: Run, kind: str) -> Json:
    """Return which share of a class was answered, and how."""
    sent = settled(run, kind)
    return {
        "offered/s": round(len(sent) / (run.seconds - SETTLE)),
        "answered": share(sent, *GOOD),
        "whole": share(sent, FULL),
        "refused": share(sent, REFUSED),
        "good p99": quantile_ms(of(sent, *GOOD), 0.99),
        "others": f"{run.disturbed:.0%}",
    }


def share(sent: Sequence[Sent], *verdicts: str) -> float:
    """Return which share of requests ended so."""
    return round(len(of(sent, *verdicts)) / len(sent), 3) if sent else 0.0


def recovered_after(run: Run, mended: float) -> float | None:
    """Return the seconds from `mended` until goodput is back for three seconds; None if never.

    It is back where 95 % of what was due in half a second was answered whole and in time.
    """
    due, good = Counter[int](), Counter[int]()
    for one in run.sent:
        window = int((one.due - mended) // WINDOW)
        due[window] += 1
        good[window] += one.verdict == FULL and one.latency <= IN_TIME
    windows = range(int((run.seconds - mended) / WINDOW))
    is_back = [good[window] >= 0.95 * due[window] for window in windows]
    for window in windows:
        if all(is_back[window : window + BACK]):
            return window * WINDOW
    return None


def good_since(run: Run, second: float) -> float:
    """Return which share of what was due from a second on was answered whole."""
    return share([one for one in run.sent if one.due >= second], FULL)
