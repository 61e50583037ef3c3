"""The measurements: loads beyond capacity, classes of criticality, recovery after an outage."""

from bench.harness.load import drive
from bench.harness.report import Json
from bench.overload.figures import (
    class_row,
    good_rate,
    good_since,
    load_row,
    of,
    quantile_ms,
    recovered_after,
    share,
)
from bench.overload.generator import Kind, get
from bench.overload.ground import Fault, Ground, Stage
from bench.overload.verdicts import FAILED, Screens, healthy

PROBES = 20.0
"""Probes of `/healthz` per second."""

BEFORE, AFTER = 3.0, 20.0
"""Seconds of half load before and after an outage."""


def capacity(ground: Ground, seconds: float) -> float:
    """Return the most whole screens a second that a gateway answers, however many are offered.

    What a closed loop finds is where the search begins: its clients wait for each other, and so
    spare the gateway some of the work.
    """
    judge, found = Screens(ground.payloads.trimmed), 0.0
    with ground.gateway("refusing") as stage:
        url = f"http://127.0.0.1:{stage.port}/screen/"
        closed = drive(url, seconds=3, core=ground.cores.load).rps
        for times in (0.7, 0.8, 0.9, 1.0, 1.1):
            kind = Kind("screen", times * closed, get("/screen/%d"), judge)
            run = stage.offer((kind,), max(2.0, seconds / 2))
            found = max(found, good_rate(run))
    return found


def loads(ground: Ground, mode: str, most: float, seconds: float) -> list[Json]:
    """Offer one, two and three times the capacity; return a row for each."""
    rows: list[Json] = []
    judge = Screens(ground.payloads.trimmed)
    with ground.gateway(mode) as stage:
        warm_up(stage, most, judge)
        for times in (1, 2, 3):
            screens = Kind("screen", times * most, get("/screen/%d"), judge)
            probes = Kind("probe", PROBES, get("/healthz"), healthy)
            run = stage.offer((screens, probes), seconds)
            rows.append({"gateway": mode, "load": times, **load_row(run, most)})
    return rows


def classes(ground: Ground, most: float, seconds: float) -> list[Json]:
    """Offer two and three times the capacity, half of it sheddable; return a row per class."""
    rows: list[Json] = []
    judge = Screens(ground.payloads.trimmed)
    with ground.gateway("default") as stage:
        warm_up(stage, most, judge)
        for times in (2, 3):
            half = times * most / 2
            critical = Kind("critical", half, get("/screen/%d"), judge)
            sheddable = Kind("sheddable", half, get("/shelf/%d"), judge)
            run = stage.offer((critical, sheddable), seconds)
            rows += [
                {"class": kind.name, "load": times, **class_row(run, kind.name)}
                for kind in (critical, sheddable)
            ]
    return rows


def outage(ground: Ground, fault: Fault, most: float, lasting: float) -> Json:
    """Break a critical service under half load, repair it, and measure the recovery of goodput."""
    judge, mended = Screens(ground.payloads.trimmed), BEFORE + lasting
    with ground.gateway("default") as stage:
        warm_up(stage, most, judge)
        breaking = Breaking(ground, fault, mended)
        kind = Kind("screen", most / 2, get("/screen/%d"), judge)
        run = stage.offer((kind,), mended + AFTER, tick=breaking)
    during = [one for one in run.sent if BEFORE <= one.due < mended]
    return {
        "fault": fault,
        "seconds": lasting,
        "attempts per request": round(breaking.arrivals / len(during), 3),
        "answered 5xx": share(during, FAILED),
        "5xx p99": quantile_ms(of(during, FAILED), 0.99),
        "full goodput after": (back := recovered_after(run, mended)),
        "whole from then on": None if back is None else good_since(run, mended + back),
        "others": f"{run.disturbed:.0%}",
    }


class Breaking:
    """Breaks the users service at a given time, and repairs it."""

    def __init__(self, ground: Ground, fault: Fault, mended: float) -> None:
        self._ground = ground
        self._fault: Fault = fault
        self._steps = [(BEFORE, self._begin), (mended, self._end)]
        self.arrivals = 0

    def __call__(self, now: float) -> None:
        """Act on the time."""
        while self._steps and now >= self._steps[0][0]:
            self._steps.pop(0)[1]()

    def _begin(self) -> None:
        self._ground.begin(self._fault)

    def _end(self) -> None:
        self.arrivals = self._ground.end(self._fault)


def warm_up(stage: Stage, most: float, judge: Screens) -> None:
    """Let a gateway open its connections."""
    stage.offer((Kind("screen", most / 2, get("/screen/%d"), judge),), 2.0)
