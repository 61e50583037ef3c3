"""Histograms of request durations, counted by plain dictionaries on the request's path."""

import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from bff_core.events import Attempted, RequestAnswered
from bff_core.observe.opentelemetry.conventions import (
    SCHEMA,
    Attributes,
    address_attributes,
    error_type,
    failure_of,
    known_method,
    method_attributes,
)

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Seconds, as the conventions advise."""

MAX_SERIES: Final = 2000
"""Sets of attributes of one metric; further ones are counted together."""

Key = tuple[object, ...]
OVERFLOW: Final[Key] = ()


class _Series:
    __slots__ = ("buckets", "count", "highest", "lowest", "total")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.count = 0
        self.total = 0.0
        self.lowest = float("inf")
        self.highest = 0.0

    def add(self, seconds: float) -> None:
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.count += 1
        self.total += seconds
        self.lowest = min(self.lowest, seconds)
        self.highest = max(self.highest, seconds)


class _Durations:
    """A histogram: a series for each key."""

    def __init__(self) -> None:
        self.series: dict[Key, _Series] = {}

    def add(self, key: Key, seconds: float) -> None:
        series = self.series.get(key)
        if series is None:
            if len(self.series) >= MAX_SERIES:
                key = OVERFLOW
            series = self.series.setdefault(key, _Series())
        series.add(seconds)


class RequestMetrics:
    """Counts `http.server.request.duration` and `http.client.request.duration`.

    With `is_delta` each collection begins anew.
    """

    def __init__(self, *, is_delta: bool = False) -> None:
        self._is_delta = is_delta
        self._server, self._client = _Durations(), _Durations()
        self._started = time.time_ns()

    def count_request(self, event: RequestAnswered) -> None:
        """Count a request of a client."""
        key = event.method, event.route, event.status, event.scheme
        self._server.add(key, event.duration)

    def count_attempt(self, event: Attempted) -> None:
        """Count a request to a service."""
        key = event.operation, event.upstream, event.endpoint, event.outcome
        self._client.add(key, event.duration)

    def collect(self, resource: Resource, version: str) -> MetricsData | None:
        """Return what was counted; None if nothing was."""
        server, client = self._server, self._client
        if not (server.series or client.series):
            return None
        started, now = self._started, time.time_ns()
        points = (
            [
                _point(_of_server(key), one, started, now)
                for key, one in list(server.series.items())
            ],
            [
                _point(_of_client(key), one, started, now)
                for key, one in list(client.series.items())
            ],
        )
        if self._is_delta:
            self._server, self._client, self._started = _Durations(), _Durations(), now
        metrics = [
            self._metric(f"http.{side}.request.duration", f"Duration of HTTP {side} requests.", one)
            for side, one in zip(("server", "client"), points, strict=True)
            if one
        ]
        scope = InstrumentationScope("bff_core", version, SCHEMA)
        return MetricsData([ResourceMetrics(resource, [ScopeMetrics(scope, metrics, SCHEMA)], "")])

    def _metric(self, name: str, text: str, points: Sequence[HistogramDataPoint]) -> Metric:
        kind = AggregationTemporality.DELTA if self._is_delta else AggregationTemporality.CUMULATIVE
        return Metric(name, text, "s", Histogram(points, kind))


def _of_server(key: Key) -> Attributes:
    if not key:
        return {"otel.metric.overflow": True}
    method, route, status, scheme = key
    attributes: Attributes = {
        "http.request.method": known_method(str(method)),
        "url.scheme": str(scheme),
        "http.response.status_code": int(str(status)),
    }
    if route:
        attributes["http.route"] = str(route)
    return {**attributes, **error_type(str(status) if int(str(status)) >= 500 else "")}


def _of_client(key: Key) -> Attributes:
    if not key:
        return {"otel.metric.overflow": True}
    operation, upstream, endpoint, outcome = map(str, key)
    attributes: Attributes = {
        **method_attributes(operation),
        **address_attributes(endpoint),
        "url.template": operation.partition(" ")[2],
        "bff.upstream": upstream,
    }
    if outcome.isdigit():
        attributes["http.response.status_code"] = int(outcome)
    return {**attributes, **error_type(failure_of(outcome))}


def _point(attributes: Attributes, series: _Series, started: int, now: int) -> HistogramDataPoint:
    return HistogramDataPoint(
        attributes=attributes,
        start_time_unix_nano=started,
        time_unix_nano=now,
        count=series.count,
        sum=series.total,
        bucket_counts=list(series.buckets),
        explicit_bounds=BOUNDS,
        min=series.lowest,
        max=series.highest,
    )
