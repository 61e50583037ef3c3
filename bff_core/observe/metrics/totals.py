"""Reads the totals of a sink: its counters and histograms by family and labels."""

from collections import Counter
from collections.abc import Iterable, Iterator

from bff_core.observe.metrics.histogram import Histogram
from bff_core.observe.metrics.requests import STATUS_CLASSES, RequestCounts
from bff_core.observe.metrics.samples import HistogramSample, Labels, Totals
from bff_core.observe.metrics.series import ViewSeries
from bff_core.observe.metrics.sink import MetricsSink

Counts = Iterable[tuple[Labels, float]]


def totals_of(sink: MetricsSink) -> Totals:
    """Return what a sink has counted since it was made."""
    requests = sink.requests
    counters: dict[str, list[tuple[Labels, float]]] = {
        "bff_requests_total": _sorted(_requests(requests)),
        "bff_graphql_fields_total": _sorted(_fields(requests)),
        "bff_stale_answers_total": _sorted(
            (labels, view.stale) for labels, view in requests.views.found.items() if view.stale
        ),
        "bff_client_requests_total": _sorted(
            ((*labels, state), count)
            for labels, client in requests.clients.found.items()
            for state, count in client.states.items()
        ),
        "bff_parts_total": _sorted(_parts(requests)),
        "bff_calls_total": _sorted(_calls(requests)),
        "bff_objective_answers_total": _sorted(_objectives(requests)),
        "bff_blame_total": _sorted(
            ((*labels, outcome), count)
            for labels, counts in requests.blames.found.items()
            for outcome, count in counts.items()
        ),
        "bff_telemetry_lost_total": _sorted(
            ((reason,), count) for reason, count in sink.read_lost().items()
        ),
        **{family: _sorted(counter.items()) for family, counter in sink.rare.items()},
    }
    return Totals(counters, _histograms(requests))


def _histograms(requests: RequestCounts) -> dict[str, list[tuple[Labels, HistogramSample]]]:
    found: dict[str, dict[Labels, Histogram]] = {
        "bff_request_duration_seconds": {
            labels: one.histogram for labels, one in requests.views.found.items()
        },
        "bff_graphql_field_duration_seconds": {
            labels: one.histogram for labels, one in requests.fields.found.items()
        },
        "bff_part_duration_seconds": {
            labels: one.histogram for labels, one in requests.parts.found.items()
        },
        "bff_call_duration_seconds": {
            labels: one.histogram for labels, one in requests.calls.found.items()
        },
    }
    return {
        family: [
            (labels, HistogramSample(list(one.counts), one.total, dict(one.exemplars)))
            for labels, one in sorted(histograms.items())
        ]
        for family, histograms in found.items()
    }


def _sorted(counts: Counts) -> list[tuple[Labels, float]]:
    return sorted((tuple(labels), value) for labels, value in counts)


def _requests(requests: RequestCounts) -> Counts:
    """Return the answers by method, route, class of status and state."""
    found: Counter[Labels] = Counter()
    for labels, view in requests.views.found.items():
        for status, count in view.counts.items():
            found[*labels, STATUS_CLASSES[status // 100], "complete"] += count
        for (status, state), count in view.spoilt.items():
            found[*labels, STATUS_CLASSES[status // 100], state] += count
    return found.items()


def _fields(requests: RequestCounts) -> Iterator[tuple[Labels, float]]:
    for labels, field in requests.fields.found.items():
        for state in ("complete", "degraded", "failed"):
            count = field.by_state()[state]
            if count:
                yield (*labels, state), count


def _parts(requests: RequestCounts) -> Iterator[tuple[Labels, float]]:
    for labels, part in requests.parts.found.items():
        for state, count in part.by_state().items():
            yield (*labels, state), count


def _calls(requests: RequestCounts) -> Counts:
    found: Counter[Labels] = Counter()
    for labels, call in requests.calls.found.items():
        if fine := call.fine:
            found[*labels, "2xx", "upstream"] += fine
        for words, count in call.counts.items():
            found[*labels, *words] += count
    return found.items()


def _objectives(requests: RequestCounts) -> Iterator[tuple[Labels, float]]:
    for view in views_with_objective(requests):
        for outcome, count in ({} if view.budget is None else view.budget.outcomes).items():
            yield (view.label, outcome), count


def views_with_objective(requests: RequestCounts) -> list[ViewSeries]:
    """Return the views and fields that have an objective and were answered."""
    every = (*requests.views.found.values(), *requests.fields.found.values())
    return [view for view in every if view.objective is not None]
