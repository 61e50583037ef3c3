"""Spans: what begins ends, and each event says in which request, part and call it happened."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Annotated

import pytest
from fastapi import Depends

from bff_core import (
    ANYONE,
    Cache,
    Composition,
    EdgeOptions,
    Hedge,
    Policy,
    Retry,
    Settings,
    Upstream,
    Views,
    compose,
    critical,
    gateway,
    optional,
)
from bff_core.background import Background
from bff_core.events import (
    AnyEvent,
    Attempted,
    AttemptStarted,
    CacheLookup,
    CallEnded,
    CallStarted,
    Coalesced,
    Crashed,
    Events,
    Hedged,
    HedgeWon,
    PartEnded,
    PartStarted,
    Purged,
    RequestAnswered,
    RequestShed,
    RequestStarted,
    Retried,
    WorkEnded,
    WorkStarted,
)
from bff_core.events.sinks import running_span
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, reply

pytestmark = pytest.mark.virtual_time

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
STARTED = (RequestStarted, PartStarted, CallStarted, AttemptStarted, WorkStarted)
ADDRESSES = dict.fromkeys(("catalog", "ranks", "purging"), ("http://10.0.0.1",))
ENDED = (RequestAnswered, PartEnded, CallEnded, Attempted, WorkEnded)


class Tracer:
    """A sink that traces."""

    traces = True

    def __init__(self) -> None:
        self.heard: list[AnyEvent] = []

    def __call__(self, event: AnyEvent, /) -> None:
        self.heard.append(event)

    def of(self, *kinds: type) -> list[AnyEvent]:
        """Return the events of some kinds, in their order."""
        return [one for one in self.heard if isinstance(one, kinds)]

    def parent(self, event: AnyEvent) -> AnyEvent | None:
        """Return the event that started the span around that of an event."""
        around = [one for one in self.of(*STARTED) if one.span.span_id == event.span.parent_id]
        return around[0] if around else None


class Catalog(Upstream):
    """A service."""

    policy = Policy(retry=Retry(backoff=0.01, budget_min=100), cache=Cache(ttl=10, stale=100))

    async def title(self) -> str:
        return await self.get("/title", str)

    async def count(self) -> int:
        return await self.get("/count", int, cache=False)


class Ranks(Upstream):
    """A service whose slow calls are sent twice."""

    policy = Policy(hedge=Hedge(minimum_calls=10), retry=Retry(budget_min=100))

    async def rank(self) -> int:
        return await self.get("/rank", int)


class Shelf(Composition):
    """A screen."""

    catalog: Catalog
    ranks: Ranks

    @critical
    async def title(self) -> str:
        return await self.catalog.title()

    @critical
    async def label(self) -> str:
        return f"{await self.title()}!"

    @optional(fallback=0)
    async def count(self) -> int:
        return await self.catalog.count()

    @critical
    async def rank(self) -> int:
        return await self.ranks.rank()


views = Views(access=ANYONE)
ShelfOf = Annotated[Shelf, Depends(compose(Shelf))]


@views.get("/label")
async def get_label(shelf: ShelfOf) -> str:
    """Answer with one part that needs another."""
    return await shelf.label()


@views.get("/title")
async def get_title(shelf: ShelfOf) -> str:
    """Answer with one part."""
    return await shelf.title()


@views.get("/count")
async def get_count(shelf: ShelfOf) -> int:
    """Answer with an optional part."""
    return await shelf.count()


@views.get("/rank")
async def get_rank(shelf: ShelfOf) -> int:
    """Answer with a part that may be hedged."""
    return await shelf.rank()


def gateway_of(
    script: Scripted,
    *sinks: object,
    options: EdgeOptions | None = None,
    services: Sequence[type[Upstream]] = (Catalog, Ranks),
):
    """Make a gateway whose one service is scripted."""
    settings = Settings(env="development", log="off", upstreams=ADDRESSES)
    transport = ScriptedTransport({"10.0.0.1": script})
    return gateway(
        "shelf",
        services=services,
        faces=[views] if Catalog in services else [],
        settings=settings,
        options=options,
        transport=lambda *_: transport,
        events=Events(*sinks),
        clock=asyncio.get_running_loop().time,
    )


async def traced(script: Scripted, *paths: str) -> Tracer:
    """Send requests one after another; return what a sink that traces hears."""
    tracer = Tracer()
    async with running(gateway_of(script, tracer)) as client:
        for path in paths:
            await client.get(path, headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    return tracer


async def test_each_span_that_starts_ends_once() -> None:
    """Request, parts, call and attempts; each within the one that needed it."""
    tracer = await traced(Scripted(fail(), reply(200, "tent")), "/label")

    started = Counter(one.span.span_id for one in tracer.of(*STARTED))
    ended = Counter(one.span.span_id for one in tracer.of(*ENDED))
    assert started == ended
    assert set(started.values()) == {1}
    assert [type(one).__name__ for one in tracer.of(*STARTED)] == [
        *("RequestStarted", "PartStarted", "PartStarted"),
        *("CallStarted", "AttemptStarted", "AttemptStarted"),
    ]
    assert {one.span.trace_id for one in tracer.heard if one.span} == {
        one.span.trace_id for one in tracer.of(RequestStarted)
    }


async def test_spans_stand_within_each_other() -> None:
    """An attempt in its call, a call in its part, a part in the part that awaits it."""
    tracer = await traced(Scripted(reply(200, "tent")), "/label")

    (attempt,) = tracer.of(AttemptStarted)
    call = tracer.parent(attempt)
    title = tracer.parent(call)
    label = tracer.parent(title)
    request = tracer.parent(label)
    assert (call.operation, title.part, label.part) == ("GET /title", "title", "label")
    assert isinstance(request, RequestStarted)
    assert tracer.parent(request) is None


async def test_a_service_continues_the_span_of_the_attempt() -> None:
    """Each attempt sends its own id; the trace is the request's."""
    script = Scripted(fail(), reply(200, "tent"))
    tracer = await traced(script, "/label")

    sent = [call.traceparent for call in script.calls]
    attempts = tracer.of(AttemptStarted)
    assert sent == [f"00-{one.span.trace_id}-{one.span.span_id}-01" for one in attempts]
    assert sent[0] != sent[1]


async def test_what_happened_names_its_call() -> None:
    """A retry, a cache hit, a stale reply and the outcome of the call."""
    script = Scripted(fail(), reply(200, "tent"))
    tracer = await traced(script, "/label", "/title")

    (retried,) = tracer.of(Retried)
    first, second = tracer.of(CallEnded)
    assert retried.span.span_id == first.span.span_id
    assert (first.outcome, first.source, second.source) == ("200", "upstream", "cache")
    looked_up = {one.outcome: one.span.span_id for one in tracer.of(CacheLookup) if one.span}
    assert (looked_up["miss"], looked_up["hit"]) == (first.span.span_id, second.span.span_id)


async def test_coalesced_calls_name_the_one_that_leads() -> None:
    """The waiter's event has the span of the call that was sent."""
    tracer = Tracer()
    script = Scripted(reply(200, "tent", after=1.0))
    async with running(gateway_of(script, tracer)) as client:
        await asyncio.gather(client.get("/label"), client.get("/label"))

    (joined,) = tracer.of(Coalesced)
    leading, waiting = tracer.of(CallStarted)
    assert (joined.leader, joined.span) == (leading.span, waiting.span)


async def test_a_hedge_names_the_call_that_is_slow() -> None:
    """Both attempts are attempts of the same call, and one is left behind."""
    quick = [reply(200, 7, after=0.01) for _ in range(12)]
    script = Scripted(*quick, reply(200, 7, after=5.0), reply(200, 8, after=0.01))
    tracer = await traced(script, *["/rank"] * 13)

    (hedged,), (won,) = tracer.of(Hedged), tracer.of(HedgeWon)
    slow = tracer.of(CallStarted)[-1]
    assert hedged.span == won.span == slow.span
    outcomes = [
        one.outcome for one in tracer.of(Attempted) if one.span.parent_id == slow.span.span_id
    ]
    assert outcomes == ["200", "cancelled"]


async def test_a_request_that_is_shed_has_a_span() -> None:
    """With the ids of its answer, though it never started."""
    tracer = Tracer()
    script = Scripted(reply(200, "tent", after=1.0))
    gateway = gateway_of(script, tracer, options=EdgeOptions(max_concurrent=2, min_concurrent=2))
    async with running(gateway) as client:
        answers = await asyncio.gather(*(client.get("/label") for _ in range(6)))

    problems = [one.json() for one in answers if one.status_code == 503]
    assert problems
    assert [(one.request_id, one.span.trace_id) for one in tracer.of(RequestShed)] == [
        (one["request_id"], one["trace_id"]) for one in problems
    ]


async def test_a_part_that_falls_back_says_so() -> None:
    """And its call says why."""
    tracer = await traced(Scripted(reply(500, "none")), "/count")

    (part,) = tracer.of(PartEnded)
    (call,) = tracer.of(CallEnded)
    assert (part.part, part.state, part.reason) == ("count", "fallback", "bad_status")
    assert call.outcome == "500"


async def test_parts_that_end_well_are_reported() -> None:
    """With their duration."""
    tracer = await traced(Scripted(reply(200, "tent", after=0.5)), "/label")

    found = {one.part: (one.state, one.duration) for one in tracer.of(PartEnded)}
    assert found == {"title": ("ok", pytest.approx(0.5)), "label": ("ok", pytest.approx(0.5))}


async def test_background_work_belongs_to_the_request_that_started_it() -> None:
    """A stale entry is refreshed behind the answer."""
    tracer = Tracer()
    async with running(gateway_of(Scripted(reply(200, "tent")), tracer)) as client:
        await client.get("/label")
        await asyncio.sleep(50)
        await client.get("/label")
        await asyncio.sleep(1)

    work = [one for one in tracer.of(WorkEnded) if "refreshed" in one.work]
    assert [(one.outcome, type(tracer.parent(one))) for one in work] == [("done", RequestStarted)]


async def _works() -> None:
    await asyncio.sleep(1)


async def _fails() -> None:
    raise ValueError("broken")


@pytest.mark.parametrize(
    ("work", "act", "outcome"),
    [
        (_works, lambda _: None, "done"),
        (_fails, lambda _: None, "failed"),
        (_works, lambda task: task.cancel(), "cancelled"),
    ],
    ids=["done", "failed", "cancelled"],
)
async def test_traced_background_work_runs_under_its_own_name(
    work: Callable[[], Coroutine[object, object, None]],
    act: Callable[[asyncio.Task[None]], object],
    outcome: str,
) -> None:
    """A list of the running tasks shows what runs, and each that starts ends with an outcome."""
    tracer = Tracer()
    background = Background(asyncio.get_running_loop(), Events(tracer))

    task = background.spawn(work())
    assert {one.get_coro().__qualname__ for one in asyncio.all_tasks()} >= {work.__qualname__}
    act(task)  # before it ever ran
    await asyncio.wait([task])
    await asyncio.sleep(0)

    assert [one.work for one in tracer.of(WorkStarted)] == [work.__qualname__]
    assert [(one.work, one.outcome) for one in tracer.of(WorkEnded)] == [
        (work.__qualname__, outcome)
    ]


class Purging(Upstream):
    """A service whose writes purge tags."""

    policy = Policy(cache=Cache(ttl=10))

    async def write(self) -> None:
        await self.post("/titles", None, purges=["titles"])


async def test_every_event_within_a_request_has_a_span() -> None:
    """Also those that belong to no call: a purge, and an exception that was not handled."""
    tracer = Tracer()
    app = gateway_of(Scripted(reply(204)), tracer, services=[Purging])
    purging = compose(Shop)

    @app.post("/titles")
    async def write(shop: Annotated[Shop, Depends(purging)]) -> None:
        await shop.purging.write()
        raise ZeroDivisionError

    async with running(app) as client:
        with suppress(ZeroDivisionError):
            await client.post("/titles")

    (started,) = tracer.of(RequestStarted)
    found = {type(one): one.span for one in tracer.of(Purged, Crashed)}
    assert found.keys() == {Purged, Crashed}
    assert {span.trace_id for span in found.values()} == {started.span.trace_id}
    assert [one for one in tracer.heard if one.span is None] == []


class Shop(Composition):
    """A screen that writes."""

    purging: Purging


async def test_the_span_of_a_request_ends_with_it() -> None:
    """What the same task does next, such as a gateway around this one, is not within it."""
    tracer = Tracer()
    async with running(gateway_of(Scripted(reply(200, "tent")), tracer)) as client:
        await client.get("/label")
        after = running_span.get()

    assert after is None
    assert tracer.of(RequestStarted)


async def test_a_sink_that_raises_fails_no_request(caplog) -> None:
    """Its first error is logged, with its traceback; other sinks hear everything."""
    received: list[AnyEvent] = []

    def broken(event: AnyEvent) -> None:
        raise KeyError(event.name)

    async with running(gateway_of(Scripted(reply(200, "tent")), broken, received.append)) as client:
        answers = [await client.get("/label") for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 200]
    (record,) = [one for one in caplog.records if "the sink" in one.getMessage()]
    assert record.exc_info is not None
    assert len([one for one in received if isinstance(one, RequestAnswered)]) == 3


@pytest.mark.parametrize("sink", [None, [print], Tracer, "print"], ids=repr)
def test_what_is_no_sink_is_refused_at_once(sink: object) -> None:
    """And not by the first event."""
    with pytest.raises(TypeError, match="is no sink"):
        Events(sink)


async def test_without_a_sink_that_traces_nothing_begins() -> None:
    """Other sinks hear what they always heard, without spans."""
    heard: list[AnyEvent] = []
    async with running(gateway_of(Scripted(reply(200, "tent")), heard.append)) as client:
        await client.get("/label")

    assert {type(one) for one in heard}.isdisjoint({*STARTED, CallEnded, PartEnded, WorkEnded})
    assert {one.span for one in heard} == {None}


class Sampling:
    """A sink that logs a sample of what it hears, and does not trace."""

    def __init__(self) -> None:
        self.heard: set[type] = set()

    def sample(self) -> bool:
        """Whether to log an event."""
        return True

    def __call__(self, event: AnyEvent) -> None:
        self.heard.add(type(event))


async def test_a_sink_that_does_not_trace_may_have_a_method_sample() -> None:
    """It hears of attempts, as any other sink does."""
    sink = Sampling()
    async with running(gateway_of(Scripted(reply(200, "tent")), sink)) as client:
        await client.get("/label")

    assert Attempted in sink.heard
