"""The JSON that pages receive while they are open."""

import msgspec

from bff_core.console.model.faults import FaultCard
from bff_core.console.model.overview import EventRow, Overview
from bff_core.console.model.requests import LogEntry, RequestRow


class Live(msgspec.Struct, kw_only=True):
    """One message of `/console/api/live` (server-sent events, at most four a second).

    Each field is None or empty if nothing changed. `rows_dropped` counts new requests that are not
    among `requests`, since there were too many.
    """

    time: float
    overview: Overview | None = None
    requests: list[RequestRow] = []
    rows_dropped: int = 0
    logs: list[LogEntry] = []
    events: list[EventRow] = []
    faults: list[FaultCard] | None = None
