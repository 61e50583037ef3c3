"""The last 15 minutes in steps of five seconds, so that figures have a course over time."""

from collections import deque
from typing import Final

from bff_core.observe.metrics.samples import (
    Blamed,
    CallStep,
    ViewStep,
    WindowStep,
    added_calls,
)
from bff_core.observe.metrics.series import CallSeries, ViewSeries
from bff_core.observe.metrics.sink import MetricsSink

STEP_SECONDS: Final = 5.0

WINDOW_SECONDS: Final = 900.0

MAX_STEPS: Final = int(WINDOW_SECONDS / STEP_SECONDS)

REFUSED: Final = ("bff_requests_shed_total", "bff_requests_refused_total")


class Steps:
    """What a sink has counted in each step; the first answer or reader after a step ends it."""

    def __init__(self, sink: MetricsSink) -> None:
        self._sink = sink
        self._ended: deque[WindowStep] = deque(maxlen=MAX_STEPS)
        self._number = -1
        self._blames: dict[tuple[str, ...], int] = {}
        self._refused = 0
        self._joined = 0
        sink.requests.on_step = self.end_step
        self.end_step()

    def end_step(self) -> None:
        """End the step that runs, if its time is over; one without requests is not stored."""
        number = number_of(self._sink.now())
        if number == self._number:
            return
        step = self._current(ends=True)
        if step.views or step.calls or step.refused:
            self._ended.append(step)
        self._number = number
        self._sink.requests.step_ends = (number + 1) * STEP_SECONDS

    def since(self, number: int) -> list[WindowStep]:
        """Return the steps from a number on; the last one still runs."""
        self.end_step()
        return [*(one for one in self._ended if one.number >= number), self._current(ends=False)]

    def _current(self, *, ends: bool) -> WindowStep:
        requests, step = self._sink.requests, WindowStep(self._number)
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
        joined = sum(self._sink.rare.get("bff_coalesced_calls_total", {}).values())
        step.refused, step.joined = refused - self._refused, joined - self._joined
        if ends:
            self._blames, self._refused, self._joined = blames, refused, joined
        return step


def number_of(now: float) -> int:
    """Return the number of the step at an instant in Unix time."""
    return int(now / STEP_SECONDS)


def _add_view(step: WindowStep, view: ViewSeries, *, ends: bool) -> None:
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


def _add_calls(step: WindowStep, upstream: str, calls: CallSeries, *, ends: bool) -> None:
    marked = calls.errors, calls.rejected, calls.saved
    buckets = calls.histogram.since_mark()
    errors, rejected, saved = (now - then for now, then in zip(marked, calls.marked, strict=True))
    if not (buckets or rejected or saved):
        return
    own = CallStep(sum(buckets.values()) + rejected, errors + rejected, saved, buckets)
    known = step.calls.get(upstream)
    step.calls[upstream] = own if known is None else added_calls(known, own)
    if ends:
        calls.marked = marked
        calls.histogram.mark()
