"""What a failed try says of its effect: believed is only who can know."""

import pytest

from bff_core.call import Call, Reply
from bff_core.errors import (
    BadPayload,
    BadStatus,
    CircuitOpen,
    ClientError,
    DeadlineExceeded,
    NotSent,
    PartFailed,
    TransportFailed,
)
from bff_core.saga.doubt import verdict

KEY = ((b"idempotency-key", b"k-1"),)
OWN = ((b"content-type", b"application/problem+json; charset=utf-8"),)
HTML = ((b"content-type", b"text/html"),)


def read(sent=1):
    """Return a read that was sent so many times."""
    trail = [("a", 0.0)] * sent
    return Call("shop", "GET", "/", "GET /", 9.0, trail=trail)


def write(sent=1, headers=KEY):
    """Return a keyed write that was sent so many times."""
    trail = [("a", 0.0)] * sent
    return Call("shop", "POST", "/", "POST /", 9.0, headers=headers, trail=trail)


def answered(status, call, headers=OWN):
    """Return the error of an answer."""
    return BadStatus(Reply(status, headers), call=call)


def translated(error, cause):
    """Return an error as it is raised from another."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "writes", "said"),
    [
        (translated(ClientError("no"), answered(422, write())), 1, "refused"),
        (translated(ClientError("no"), answered(422, write(sent=2))), 1, "refused"),
        (translated(ClientError("no"), answered(429, write())), 1, "later"),
        (translated(ClientError("no"), answered(422, write())), 2, "open"),
        (translated(ClientError("no"), answered(500, write())), 1, "open"),
        (
            translated(KeyError("x"), translated(KeyError("y"), answered(409, write()))),
            1,
            "refused",
        ),
        (translated(ClientError("no"), KeyError("x")), 0, "unsent"),
        (answered(422, write()), 1, "refused"),
        (answered(409, write()), 1, "refused"),
        (answered(402, write(sent=2)), 1, "refused"),
        (PartFailed("charge", answered(402, write())), 1, "refused"),
        (answered(422, write()), 2, "open"),
        (answered(409, write(sent=2)), 1, "open"),
        (answered(404, write(), HTML), 1, "unsent"),
        (answered(404, write(sent=2), HTML), 1, "open"),
        (answered(422, write(headers=())), 1, "unsent"),
        (answered(422, write(sent=2, headers=())), 1, "open"),
        (answered(401, write()), 1, "unsent"),
        (answered(401, write(sent=2)), 1, "open"),
        (answered(429, write()), 1, "later"),
        (answered(429, write(sent=2)), 1, "open"),
        (answered(500, write()), 1, "open"),
        (answered(404, read()), 0, "unsent"),
        (answered(429, read()), 0, "later"),
        (answered(500, read()), 0, "later"),
        (answered(404, read()), 1, "open"),
        (CircuitOpen("open", call=write(sent=0), retry_after=1.0), 1, "unsent"),
        (CircuitOpen("open", call=write(sent=1), retry_after=1.0), 1, "open"),
        (CircuitOpen("open", call=write(sent=0), retry_after=1.0), 2, "open"),
        (NotSent("budget", call=read(sent=0)), 0, "unsent"),
        (TransportFailed("refused", call=write(), is_sent=False), 1, "later"),
        (TransportFailed("refused", call=write(sent=2), is_sent=False), 1, "open"),
        (TransportFailed("reset", call=write(), is_sent=True), 1, "open"),
        (TransportFailed("reset", call=read(), is_sent=True), 0, "later"),
        (DeadlineExceeded("late", call=write()), 1, "open"),
        (BadPayload("no JSON", call=write()), 1, "open"),
        (ClientError("The cart is empty."), 0, "unsent"),
        (ClientError("Not what was wanted."), 1, "open"),
        (ZeroDivisionError(), 0, "open"),
        (TimeoutError(), 0, "open"),
    ],
)
def test_a_failed_try_is_believed_as_far_as_it_can_know(error, writes, said):
    """What may have happened is never taken for undone."""
    assert verdict(error, writes) == said
