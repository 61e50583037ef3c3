"""A receiver of OTLP over HTTP: decodes what exporters send, and holds the bytes."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class ReceivedSpan:
    """A span as it was sent; ids in hexadecimal, times in seconds."""

    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    start: float
    end: float
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    links: list[tuple[str, str]]
    is_error: bool
    resource: dict[str, Any]
    state: str


@dataclass
class OTLPReceiver:
    """What was received, and the headers of the requests."""

    url: str
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200

    @property
    def spans(self) -> list[ReceivedSpan]:
        """Return all spans."""
        found = []
        for path, body in self.bodies:
            if path != "/v1/traces":
                continue
            for one in ExportTraceServiceRequest.FromString(body).resource_spans:
                resource = _values(one.resource.attributes)
                found += [_span(span, resource) for s in one.scope_spans for span in s.spans]
        return found

    @property
    def metrics(self) -> dict[str, list[Any]]:
        """Return the data points of the last export of each metric."""
        found: dict[str, list[Any]] = {}
        for path, body in self.bodies:
            if path == "/v1/metrics":
                for one in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    for scope in one.scope_metrics:
                        found |= {m.name: list(m.histogram.data_points) for m in scope.metrics}
        return found


def values_of(point: Any) -> dict[str, Any]:
    """Return the attributes of a data point."""
    return _values(point.attributes)


def _span(span: Any, resource: dict[str, Any]) -> ReceivedSpan:
    return ReceivedSpan(
        span.name,
        span.kind,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano / 1e9,
        span.end_time_unix_nano / 1e9,
        _values(span.attributes),
        [(one.name, _values(one.attributes)) for one in span.events],
        [(one.trace_id.hex(), one.span_id.hex()) for one in span.links],
        span.status.code == 2,
        resource,
        span.trace_state,
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@contextmanager
def otlp_receiver() -> Iterator[OTLPReceiver]:
    """Receive on a free port until the context ends."""
    received = OTLPReceiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            if received.status == 200:
                received.bodies.append((self.path, body))
            received.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(received.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        received.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield received
        finally:
            server.shutdown()
            thread.join()
