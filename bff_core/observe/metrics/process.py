"""The metrics of one process: samples of its sink, its steps, and gauges that are read."""

import os
from collections.abc import Callable, Mapping, Sequence

from bff_core.objective import Objective
from bff_core.observe.metrics.samples import Labels, SampledView, Samples, SamplesQuery, Totals
from bff_core.observe.metrics.sink import MetricsSink
from bff_core.observe.metrics.steps import Steps
from bff_core.observe.metrics.totals import totals_of, views_with_objective

Gauges = Mapping[str, Sequence[tuple[Labels, float]]]
"""Values by family and labels."""

BREAKER_STATES = ("closed", "half-open", "open")


class MeasuredView:
    """A view that the gateway serves: the name of its screen (or empty) and its objective."""

    __slots__ = ("objective", "screen")

    def __init__(self, screen: str = "", objective: Objective | None = None) -> None:
        self.screen = screen
        self.objective = objective


class ProcessMetrics:
    """What this process has counted; `read` returns gauges and counters that are not events.

    `views` are those that the gateway serves by label, such as "GET /v1/home".
    """

    def __init__(
        self,
        sink: MetricsSink,
        gateway: str,
        *,
        views: Mapping[str, MeasuredView],
        read_gauges: Callable[[], Gauges] = dict,
        read_counters: Callable[[], Gauges] = dict,
        read_upstreams: Callable[[], list[str]] = list,
    ) -> None:
        self._sink = sink
        self.gateway = gateway
        self._views = views
        self._read_gauges = read_gauges
        self._read_counters = read_counters
        self._read_upstreams = read_upstreams
        self.steps = Steps(sink)
        sink.requests.set_objectives(
            {label: one.objective for label, one in views.items() if one.objective is not None}
        )

    def totals(self) -> Totals:
        """Return counters and histograms since the process started."""
        totals = totals_of(self._sink)
        for family, rows in self._read_counters().items():
            totals.counters[family] = list(rows)
        return totals

    def samples(self, query: SamplesQuery) -> Samples:
        """Return what was counted."""
        sink = self._sink
        return Samples(
            self.gateway,
            os.getpid(),
            sink.started,
            sink.now(),
            self.totals() if query.has_totals else Totals(),
            {family: list(rows) for family, rows in self._gauges().items()},
            self._sampled_views(),
            self.steps.since(query.since),
            dict(sink.breakers),
            list(sink.occurrences),
            self._read_upstreams(),
        )

    def _gauges(self) -> Gauges:
        sink = self._sink
        return {
            "bff_worker_start_time_seconds": [((), sink.started)],
            "bff_store_up": [
                ((name,), float(state != "open")) for name, state in sorted(sink.stores.items())
            ],
            **self._read_gauges(),
        }

    def _sampled_views(self) -> dict[str, SampledView]:
        now = self._sink.now()
        spent = {
            view.label: view.budget.windows(now)
            for view in views_with_objective(self._sink.requests)
            if view.budget is not None
        }
        return {
            label: SampledView(
                one.screen,
                "" if one.objective is None else one.objective.text,
                spent.get(label, {}),
            )
            for label, one in self._views.items()
        }
