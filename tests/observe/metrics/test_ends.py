"""Sinks that count get the parts and the calls of a request together, without spans."""

import pytest

from bff_core.events import (
    AnyEvent,
    Attempted,
    CallEnded,
    CallStarted,
    PartEnded,
    PartsEnded,
    PartStarted,
    RequestAnswered,
    RequestStarted,
)
from bff_core.scope import EndedCall, current_request
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, fail, reply
from tests.observe.metrics.shelf import shelf_gateway

pytestmark = pytest.mark.virtual_time


class Listener:
    """A sink that may count."""

    def __init__(self, *, counts: bool) -> None:
        self.counts = counts
        self.heard: list[AnyEvent] = []
        self.calls: list[EndedCall] = []

    def __call__(self, event: AnyEvent, /) -> None:
        self.heard.append(event)
        if isinstance(event, RequestAnswered):
            self.calls += current_request.get().ended_calls or ()

    def of(self, *kinds: type) -> list[AnyEvent]:
        """Return the events of some kinds."""
        return [one for one in self.heard if isinstance(one, kinds)]


async def heard(counter: Listener, reviews: Scripted, *others: Listener) -> None:
    """Send a request to a gateway with these sinks."""
    app = shelf_gateway(Scripted(reply(200, "A tent", after=0.2)), reviews, counter, *others)
    async with running(app) as client:
        await client.get("/v1/shelf/1")


async def test_a_sink_that_counts_gets_parts_and_calls_at_the_end_of_a_request():
    """No event is made for each of them, nor for attempts."""
    counter = Listener(counts=True)
    await heard(counter, Scripted(reply(200, 4)))

    (ended,) = counter.of(PartsEnded)
    parts = [(one.name, one.state, round(one.ended - one.started, 3)) for one in ended.parts]
    assert (ended.composition, sorted(parts)) == (
        "Shelf",
        [("rating", "ok", 0.0), ("title", "ok", 0.2)],
    )
    assert [(*one[:4], round(one[4], 3), one[5]) for one in counter.calls] == [
        ("catalog", "GET /title/{id}", 200, "upstream", 0.2, "title"),
        ("reviews", "GET /stars", 200, "upstream", 0.0, "rating"),
    ]
    others = (PartStarted, PartEnded, CallStarted, CallEnded, RequestStarted, Attempted)
    assert counter.of(*others) == []


async def test_other_sinks_get_attempts_and_no_collected_parts():
    """The log of a gateway that counts is that of one that does not."""
    counter, log = Listener(counts=True), Listener(counts=False)
    await heard(counter, Scripted(reply(200, 4)), log)

    assert len(log.of(Attempted)) == 2
    assert log.of(PartsEnded, CallEnded) == []


async def test_a_part_that_degrades_is_reported_to_all_sinks():
    """Sinks get its error, which names the service to blame."""
    counter, log = Listener(counts=True), Listener(counts=False)
    await heard(counter, Scripted(fail()), log)

    (rating,) = counter.of(PartEnded)
    assert (rating.state, rating.reason) == ("fallback", "unavailable")
    assert log.of(PartEnded) == [rating]
    assert [one[2] for one in counter.calls] == [200, "unavailable"]
