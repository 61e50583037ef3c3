"""How many bytes services sent for a request, and for each of its parts."""

from collections.abc import Iterable

from bff_core.console.model import PartBytes
from bff_core.observe.request_records import RequestRecord


def received_bytes(record: RequestRecord) -> dict[str, int]:
    """Return the bytes of the replies that services sent, by part; "" for the gateway's own calls.

    A reply of the cache, or of an equal call of another request, was not sent for this one. Bodies
    of errors and of streams are not counted.
    """
    spans = record.spans
    sent = {one.within for one in spans if one.kind == "attempt"}
    found: dict[str, int] = {}
    for index, call in enumerate(spans):
        if call.kind == "call" and index in sent and call.source == "upstream":
            part = spans[call.within] if call.within >= 0 else None
            name = part.name if part is not None and part.kind == "part" else ""
            found[name] = found.get(name, 0) + call.size
    return found


def add_received(parts: Iterable[PartBytes], record: RequestRecord) -> None:
    """Add to the bytes that parts have in a response those that services sent for them."""
    if record.has_spans:
        received = received_bytes(record)
        for one in parts:
            one.received = received.get(one.part, 0)
