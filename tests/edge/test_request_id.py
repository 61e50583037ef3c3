"""Request ids: a new one, or a safe one of the caller."""

import re

from hypothesis import given
from hypothesis import strategies as st

from bff_core.edge.request_id import request_id


def drawn(count):
    """Return fixed random bits."""
    return (1 << count) - 1


@given(st.binary(max_size=300))
def test_whatever_a_caller_sends_an_id_is_harmless(offered):
    """An id can't end a log line, start an escape sequence or exceed a header."""
    made = request_id(offered, drawn)

    assert re.fullmatch(r"[A-Za-z0-9._~:+/=-]{1,128}", made)


@given(st.text("abcXYZ0189._~:+/=-", min_size=1, max_size=128))
def test_a_safe_id_is_used(offered):
    """The answer has the caller's own id."""
    assert request_id(offered.encode(), drawn) == offered


def test_an_id_that_is_too_long_is_replaced():
    """129 characters are one too many."""
    assert request_id(b"a" * 129, drawn) == "f" * 24


async def test_the_answer_names_the_request(edged, answering):
    """The id is echoed, and faces see the same one."""
    scopes = []
    gateway = edged(answering(scopes=scopes))

    accepted = await gateway.get("/", headers={"X-Request-ID": "phone-42"})
    made = await gateway.get("/", headers={"X-Request-ID": "two words"})

    assert accepted.headers["x-request-id"] == "phone-42" == scopes[0].request_id
    assert made.headers["x-request-id"] == scopes[1].request_id
    assert re.fullmatch("[0-9a-f]{24}", scopes[1].request_id)


async def test_ids_differ_from_request_to_request(edged, answering):
    """A thousand requests have a thousand ids."""
    scopes = []
    gateway = edged(answering(scopes=scopes))

    for _ in range(1000):
        await gateway.speak()

    assert len({scope.request_id for scope in scopes}) == 1000
