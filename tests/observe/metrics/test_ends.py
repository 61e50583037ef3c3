"""Sinks that count get the ends of parts and calls, without spans and without starts."""

import pytest

from bff_core.events import (
    AnyEvent,
    CallEnded,
    CallStarted,
    PartEnded,
    PartStarted,
    RequestStarted,
)
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, fail, reply
from tests.observe.metrics.shelf import shelf_gateway

pytestmark = pytest.mark.virtual_time


class Listener:
    """A sink that may count."""

    def __init__(self, *, counts: bool) -> None:
        self.counts = counts
        self.heard: list[AnyEvent] = []

    def __call__(self, event: AnyEvent, /) -> None:
        self.heard.append(event)

    def of(self, *kinds: type) -> list[AnyEvent]:
        """Return the events of some kinds."""
        return [one for one in self.heard if isinstance(one, kinds)]


async def test_a_sink_that_counts_gets_each_end_once():
    """Parts that ended well and calls are counted; nothing that starts is reported."""
    counter, log = Listener(counts=True), Listener(counts=False)
    app = shelf_gateway(Scripted(reply(200, "A tent")), Scripted(reply(200, 4)), counter, log)
    async with running(app) as client:
        assert (await client.get("/v1/shelf/1")).json() == ["1", "A tent", "4"]

    parts, calls = counter.of(PartEnded), counter.of(CallEnded)
    assert sorted((one.part, one.state) for one in parts) == [("rating", "ok"), ("title", "ok")]
    assert sorted((one.upstream, one.operation, one.outcome, one.source) for one in calls) == [
        ("catalog", "GET /title/{id}", "200", "upstream"),
        ("reviews", "GET /stars", "200", "upstream"),
    ]
    assert {one.span for one in (*parts, *calls)} == {None}
    assert counter.of(PartStarted, CallStarted, RequestStarted) == []
    assert log.of(PartEnded, CallEnded) == []


async def test_a_part_that_degrades_is_reported_to_all_sinks_once():
    """The log needs it as well, and no sink counts it twice."""
    counter, log = Listener(counts=True), Listener(counts=False)
    app = shelf_gateway(Scripted(reply(200, "A tent")), Scripted(fail()), counter, log)
    async with running(app) as client:
        assert (await client.get("/v1/shelf/1")).json() == ["1", "A tent", "0"]

    (rating,) = [one for one in counter.of(PartEnded) if one.part == "rating"]
    assert (rating.state, rating.reason) == ("fallback", "unavailable")
    assert log.of(PartEnded) == [rating]
