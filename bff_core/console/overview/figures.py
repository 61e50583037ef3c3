"""The six figures of the overview, and the responses by state over time."""

from collections.abc import Callable, Sequence

from bff_core.console.metrics.window import (
    GatewayWindow,
    answers_in,
    calls_in,
    course,
    points_of,
)
from bff_core.console.model import Figure, Responses, Severity
from bff_core.observe.metrics.histogram import quantile
from bff_core.observe.metrics.samples import WindowStep
from bff_core.observe.metrics.steps import STEP_SECONDS

Value = Callable[[Sequence[WindowStep]], float | None]


def figures_of(windows: Sequence[GatewayWindow], worst: Severity) -> list[Figure]:
    """Return rate, completeness, errors, latency, calls for each request, and calls saved."""
    recent = [step for one in windows for step in one.recent()]
    points = points_of(windows)
    rate = sum(answers_in(one.recent()).answers / one.seconds for one in windows)
    rates: list[float | None] = [
        _rate(steps, seconds) for steps, seconds in _timed(points, windows)
    ]
    answers = answers_in(recent)
    incomplete: Severity = worst if answers.answers > answers.complete else "ok"
    failed: Severity = "failed" if answers.failed else "ok"
    return [
        Figure(name="Requests", value=rate, unit="/s", course=rates),
        _figure("Complete", "%", _complete, recent, points, state=incomplete),
        _figure("Errors", "%", _errors, recent, points, state=failed),
        _figure("Latency p95", "ms", _late, recent, points),
        _figure("Calls per request", "", _calls, recent, points),
        _figure("Calls saved by cache and coalescing", "%", _saved, recent, points),
    ]


def _figure(
    name: str,
    unit: str,
    value: Value,
    recent: Sequence[WindowStep],
    points: Sequence[Sequence[WindowStep]],
    *,
    state: Severity = "ok",
) -> Figure:
    return Figure(
        name=name, value=value(recent), unit=unit, course=course(points, value), state=state
    )


def _timed(
    points: Sequence[Sequence[WindowStep]], windows: Sequence[GatewayWindow]
) -> list[tuple[Sequence[WindowStep], float]]:
    """Return the steps of each point with the seconds that it covers; the last one still runs."""
    if not windows:
        return []
    now, length = max(one.time for one in windows), _point_seconds(windows)
    passed = now - now // length * length
    covered = [length] * (len(points) - 1) + [max(passed, 1.0)]
    return list(zip(points, covered, strict=True))


def _point_seconds(windows: Sequence[GatewayWindow]) -> float:
    return windows[0].point_steps * STEP_SECONDS


def _rate(steps: Sequence[WindowStep], seconds: float) -> float:
    return answers_in(steps).answers / seconds


def _complete(steps: Sequence[WindowStep]) -> float | None:
    answers = answers_in(steps)
    return 100 * answers.complete / answers.answers if answers.answers else None


def _errors(steps: Sequence[WindowStep]) -> float | None:
    answers = answers_in(steps)
    return 100 * answers.failed / answers.answers if answers.answers else None


def _late(steps: Sequence[WindowStep]) -> float | None:
    seconds = quantile(answers_in(steps).buckets, 0.95)
    return None if seconds is None else 1000 * seconds


def _calls(steps: Sequence[WindowStep]) -> float | None:
    answers, calls = answers_in(steps).answers, calls_in(steps).calls
    sent = calls - sum(step.joined for step in steps)
    return max(sent, 0) / answers if answers else None


def _saved(steps: Sequence[WindowStep]) -> float | None:
    calls = calls_in(steps)
    wanted = calls.calls + calls.saved
    saved = calls.saved + sum(step.joined for step in steps)
    return 100 * min(saved / wanted, 1.0) if wanted else None


def responses_of(windows: Sequence[GatewayWindow], now: float) -> Responses:
    """Return the responses per second by state; a complete one with a stale part is stale."""
    length = _point_seconds(windows) if windows else STEP_SECONDS
    rows = [(answers_in(one), seconds) for one, seconds in _timed(points_of(windows), windows)]
    return Responses(
        start=(now // length - len(rows) + 1) * length,
        step=length,
        ok=[(one.complete - one.stale) / seconds for one, seconds in rows],
        stale=[one.stale / seconds for one, seconds in rows],
        degraded=[one.degraded / seconds for one, seconds in rows],
        failed=[one.failed / seconds for one, seconds in rows],
    )
