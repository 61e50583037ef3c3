"""Records of requests that the console reads: which are stored, and what they hold."""

import asyncio
import json
from typing import Annotated

import msgspec
import pytest
from fastapi import Depends

from bff_core import (
    ANYONE,
    Cache,
    Composition,
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
from bff_core.events import Events
from bff_core.observe.process_socket import InvalidCommand
from bff_core.observe.record_sampling import RecordSampling
from bff_core.observe.recording import record_requests
from bff_core.observe.request_recorder import RequestRecorder
from bff_core.observe.request_records import (
    RecordPage,
    RequestRecord,
    RequestRecords,
    request_commands,
)
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, reply

pytestmark = pytest.mark.virtual_time


class Titles(Upstream):
    """A service that is retried, cached and coalesced."""

    policy = Policy(retry=Retry(backoff=0.01, budget_min=100), cache=Cache(ttl=10, stale=100))

    async def title(self) -> str:
        return await self.get("/title", str)


class Marks(Upstream):
    """A service without retries."""

    policy = Policy(retry=None)

    async def mark(self) -> int:
        return await self.get("/mark", int)


class Product(Composition):
    """A screen with a critical and an optional part."""

    titles: Titles
    marks: Marks

    @critical
    async def title(self) -> str:
        return await self.titles.title()

    @optional(fallback=0)
    async def mark(self) -> int:
        return await self.marks.mark()


views = Views(access=ANYONE)


@views.get("/product")
async def product(screen: Annotated[Product, Depends(compose(Product))]) -> dict[str, object]:
    """Answer with both parts."""
    return {"title": await screen.title(), "mark": await screen.mark()}


def make_app(records: RequestRecords, **scripts: Scripted):
    """Make a gateway that records its requests."""
    scripts = {"titles": Scripted(reply(200, "tent")), "marks": Scripted(reply(200, 5))} | scripts
    return gateway(
        "shop",
        faces=[views],
        settings=Settings(
            env="development", upstreams={name: f"http://{name}" for name in scripts}, log="off"
        ),
        events=Events(RequestRecorder(gateway="shop", records=records)),
        transport=lambda _, runtime: ScriptedTransport(
            {runtime.upstream: scripts[runtime.upstream]}
        ),
        clock=asyncio.get_running_loop().time,
    )


def stored(records: RequestRecords, cursor: int = 0, limit: int = 1000) -> RecordPage:
    """Return what a reader gets."""
    return msgspec.json.decode(records.since(cursor, limit), type=RecordPage)


async def test_a_record_has_what_the_console_shows() -> None:
    """Route, screen, state, the path without credentials, redacted headers, the tree."""
    records = RequestRecords()
    app = make_app(records, marks=Scripted(reply(500)))
    headers = {"authorization": "Bearer canary-1", "accept": "text/x", "x-mail": "a@b.example"}
    async with running(app) as client:
        await client.get("/product?token=canary-2&page=1", headers=headers)

    (record,) = stored(records).records
    assert (record.gateway, record.route, record.path) == ("shop", "/product", "/product")
    assert (record.state, record.screen, record.status) == ("degraded", "Product", 200)
    assert record.query == "token=***&page=***"
    shown = dict(record.headers)
    assert (shown["accept"], shown["authorization"], shown["x-mail"]) == ("text/x", "***", "***")
    assert {one.kind for one in record.spans} == {"part", "call", "attempt"}
    assert b"canary" not in records.since(0, 10)


async def test_marks_say_what_layers_did() -> None:
    """A retry with its delay, and whose call was joined."""
    records = RequestRecords()
    app = make_app(records, titles=Scripted(fail(), reply(200, "tent", after=1.0)))
    async with running(app) as client:
        await asyncio.gather(client.get("/product"), client.get("/product"))

    leader, joined = sorted(stored(records).records, key=lambda one: not _marks(one, "retry"))
    ((retry, _),), ((mark, call),) = _marks(leader, "retry"), _marks(joined, "joined")
    assert retry.delay == pytest.approx(0.01, abs=0.01)
    assert mark.request_id == leader.request_id
    assert mark.trace_id == leader.trace_id
    assert mark.span_id in {one.span_id for one in leader.spans}
    assert call.owner == "titles"


def _marks(record: RequestRecord, kind: str):
    return [(mark, span) for span in record.spans for mark in span.marks if mark.kind == kind]


async def test_background_work_completes_its_record() -> None:
    """A stale entry is refreshed behind the answer: the record comes again, with the work."""
    records = RequestRecords()
    titles = Scripted(reply(200, "tent"), reply(200, "tent", after=2.0))
    async with running(make_app(records, titles=titles)) as client:
        await client.get("/product")
        await asyncio.sleep(50)
        await client.get("/product")
        first = stored(records)
        await asyncio.sleep(5)
        second = stored(records, first.cursor)

    (again,) = second.records
    assert again.request_id == first.records[-1].request_id
    ((mark, _),) = _marks(again, "stale")
    assert mark.delay == pytest.approx(50, abs=1)
    assert [one.outcome for one in again.spans if one.kind == "work"] == ["done"]


async def test_above_a_rate_complete_requests_are_sampled_and_degraded_ones_stored() -> None:
    """What is not sampled has its degraded parts."""
    loop = asyncio.get_running_loop()
    records = RequestRecords(sampling=RecordSampling(per_second=5, clock=loop.time))
    marks = Scripted(*[reply(200, 5)] * 150, reply(500), *[reply(200, 5)] * 100)
    async with running(make_app(records, marks=marks)) as client:
        for number in range(200):
            await client.get(f"/product?n={number}")
            await asyncio.sleep(0.01)

    page = stored(records)
    whole = [one for one in page.records if one.state == "complete"]
    (degraded,) = [one for one in page.records if one.state == "degraded"]
    assert page.sampled in {19, 20}
    assert len(whole) <= 16
    assert [(one.name, one.outcome, one.reason) for one in degraded.spans] == [
        ("mark", "fallback", "bad_status")
    ]
    assert not degraded.has_spans


def record(number: int, **fields: object) -> RequestRecord:
    """Return a complete record."""
    return RequestRecord(0.0, "GET", f"r{number}", status=200, **fields)


def test_many_complete_requests_displace_no_degraded_one() -> None:
    """Degraded, failed and slow ones are stored apart; memory is bounded."""
    records = RequestRecords(newest=10, apart=3)
    for number in range(5):
        records.add(record(number, state="degraded"))
    records.add(record(5, seconds=0.7))
    for number in range(6, 100):
        records.add(record(number))

    ids = [one.request_id for one in stored(records).records]
    assert ids == ["r2", "r3", "r4", "r5", *(f"r{number}" for number in range(90, 100))]


def test_the_bytes_of_records_are_bounded() -> None:
    """Large records displace older ones of their kind, before there are too many of them."""
    records = RequestRecords(max_bytes=10_000)
    records.add(record(0, state="failed"))
    for number in range(1, 30):
        records.add(record(number, path="/" + "p" * 4000))

    ids = [one.request_id for one in stored(records).records]
    assert ids == ["r0", "r26", "r27", "r28", "r29"]


def test_a_cursor_continues_and_counts_what_was_missed() -> None:
    """A reader that comes late, and one that reads little."""
    records = RequestRecords(newest=10)
    for number in range(5):
        records.add(record(number))
    first = stored(records, limit=3)
    for number in range(5, 25):
        records.add(record(number))
    second = stored(records, first.cursor)

    assert (len(first.records), first.dropped, first.cursor) == (3, 2, 5)
    assert (len(second.records), second.dropped, second.cursor) == (10, 10, 25)
    assert stored(records, second.cursor).records == []


async def test_commands_read_the_records() -> None:
    """As other processes send them."""
    events = Events()
    assert request_commands(events) == {}
    records = record_requests(events, "shop")
    assert record_requests(events, "shop") is records
    records.add(record(1))
    commands = request_commands(events)

    page = msgspec.json.decode(await commands["requests.since"](b'{"cursor": 0}'), type=RecordPage)
    assert [one.request_id for one in page.records] == ["r1"]
    assert json.loads(await commands["requests.get"](b'{"id": "r1"}'))["request_id"] == "r1"
    assert await commands["requests.get"](b'{"id": "r2"}') == b"null"
    with pytest.raises(InvalidCommand):
        await commands["requests.get"](b'{"id": 2}')
