"""Trace context: a valid trace of the caller is continued, otherwise a new one starts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.edge.trace import child_of, trace_id
from bff_core.http_exchange.request_context import SCOPE

VALID = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[0-3]")
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def drawn(count):
    """Return fixed random bits, which are not zero."""
    return 0xAB if count == 64 else 0xCD


@given(st.binary(max_size=80) | st.from_regex(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-.{2}"))
def test_whatever_a_caller_sends_services_get_a_valid_traceparent(offered):
    """Services get a valid traceparent, whatever the caller sends."""
    assert VALID.fullmatch(child_of(offered, drawn))


def test_a_trace_is_continued_under_our_own_span():
    """Trace id and sampling stay; the parent id is new."""
    sampled = child_of(f"00-{TRACE}-{SPAN}-01".encode(), drawn)
    unsampled = child_of(f"00-{TRACE}-{SPAN}-00".encode(), drawn)

    assert sampled == f"00-{TRACE}-00000000000000ab-01"
    assert unsampled == f"00-{TRACE}-00000000000000ab-00"


def test_a_later_version_is_read_as_far_as_it_is_known():
    """Version 7 with more fields continues as version 00, without unknown flags."""
    child = child_of(f"07-{TRACE}-{SPAN}-f9-what-else".encode(), drawn)

    assert child == f"00-{TRACE}-00000000000000ab-01"


@pytest.mark.parametrize(
    "offered",
    [
        None,
        b"",
        f"ff-{TRACE}-{SPAN}-01".encode(),
        f"00-{'0' * 32}-{SPAN}-01".encode(),
        f"00-{TRACE}-{'0' * 16}-01".encode(),
        f"00-{TRACE.upper()}-{SPAN}-01".encode(),
        f"00-{TRACE}-{SPAN}-01-more".encode(),
        f"00-{TRACE}-{SPAN}-1".encode(),
        f" 00-{TRACE}-{SPAN}-01".encode(),
        f"00-{TRACE}-{SPAN}-01\n".encode(),
    ],
)
def test_an_invalid_trace_is_replaced_by_a_new_one(offered):
    """The specification demands a new trace."""
    assert trace_id(child_of(offered, drawn)) == f"{0xCD:032x}"


def test_chance_that_draws_zero_still_gives_valid_ids():
    """Ids of zeroes are invalid."""
    assert VALID.fullmatch(child_of(None, lambda _: 0))


async def test_problem_details_have_the_trace_of_the_caller(edged, answering):
    """An error has the trace id that the caller sent."""
    gateway = edged(answering(), trusted_proxies=("127.0.0.1",))

    answer = await gateway.get(
        "/", headers={"traceparent": f"00-{TRACE}-{SPAN}-01", "Request-Timeout": "soon"}
    )

    assert answer.json()["trace_id"] == TRACE


@pytest.mark.parametrize(
    ("lines", "trace", "state"),
    [
        ((("traceparent", TRACE), ("tracestate", "a=1"), ("tracestate", "b=2")), TRACE, "a=1,b=2"),
        ((("traceparent", TRACE), ("traceparent", TRACE), ("tracestate", "a=1")), None, ""),
        ((("traceparent", TRACE), ("traceparent", "f" * 32)), None, ""),
    ],
)
async def test_fields_of_a_trace_in_several_lines(edged, lines, trace, state):
    """Lines of tracestate are a list; two of traceparent are a new trace, and no error."""
    found = []

    async def app(scope, _receive, send):
        found.append(scope[SCOPE])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    gateway = edged(app, client_traces=True)
    values = [(n, f"00-{v}-{SPAN}-01" if n == "traceparent" else v) for n, v in lines]
    await gateway.speak([(b"host", b"testserver"), *((n.encode(), v.encode()) for n, v in values)])

    (request,) = found
    sent = {value for name, value in values if name == "traceparent"}
    assert gateway.status == 204
    assert request.tracestate == state
    assert (trace_id(request.traceparent) == trace) == (trace is not None)
    assert trace is not None or not any(trace_id(request.traceparent) in one for one in sent)
