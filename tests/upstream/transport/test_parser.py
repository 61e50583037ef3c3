"""What is remembered of header fields: spellings of names, up to a bound, and no rule bent."""

import pytest

from bff_core.policy.upstream.connection import Connection
from bff_core.upstream.transport import parser as parsing
from bff_core.upstream.transport.framing import ResponseFraming
from bff_core.upstream.transport.parser import ParserEvents


def read(*fields):
    """Read a response with these fields and no body."""
    response = ResponseFraming(Connection(max_headers=2000), is_head=False)
    lines = "\r\n".join(["HTTP/1.1 200 OK", "Content-Length: 0", *fields, "", ""])
    response.feed(lines.encode())
    return response


def test_every_spelling_reads_the_same_each_time():
    """A name in any case is the same field, whether it is new or not."""
    spellings = ("X-Spelt: 1", "x-spelt: 1", "X-SPELT: 1 \t")

    first, second = read(*spellings), read(*spellings)

    assert first.headers == second.headers
    assert first.headers[1:] == ((b"x-spelt", b"1"),) * 3


@pytest.mark.parametrize("spelling", ["Connection", "connection", "CONNECTION"])
def test_fields_of_the_connection_are_obeyed_each_time(spelling):
    """What is known of a name never hides a field that framing depends on."""
    responses = [read(f"{spelling}: close, X-Hop", "X-Hop: 1") for _ in range(3)]

    assert [response.is_reusable for response in responses] == [False] * 3
    assert {response.headers for response in responses} == {((b"content-length", b"0"),)}


def test_a_service_that_invents_names_costs_no_memory():
    """Names are remembered up to a bound, long ones not at all; all are read."""
    long = "X-" + "l" * 5000
    for batch in range(10):
        response = read(*(f"X-Made-Up-{batch}-{number}: 1" for number in range(500)))
        assert len(response.headers) == 501
    last = read(f"{long}: 1")

    events = ParserEvents()
    events.on_header(long.encode(), b"1")
    assert events.fields == list(last.headers[1:]) == [(long.lower().encode(), b"1")]
    assert len(parsing._ordinary) <= 1024
    assert max(map(len, parsing._ordinary)) <= 64
