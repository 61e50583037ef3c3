"""Counts the answers of a gateway: by route and field, part, call, client, and what spoilt them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Final

from bff_core import events
from bff_core.errors import UpstreamError
from bff_core.objective import Objective
from bff_core.observe.exceptions import cause_of
from bff_core.observe.metrics.blame import PartProblem, RequestNotes, blamed, request_notes
from bff_core.observe.metrics.clients import Clients
from bff_core.observe.metrics.series import OTHER, Bounded, CallSeries, PartSeries, ViewSeries
from bff_core.scope import EndedCall, Scope, current_request

MAX_VIEWS: Final = 300
MAX_PARTS: Final = 500
MAX_CALLS: Final = 500
MAX_BLAMES: Final = 500
"""How many series with all labels there may be of each kind; later ones share series."""

METHODS: Final = frozenset(
    {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "WEBSOCKET"}
)

MAX_UNFLUSHED: Final = 512
"""The answers and compositions whose durations are pending at most."""

NOT_SENT: Final = frozenset({"circuit_open", "bulkhead_full", "credentials_unavailable"})
"""Error codes of calls that were not sent: they have failed in no time."""

NO_PROBLEMS: Final[Sequence[PartProblem]] = ()


class RequestCounts:
    """The answers, parts and calls of one gateway in one process; `now` returns Unix time.

    `objectives` are those of views by label, such as "GET /v1/home". `on_step` is called before the
    first answer at or after `step_ends`.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.objectives: Mapping[str, Objective] = {}
        self.views = Bounded(self._view, MAX_VIEWS)
        self.fields = Bounded(self._view, MAX_VIEWS)
        self.parts = Bounded(PartSeries, MAX_PARTS)
        self.calls = Bounded(CallSeries, MAX_CALLS)
        self.blames: Bounded[Counter[str]] = Bounded(lambda _: Counter(), MAX_BLAMES)
        self.clients = Clients(now)
        self.step_ends = inf
        self._unflushed = 0
        self.on_step: Callable[[], None] = lambda: None

    def set_objectives(self, objectives: Mapping[str, Objective]) -> None:
        """Set the objectives of views by their labels."""
        self.objectives = objectives
        for view in (*self.views.found.values(), *self.fields.found.values()):
            view.set_objective(objectives.get(view.label))

    def _view(self, labels: tuple[str, ...]) -> ViewSeries:
        label = " ".join(labels)
        return ViewSeries(label, self.objectives.get(label))

    def flush(self) -> None:
        """Sort all pending durations into buckets, so that their lists stay short."""
        self._unflushed = 0
        for kind in (self.views, self.fields, self.parts, self.calls):
            for series in kind.found.values():
                if series.durations:
                    series.histogram.flush()

    def _tidy(self, now: float) -> None:
        self.flush()
        if now >= self.step_ends:
            self.on_step()

    def answered(self, event: events.RequestAnswered) -> None:
        """Count an answer, with the parts and calls of its request."""
        now = self._now()
        self._unflushed += 1
        if self._unflushed >= MAX_UNFLUSHED or now >= self.step_ends:
            self._tidy(now)
        scope, status = current_request.get(), event.status
        state = "failed" if status >= 500 else "complete"
        problems, calls, is_stale = NO_PROBLEMS, None, False
        if scope is not None:
            calls, scope.ended_calls = scope.ended_calls, None
            notes = scope.observed
            if isinstance(notes, RequestNotes):
                is_stale, problems = notes.is_stale, notes.with_upstreams(calls or ())
                state = "degraded" if problems and status < 400 else state
        if calls:
            self._count_calls(calls, problems)
        labels, seconds = (event.method, event.route), event.duration
        view = self.views.found.get(labels) or self._added(*labels)
        if is_stale and state == "complete":
            view.stale += 1
        if state == "complete" and event.span is None and seconds <= view.good_seconds:
            view.counts[status] += 1
            view.durations.append(seconds)
            if view.budget is not None and status < 400:
                view.budget.count("good", now)
        else:
            self._count(view, event, state, now, scope=scope, problems=problems, calls=calls or ())
        if scope is not None:
            self.clients.of(scope).states[state] += 1
            if scope.root_fields is not None:
                self._count_fields(event, state, now, scope, problems=problems, calls=calls or ())

    def _added(self, method: str, route: str) -> ViewSeries:
        known = method if method in METHODS else OTHER
        return self.views.add((known, route or OTHER))

    def _count(
        self,
        view: ViewSeries,
        event: events.RequestAnswered,
        state: str,
        now: float,
        *,
        scope: Scope | None,
        problems: Sequence[PartProblem],
        calls: Sequence[EndedCall],
    ) -> None:
        """Count an answer for its route or for one of its fields."""
        seconds = event.duration
        if state == "complete":
            view.counts[event.status] += 1
        else:
            view.spoilt[event.status, state] += 1
        view.histogram.observe(seconds)
        if event.span is not None:
            view.histogram.exemplify((event.trace_id, seconds, now))
        outcome = state
        if view.budget is not None and not 400 <= event.status < 500:
            outcome = view.spend(state, seconds, now)
        if outcome not in {"complete", "good"}:
            client = ("", "") if scope is None else self.clients.of(scope).labels
            for culprit in blamed(event, problems, calls):
                self.blames.add((view.label, *culprit, *client))[outcome] += 1

    def _count_fields(
        self,
        event: events.RequestAnswered,
        state: str,
        now: float,
        scope: Scope,
        *,
        problems: Sequence[PartProblem],
        calls: Sequence[EndedCall],
    ) -> None:
        """Count an answer for each root field of its GraphQL operation.

        A field has the state of the whole answer, or has failed.
        """
        for label in dict.fromkeys((scope.root_fields or {}).values()):
            word, _, name = label.partition(" ")
            own = "failed" if label in scope.failed_fields else state
            view = self.fields.add((word, name))
            self._count(view, event, own, now, scope=scope, problems=problems, calls=calls)

    def parts_ended(self, event: events.PartsEnded) -> None:
        """Count the parts of a composition, and note those of its request that did not end well."""
        self._unflushed += 1  # also outside of requests
        if self._unflushed >= MAX_UNFLUSHED:
            self.flush()
        composition, found = event.composition, self.parts.found
        for part in event.parts:
            if not part.is_done:
                continue
            labels = composition, part.name
            series = found.get(labels) or self.parts.add(labels)
            series.durations.append(part.ended - part.started)
            if part.state == "ok":
                continue
            state = part.state if part.exception() is None else "failed"
            series.states[state] += 1
            if (notes := request_notes()) is not None:
                notes.add(PartProblem(composition, part.name, state, part.reason))

    def part_failed(self, event: events.PartEnded) -> None:
        """Note the service behind the error of a part."""
        if event.error is None or (notes := request_notes()) is None:
            return
        cause = cause_of(event.error)
        if isinstance(cause, UpstreamError):
            notes.upstreams[event.composition, event.part] = cause.call.upstream

    def call_ended(self, event: events.CallEnded) -> None:
        """Count a call outside of requests; those of a request are counted with its answer."""
        self._unflushed += 1
        if self._unflushed >= MAX_UNFLUSHED:
            self.flush()
        outcome = int(event.outcome) if event.outcome.isdigit() else event.outcome
        self.count_call(
            (event.upstream, event.operation, outcome, event.source, event.duration, "")
        )

    def _count_calls(self, calls: Sequence[EndedCall], problems: Sequence[PartProblem]) -> None:
        """Count the calls of a request; this does the usual ones itself."""
        found = self.calls.found
        for call in calls:
            upstream, operation, outcome, source, seconds, _ = call
            series = found.get((upstream, operation))
            if series is not None and source == "upstream" and outcome == 200:
                series.durations.append(seconds)
            else:
                self.count_call(call, problems)

    def count_call(self, call: EndedCall, problems: Sequence[PartProblem] = NO_PROBLEMS) -> None:
        """Count a call; it has timed out if it was cancelled with its part, whose time was over."""
        upstream, operation, outcome, source, seconds, part = call
        labels = upstream, operation
        series = self.calls.found.get(labels) or self.calls.add(labels)
        if isinstance(outcome, int):
            word, is_error = STATUS_CLASSES[outcome // 100], outcome >= 500
        else:
            word = _timed_out(part, problems) if outcome == "cancelled" else outcome
            is_error = word != "cancelled"
        series.counts[word, source] += 1
        if word in NOT_SENT:
            series.rejected += 1
        elif source == "upstream" or not source:
            series.durations.append(seconds)
            if is_error:
                series.errors += 1
        else:
            series.saved += 1


STATUS_CLASSES: Final = ("other", "1xx", "2xx", "3xx", "4xx", "5xx", *["other"] * 4)


def _timed_out(part: str, problems: Sequence[PartProblem]) -> str:
    """Return the outcome of a call that was cancelled."""
    is_late = any(one.part == part and one.reason == "timeout" for one in problems)
    return "timeout" if is_late else "cancelled"
