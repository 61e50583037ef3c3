"""Private names of the OTLP exporters: they send requests that are encoded already.

Their public `export` takes spans of the SDK, whose encoding takes most of the time of an export,
logs each failure, and does not return why it failed.
"""

import logging
from typing import Final, NamedTuple

from opentelemetry.exporter.otlp.proto.http import metric_exporter, trace_exporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

LOGGERS: Final = tuple(logging.getLogger(one.__name__) for one in (trace_exporter, metric_exporter))
"""Where the exporters log each failure."""


class NotTaken(NamedTuple):
    """Why a collector did not take a request: a status, or 0 and an error, which may be None."""

    status: int
    error: BaseException | None


def send_encoded(
    exporter: OTLPSpanExporter | OTLPMetricExporter, request: bytes
) -> NotTaken | None:
    """Send an encoded request of OTLP; return why the collector did not take it, or None.

    Endpoint, headers, compression, certificates, timeout and retries are those of the exporter.
    """
    result = exporter._client.export(request)  # noqa: SLF001 - see above
    return None if result.success else NotTaken(result.status_code or 0, result.error)


def end_retries(exporter: OTLPSpanExporter | OTLPMetricExporter) -> None:
    """End the pauses between attempts: each further request is sent once."""
    exporter.shutdown()
