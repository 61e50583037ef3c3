"""Makes the sink that exports to OpenTelemetry, if the environment turns the export on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from bff_core.events.sinks import AnyEvent, Span
from bff_core.extras import needs
from bff_core.observe.otel_options import otel_options
from bff_core.observe.request_records import RequestRecord


class TelemetrySink(Protocol):
    """A sink that exports; `consumers` take the records of sampled requests."""

    @property
    def consumers(self) -> Sequence[Callable[[RequestRecord], object]]:
        """What takes the records; empty if no traces are exported."""

    @property
    def needs_events(self) -> bool:
        """Whether it needs events, for metrics."""

    @property
    def set_flag(self) -> Callable[[Span], bool] | None:
        """Decides whether a trace is sampled; None if no traces are exported."""

    def lost(self) -> Mapping[str, int]:
        """Return what was not exported since the process started, by reason."""

    def flush(self, seconds: float, /) -> None:
        """Export what is left, within about `seconds`; it blocks."""

    def __call__(self, event: AnyEvent, /) -> None:
        """Take one event."""


def telemetry_sink(environ: Mapping[str, str], gateway: str, version: str) -> TelemetrySink | None:
    """Return the sink of a gateway; None if nothing is exported.

    Raises `ConfigurationError` for a variable with a wrong value, and without the extra.
    """
    options = otel_options(environ)
    if options is None:
        return None
    with needs("otel", "the export that OTEL_* variables turn on"):
        # Imported here because it takes 0.2 s.
        from bff_core.observe.opentelemetry.telemetry import Telemetry  # noqa: PLC0415 # see above

        return Telemetry(options, gateway, version)
