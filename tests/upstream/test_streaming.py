"""Streams into values: lines and events, however the chunks are cut and however hostile."""

import itertools
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.call import Call
from bff_core.errors import BadPayload
from bff_core.upstream.streaming import (
    MAX_EVENT_CHARACTERS,
    MAX_LINE_BYTES,
    ServerSentEvent,
    events,
    lines,
)

CALL = Call("news", "GET", "/news", "GET /news", inf)

STREAM = (
    "\ufeff: welcome\n\nretry: 2500\nid: 7\nevent: price\ndata: {\ndata:}\n\nid: a\0b\nfoo: x\n"
    "data: é\n\nevent: lonely\n\ndata\r\n\r\nretry: soon\ndata: cut off"
).encode()


async def cut(data, size):
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def taken(values):
    return [value async for value in values]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_events_are_the_same_however_the_chunks_are_cut(size):
    """Fields, several lines of data, comments and a byte order mark are read as the standard says.

    An event without data is none, nor is the one that the end cuts off.
    """
    found = await taken(events(cut(STREAM, size), CALL))

    assert found == [
        ServerSentEvent("{\n}", "price", "7", 2.5),
        ServerSentEvent("é", "message", "7", 2.5),
        ServerSentEvent("", "message", "7", 2.5),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
async def test_each_end_of_a_line_that_the_standard_knows_is_one(size, end):
    """Services may end the lines of an event stream by CR, by LF or by both."""
    stream = STREAM.replace(b"\r\n", b"\n").replace(b"\n", end)

    found = await taken(events(cut(stream, size), CALL))

    assert [(event.event, event.data) for event in found] == [
        ("price", "{\n}"),
        ("message", "é"),
        ("message", ""),
    ]


async def test_an_event_that_ends_with_a_lone_carriage_return_is_yielded_at_once():
    """Whether a line feed follows is not waited for: the next event may take minutes."""

    async def chunks():
        yield b"data: now\r\r"
        waited.append(True)
        yield b"\ndata: later\r\n\r\n"

    waited = []
    stream = events(chunks(), CALL)

    first = await anext(stream)
    was_waiting = bool(waited)
    second = await anext(stream)

    assert (first.data, was_waiting, second.data) == ("now", False, "later")


@given(st.lists(st.sampled_from([b"data: x", b"\r", b"\n", b"\r\n", b""]), max_size=20), st.data())
async def test_ends_of_lines_are_read_as_the_standard_says(parts, data):
    """However CRs and LFs are mixed and cut apart, the lines are those of the whole."""
    stream = b"".join(parts)
    inner = st.integers(0, len(stream))
    edges = sorted({0, len(stream), *data.draw(st.sets(inner, max_size=8))})

    async def chunks():
        for start, end in itertools.pairwise(edges):
            yield stream[start:end]

    found = await taken(lines(chunks(), CALL, ends_by_cr=True))

    # bytes.splitlines knows the same three ends
    assert found == stream.splitlines()


@pytest.mark.parametrize("size", [1, 5, 1000])
async def test_lines_are_the_same_however_the_chunks_are_cut(size):
    """LF and CRLF end a line, and so does the end of the stream."""
    assert await taken(lines(cut(b"a\n\nbc\r\nd\r", size), CALL)) == [b"a", b"", b"bc", b"d"]


@pytest.mark.parametrize("size", [1024, 64 * 1024])
async def test_line_without_end_is_refused(size):
    """No service can make the gateway hold more than a line's limit."""
    with pytest.raises(BadPayload, match="line is longer"):
        await taken(lines(cut(b"x" * (MAX_LINE_BYTES + 2 * size), size), CALL))


async def test_event_without_end_is_refused():
    """Short lines of data that no empty line ends may not pile up either."""
    line = b"data: " + b"x" * 1017 + b"\n"

    with pytest.raises(BadPayload, match="event is longer"):
        await taken(events(cut(line * (MAX_EVENT_CHARACTERS // 1018 + 2), 64 * 1024), CALL))


async def test_many_events_may_be_longer_than_one():
    """The limit is one event's: a stream may go on for ever."""
    event = b"data: " + b"x" * 1016 + b"\n\n"

    found = await taken(events(cut(event * 1100, 64 * 1024), CALL))

    assert [len(one.data) for one in found] == [1016] * 1100
