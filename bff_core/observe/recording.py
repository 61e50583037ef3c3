"""Which requests a gateway process records, and for what."""

import os

from bff_core import events
from bff_core.observe.dev_lines import dev_lines
from bff_core.observe.request_recorder import Exporting, RequestRecorder
from bff_core.observe.request_records import RequestRecords


def recorder(
    gateway: str, *, is_development: bool, telemetry: Exporting | None = None
) -> RequestRecorder | None:
    """Return the recorder of a gateway process; None if nothing reads what it would record.

    In development the console does, and `bff dev`; elsewhere OpenTelemetry or what calls for
    records: see `record_requests`.
    """
    lines = dev_lines(os.environ) if is_development else None
    if not (is_development or (telemetry is not None and telemetry.consumers)):
        return None
    return RequestRecorder(
        gateway=gateway,
        records=RequestRecords() if is_development else None,
        on_answer=() if lines is None else (lines,),
        telemetry=telemetry,
        shows_values=is_development,
    )


def record_requests(sinks: events.Events, gateway: str) -> RequestRecords:
    """Return the records of a gateway; record its requests from now on if none are yet."""
    recorders = [one for one in sinks.sinks if isinstance(one, RequestRecorder)]
    sink = recorders[0] if recorders else RequestRecorder(gateway=gateway)
    if sink.records is None:
        sink.records = RequestRecords()
        sinks.unlisten(sink)
        sinks.listen(sink)  # from now on also to events without a span
    return sink.records
