"""A request whose record is not complete yet."""

from bff_core.observe.request_records import RequestRecord, SpanRecord


class OpenRequest:
    """The record of a request, its start by the recorder's clock, and its running work.

    `works` counts background work that runs. `joined` are spans that wait for the call of another
    request, with that request and the index of the call in it.
    """

    __slots__ = ("is_answered", "is_stored", "joined", "record", "started", "works")

    def __init__(self, record: RequestRecord, started: float, *, is_stored: bool) -> None:
        self.record = record
        self.started = started
        self.is_stored = is_stored
        self.is_answered = False
        self.works = 0
        self.joined: list[tuple[SpanRecord, OpenRequest, int]] = []

    def resolve_joined(self) -> None:
        """Name in marks of joined calls the span that a trace has for the call they waited for.

        A call with one attempt has that attempt's id there.
        """
        for span, leader, index in self.joined:
            attempts = [
                one.span_id
                for one in leader.record.spans
                if one.within == index and one.kind == "attempt"
            ]
            if len(attempts) == 1:
                for mark in span.marks:
                    if mark.kind == "joined":
                        mark.span_id = attempts[0]
        self.joined = []
