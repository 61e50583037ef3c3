"""The sink that `bff dev` reads: a line per request, with its parts, calls and attempts."""

import socket
from collections.abc import Callable

import msgspec
import pytest

from bff_core.events import CallStarted, PartEnded, RequestAnswered, RequestStarted, Span
from bff_core.observe.dev_lines import TRACES_VARIABLE, DevLines, dev_lines
from bff_core.observe.line_socket import LineSocket
from bff_core.observe.request_recorder import MAX_SPANS, RequestRecorder
from bff_core.observe.request_records import RequestRecord
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, reply
from tests.observe.pages_gateway import pages_gateway

pytestmark = pytest.mark.virtual_time


class Received:
    """Takes the lines of the sink."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.is_full = False

    def __call__(self, line: bytes) -> bool:
        if not self.is_full:
            self.lines.append(line)
        return not self.is_full

    @property
    def requests(self) -> list[RequestRecord]:
        return [msgspec.json.decode(line, type=RequestRecord) for line in self.lines]


def recording(received: Callable[[bytes], bool]) -> RequestRecorder:
    """Return a sink that sends each record as a line."""
    return RequestRecorder(on_answer=[DevLines(received)])


def make_app(received: Callable[[bytes], bool]):
    """Make a gateway whose catalog fails once, and whose ranks always do."""
    catalog = Scripted(
        reply(503, after=0.1),
        reply(200, "Tent", headers={"cache-control": "max-age=10"}, after=0.1),
    )
    ranks = Scripted(*[reply(500, after=0.1)] * 2)
    return pages_gateway(catalog, ranks, sinks=[recording(received)])


async def test_a_request_is_a_line_with_its_tree():
    """Parts, their calls and the attempts of these, each with its time and its outcome."""
    received = Received()
    async with running(make_app(received)) as client:
        answer = await client.get("/v1/pages/1")

    (trace,) = received.requests
    parts = {one.name: one for one in trace.spans if one.kind == "part"}
    calls = {one.owner: one for one in trace.spans if one.kind == "call"}
    attempts = [one for one in trace.spans if one.kind == "attempt" and one.owner == "catalog"]
    assert (trace.method, trace.route, trace.status) == ("GET", "/v1/pages/{number}", 200)
    assert trace.request_id == answer.headers["x-request-id"]
    assert trace.size == len(answer.content)
    assert (parts["title"].outcome, parts["title"].is_critical) == ("ok", True)
    assert parts["rank"].outcome == "missing"
    assert not parts["rank"].is_critical
    assert "ranks" in parts["rank"].error
    assert trace.spans[calls["catalog"].within] is parts["title"]
    assert [one.outcome for one in attempts] == ["503", "200"]


async def test_what_the_cache_has_is_no_attempt():
    """The second request has the age of the reply, and sends nothing to the catalog."""
    received = Received()
    async with running(make_app(received)) as client:
        await client.get("/v1/pages/1")
        await client.get("/v1/pages/1")

    _, trace = received.requests
    (call,) = [one for one in trace.spans if one.kind == "call" and one.owner == "catalog"]
    assert call.source == "cache"
    assert not [one for one in trace.spans if one.kind == "attempt" and one.owner == "catalog"]


def started(sink: RequestRecorder, number: int) -> Span:
    """Start a request, and return its span."""
    span = Span("1" * 32, f"{number:016x}")
    sink(RequestStarted("GET", f"r{number}", span=span))
    return span


def answered(span: Span) -> RequestAnswered:
    """Return the event that ends a request."""
    return RequestAnswered("GET", "/", 200, 0.1, "r", "1" * 32, span=span)


def test_a_line_that_was_not_taken_is_counted():
    """The next line that is taken says how many are missing."""
    received = Received()
    sink = recording(received)
    for number, is_full in enumerate([True, True, False]):
        received.is_full = is_full
        sink(answered(started(sink, number)))

    assert [one.dropped for one in received.requests] == [2]


def test_nothing_is_stored_of_requests_that_were_answered():
    """Neither their spans, nor what is reported of them later."""
    sink = recording(Received())
    for number in range(10):
        span = started(sink, number)
        call = span.child()
        sink(CallStarted("catalog", "GET /a", "GET", span=call))
        sink(answered(span))
        sink(CallStarted("catalog", "GET /b", "GET", span=call.child()))
        sink(PartEnded("Page", "rank", "ok", "", span=span.child()))

    assert sink._open == {}


def test_a_request_with_too_many_spans_is_cut():
    """A runaway loop of calls fills no memory."""
    received = Received()
    sink = recording(received)
    span = started(sink, 1)
    for _ in range(MAX_SPANS + 5):
        sink(CallStarted("catalog", "GET /a", "GET", span=span.child()))
    sink(answered(span))

    assert len(received.requests[0].spans) == MAX_SPANS


def test_a_full_socket_drops_lines_and_cuts_none():
    """The sender never waits; a line that was begun is ended before the next one."""
    ours, theirs = socket.socketpair()
    line, content = LineSocket(ours), b""
    long = b"x" * 999_999 + b"\n"
    taken = [line.send(long), line.send(b"dropped\n")]
    while len(content) < len(long):
        content += _read(theirs)
        taken.append(line.send(b"after\n"))
    content += _read(theirs)
    line.close()
    theirs.close()

    first, *others = content.split(b"\n")[:-1]
    assert taken[:2] == [True, False]
    assert len(first) == 999_999
    assert others == [b"after"] * taken[2:].count(True)


def _read(stream: socket.socket) -> bytes:
    """Read what is there."""
    stream.setblocking(False)
    content = b""
    while True:
        try:
            content += stream.recv(1 << 20)
        except BlockingIOError:
            return content


def test_a_reader_that_is_gone_is_no_error():
    """A gateway outlives the `bff dev` that started it."""
    ours, theirs = socket.socketpair()
    line = LineSocket(ours)
    theirs.close()

    assert [line.send(b"a\n"), line.send(b"b\n")] == [False, False]


def test_without_bff_dev_there_is_no_sink(tmp_path):
    """The variable is not set, or nothing listens there."""
    assert dev_lines({}) is None
    assert dev_lines({TRACES_VARIABLE: str(tmp_path / "gone")}) is None
