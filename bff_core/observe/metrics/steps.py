"""The last 15 minutes in steps of five seconds, so that figures have a course over time."""

from collections import deque
from typing import Final

from bff_core.observe.metrics.samples import (
    Blamed,
    CallStep,
    Step,
    ViewStep,
    added_calls,
)
from bff_core.observe.metrics.series import CallSeries, ViewSeries
from bff_core.observe.metrics.sink import MetricsSink

STEP_SECONDS: Final = 5.0

WINDOW_SECONDS: Final = 900.0

MAX_STEPS: Final = int(WINDOW_SECONDS / STEP_SECONDS)

REFUSED: Final = ("bff_requests_shed_total", "bff_requests_refused_total")


class Steps:
    """What a sink has counted in each step; `end_step` is called once in each."""

    def __init__(self, sink: MetricsSink) -> None:
        self._sink = sink
        self._ended: deque[Step] = deque(maxlen=MAX_STEPS)
        self._number = number_of(sink.now())
        self._blames: dict[tuple[str, ...], int] = {}
        self._refused = 0

    def end_step(self) -> None:
        """End the step that runs, if its time is over; one without requests is not stored."""
        number = number_of(self._sink.now())
        if number == self._number:
            return
        step = self._current(ends=True)
        if step.views or step.calls or step.refused:
            self._ended.append(step)
        self._number = number

    def since(self, number: int) -> list[Step]:
        """Return the steps from a number on; the last one may still run."""
        return [*(one for one in self._ended if one.number >= number), self._current(ends=False)]

    def _current(self, *, ends: bool) -> Step:
        requests, step = self._sink.requests, Step(self._number)
        for view in (*requests.views.found.values(), *requests.fields.found.values()):
            _add_view(step, view, ends=ends)
        for labels, calls in requests.calls.found.items():
            _add_calls(step, labels[0], calls, ends=ends)
        blames = {labels: sum(one.values()) for labels, one in requests.blames.found.items()}
        step.blames = [
            (Blamed(*labels), count - self._blames.get(labels, 0))
            for labels, count in blames.items()
            if count > self._blames.get(labels, 0)
        ]
        refused = sum(sum(self._sink.rare.get(one, {}).values()) for one in REFUSED)
        step.refused = refused - self._refused
        if ends:
            self._blames, self._refused = blames, refused
        return step


def number_of(now: float) -> int:
    """Return the number of the step at an instant in Unix time."""
    return int(now / STEP_SECONDS)


def _add_view(step: Step, view: ViewSeries, *, ends: bool) -> None:
    buckets = view.histogram.since_mark()
    if not buckets:
        return
    states = view.by_state()
    step.views[view.label] = ViewStep(
        **{state: count - view.marked.get(state, 0) for state, count in states.items()},
        buckets=buckets,
    )
    if ends:
        view.marked = states
        view.histogram.mark()


def _add_calls(step: Step, upstream: str, calls: CallSeries, *, ends: bool) -> None:
    buckets = calls.histogram.since_mark()
    if not buckets:
        return
    own = CallStep(sum(buckets.values()), calls.errors - calls.marked, buckets)
    known = step.calls.get(upstream)
    step.calls[upstream] = own if known is None else added_calls(known, own)
    if ends:
        calls.marked = calls.errors
        calls.histogram.mark()
