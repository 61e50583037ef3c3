"""Sends encoded requests to a collector, with the exporters of the SDK."""

import logging
from typing import Final

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from bff_core.compat.opentelemetry import LOGGERS, end_retries, send_encoded

THREADS: Final = "bff-"
"""How the names of the threads begin that export."""


class CollectorExport:
    """The export of encoded requests by an exporter; failures are the caller's to log."""

    def __init__(self, exporter: OTLPSpanExporter | OTLPMetricExporter) -> None:
        self._exporter = exporter
        self._is_ending = False
        for logger in LOGGERS:
            logger.addFilter(_is_of_others)  # a second time it does nothing

    def send(self, request: bytes) -> str:
        """Send a request; return why the collector did not take it, or nothing."""
        refused = send_encoded(self._exporter, request)
        if refused is None:
            return ""
        if refused.status:
            return f"status {refused.status}"
        return "no answer" if refused.error is None else type(refused.error).__name__

    def end_retries(self) -> None:
        """Send each further request once."""
        if not self._is_ending:
            self._is_ending = True
            end_retries(self._exporter)


def _is_of_others(record: logging.LogRecord) -> bool:
    """Whether a line is of another thread than ours, which log failures once a minute."""
    return not (record.threadName or "").startswith(THREADS)
