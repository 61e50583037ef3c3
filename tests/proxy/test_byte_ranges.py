"""Byte ranges: which are sent, which are ignored, which are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.proxy.static.byte_ranges import MAX_RANGES, Multipart, NotSatisfiable, ranges_of

SIZE = 1000


@pytest.mark.parametrize(
    ("field", "ranges"),
    [
        (b"bytes=0-0", [(0, 1)]),
        (b"bytes=0-499", [(0, 500)]),
        (b"bytes=500-", [(500, 1000)]),
        (b"bytes=-1", [(999, 1000)]),
        (b"bytes=-5000", [(0, 1000)]),
        (b"bytes=0-5000", [(0, 1000)]),
        (b"BYTES=0-0", [(0, 1)]),
        (b"bytes = 0-0", [(0, 1)]),
        (b"bytes=0-0,-1", [(0, 1), (999, 1000)]),
        (b"bytes=-1, 0-0", [(999, 1000), (0, 1)]),
        (b"bytes=, 0-0 ,,", [(0, 1)]),
        (b"bytes=0-99,100-199", [(0, 200)]),
        (b"bytes=0-10,500-510,5-20", [(0, 21), (500, 511)]),
        (b"bytes=500-510,0-10,0-999", [(0, 1000)]),
        (b"bytes=0-0,2000-", [(0, 1)]),
        (b"bytes=0-99999999999999999999999999", [(0, 1000)]),
        (b"bytes=" + b"0" * 5000 + b"-0", [(0, 1)]),
    ],
)
def test_ranges_are_those_of_the_request(field, ranges):
    """In the order of the request; those that overlap or touch become one."""
    assert [tuple(one) for one in ranges_of(field, SIZE)] == ranges


@pytest.mark.parametrize(
    "field",
    [
        b"",
        b"bytes",
        b"bytes=",
        b"bytes=-",
        b"bytes=,",
        b"bytes=a-b",
        b"bytes=5-4",
        b"bytes=0-1,5-4",
        b"bytes=0-1,x",
        b"bytes=0-1-2",
        b"bytes=+0-1",
        b"bytes=0x0-1",
        b"bytes=0 -1",
        b"bytes=1_0-20",
        b"bytes=\xd9\xa0-\xd9\xa1",
        b"items=0-1",
        b"seconds=1-2",
        b"bytes:0-1",
        b"bytes=" + b",".join(b"%d-%d" % (n * 2, n * 2) for n in range(MAX_RANGES + 1)),
    ],
)
def test_a_malformed_or_unknown_range_is_ignored(field):
    """The whole file is a right answer to all of them (RFC 9110, section 14.2)."""
    assert ranges_of(field, SIZE) == ()


@pytest.mark.parametrize(
    "field",
    [
        b"bytes=1000-",
        b"bytes=1000-2000",
        b"bytes=-0",
        b"bytes=5000-,-0",
        b"bytes=" + b"9" * 9000 + b"-",
    ],
)
def test_a_range_after_the_end_is_refused(field):
    """No byte of the file is in it, so the client has another file in mind."""
    with pytest.raises(NotSatisfiable):
        ranges_of(field, SIZE)


def test_an_empty_file_has_no_ranges():
    """It is sent whole, as to a client that names no range."""
    assert ranges_of(b"bytes=0-", 0) == ()


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: tuple(sorted(pair))),
        min_size=1,
        max_size=MAX_RANGES,
    )
)
def test_the_union_of_the_ranges_is_sent_once(pairs):
    """Every requested byte is sent, no byte twice, whatever overlaps."""
    size = 40
    field = b"bytes=" + b",".join(b"%d-%d" % pair for pair in pairs)
    wanted = {byte for first, last in pairs for byte in range(first, last + 1) if byte < size}
    if not wanted:
        with pytest.raises(NotSatisfiable):
            ranges_of(field, size)
        return

    sent = [byte for one in ranges_of(field, size) for byte in range(one.start, one.end)]

    assert sorted(sent) == sorted(wanted)


def test_the_length_of_several_ranges_is_that_of_the_body():
    """A wrong length would cut off the body, or the connection."""
    ranges = ranges_of(b"bytes=0-9,20-29", 100)
    framing = Multipart(b"text/plain", 100)
    body = b"".join([framing.part_head(one) + bytes(one.size) for one in ranges]) + framing.end

    assert dict(framing.headers(ranges))[b"content-length"] == b"%d" % len(body)
