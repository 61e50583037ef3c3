"""`Telemetry`: the sink that exports the traces and metrics of one gateway."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource

from bff_core.events import AnyEvent, Attempted, RequestAnswered
from bff_core.observe.opentelemetry.batches import Periodic
from bff_core.observe.opentelemetry.collector_export import CollectorExport
from bff_core.observe.opentelemetry.conventions import SCHEMA
from bff_core.observe.opentelemetry.exporting import Export, TraceExport
from bff_core.observe.opentelemetry.failures import ExportFailures
from bff_core.observe.opentelemetry.request_metrics import RequestMetrics
from bff_core.observe.opentelemetry.sampling import sampler
from bff_core.observe.opentelemetry.wire import Envelope, Value
from bff_core.observe.otel_options import OTelOptions
from bff_core.observe.request_records import RequestRecord


class Telemetry:
    """A sink that counts requests; a `RequestRecorder` passes it the records of sampled ones.

    Exporters and the resource are made in the process that exports, so that each worker has its
    own `service.instance.id`.
    """

    def __init__(self, options: OTelOptions, gateway: str, version: str) -> None:
        self._gateway = gateway
        self._version = version
        self._resource: tuple[int, Resource] | None = None
        self.set_flag = sampler(options) if options.traces is not None else None
        self._failures = ExportFailures()
        self._traces = TraceExport(
            lambda: Envelope(_scalars(self._own_resource()), version, SCHEMA),
            lambda: (
                _Printed(ExportTraceServiceRequest)
                if options.traces == "console"
                else CollectorExport(OTLPSpanExporter())
            ),
            failures=self._failures,
            max_queue=options.max_queue,
            max_batch=options.max_batch,
            delay=options.batch_delay,
        )
        self._has_traces, self._has_metrics = (
            options.traces is not None,
            options.metrics is not None,
        )
        self._metrics = RequestMetrics(is_delta=options.is_delta)
        self._is_console = options.metrics == "console"
        self._export: Export | None = None
        self._periodic = Periodic("bff-metrics", self._send_metrics, options.metric_interval)

    @property
    def consumers(self) -> Sequence[Callable[[RequestRecord], object]]:
        """What takes the records of sampled requests; empty if no traces are exported."""
        return (self._take,) if self._has_traces else ()

    @property
    def needs_events(self) -> bool:
        """Whether it needs events, for metrics."""
        return self._has_metrics

    def __call__(self, event: AnyEvent, /) -> None:
        """Count requests of clients, and those to services."""
        if isinstance(event, Attempted):
            self._metrics.count_attempt(event)
        elif isinstance(event, RequestAnswered):
            self._metrics.count_request(event)
            self._periodic.start()

    def lost(self) -> Mapping[str, int]:
        """Return what was not exported since the process started, by reason."""
        return dict(self._failures.totals)

    def flush(self, seconds: float) -> None:
        """Export what is left, within about `seconds`; it blocks."""
        self._traces.flush(seconds)
        if self._export is not None:
            self._export.end_retries()
        self._periodic.flush(seconds)

    def _take(self, record: RequestRecord) -> None:
        self._traces.take(record)

    def _own_resource(self) -> Resource:
        """Return the resource of this process; the name of the gateway is the default."""
        pid = os.getpid()
        if self._resource is None or self._resource[0] != pid:
            made = Resource.create({"process.pid": pid})
            name = str(made.attributes.get("service.name", ""))
            if name.startswith("unknown_service"):
                made = made.merge(Resource({"service.name": self._gateway}))
            self._resource = pid, made
        return self._resource[1]

    def _send_metrics(self) -> None:
        data = self._metrics.collect(self._own_resource(), self._version)
        if data is None:
            return
        if self._export is None:
            self._export = (
                _Printed(ExportMetricsServiceRequest)
                if self._is_console
                else CollectorExport(OTLPMetricExporter())
            )
            if self._periodic.is_ending:
                self._export.end_retries()
        error = self._export.send(encode_metrics(data).SerializeToString())
        if error:
            self._failures.fail(error)


class _Printed:
    """Writes requests to standard output, as text."""

    def __init__(
        self, kind: type[ExportTraceServiceRequest] | type[ExportMetricsServiceRequest]
    ) -> None:
        self._kind = kind

    def send(self, request: bytes) -> str:
        sys.stdout.write(f"{self._kind.FromString(request)}\n")
        return ""

    def end_retries(self) -> None:
        pass


def _scalars(resource: Resource) -> dict[str, Value]:
    """Return the attributes of a resource; a list as text."""
    return {
        name: value if isinstance(value, str | bool | int | float) else str(value)
        for name, value in resource.attributes.items()
    }
