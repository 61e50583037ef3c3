"""Whether a failed attempt may have taken effect, by its error and its calls."""

import pytest

from bff_core.call import Attempt, Call, Reply
from bff_core.errors import (
    AttemptTimedOut,
    BadPayload,
    BadStatus,
    CircuitOpen,
    ClientError,
    DeadlineExceeded,
    NotSent,
    PartFailed,
    TransportFailed,
)
from bff_core.saga.indeterminate import effect_of, is_settled

KEY = ((b"idempotency-key", b"k-1"),)
OWN = ((b"content-type", b"application/problem+json; charset=utf-8"),)
HTML = ((b"content-type", b"text/html"),)


def trail(sent, unsent):
    """Return so many attempts that never reached the service, then those that may have."""
    return [Attempt("a", 0.0, is_sent=False)] * unsent + [Attempt("a", 0.0)] * sent


def read(sent=1):
    """Return a read that was sent so many times."""
    return Call("shop", "GET", "/", "GET /", 9.0, trail=trail(sent, 0))


def write(sent=1, headers=KEY, unsent=0):
    """Return a keyed write that was sent so many times, after attempts that were not."""
    return Call("shop", "POST", "/", "POST /", 9.0, headers=headers, trail=trail(sent, unsent))


UNSENT = write(sent=0, unsent=3)
MIXED = write(sent=1, unsent=2)


def answered(status, call, headers=OWN):
    """Return the error of an answer."""
    return BadStatus(Reply(status, headers), call=call)


def translated(error, cause):
    """Return an error as it is raised from another."""
    error.__cause__ = cause
    return error


def failed(kind, call, **said):
    """Return an error of three attempts."""
    return kind("failed", call=call, attempts=3, **said)


def writes_of(error, others):
    """Return the unsafe calls of a try: that of the error, and others."""
    while isinstance(error, PartFailed) or error.__cause__ is not None:
        error = error.cause if isinstance(error, PartFailed) else error.__cause__
    call = getattr(error, "call", None)
    return [*([call] if call is not None and not call.is_safe else []), *others]


@pytest.mark.parametrize(
    ("error", "others", "said"),
    [
        (translated(ClientError("no"), answered(422, write())), [], "refused"),
        (translated(ClientError("no"), answered(422, write(sent=2))), [], "refused"),
        (translated(ClientError("no"), answered(429, write())), [], "later"),
        (translated(ClientError("no"), answered(422, write())), [write()], "open"),
        (translated(ClientError("no"), answered(500, write())), [], "open"),
        (
            translated(KeyError("x"), translated(KeyError("y"), answered(409, write()))),
            [],
            "refused",
        ),
        (translated(ClientError("no"), KeyError("x")), [], "unsent"),
        (answered(422, write()), [], "refused"),
        (answered(409, write()), [], "refused"),
        (answered(402, write(sent=2)), [], "refused"),
        (PartFailed("charge", answered(402, write())), [], "refused"),
        (answered(422, write()), [write()], "open"),
        (answered(422, write()), [UNSENT], "refused"),
        (answered(409, write(sent=2)), [], "open"),
        (answered(409, MIXED), [], "refused"),
        (answered(404, write(), HTML), [], "unsent"),
        (answered(404, write(sent=2), HTML), [], "open"),
        (answered(404, MIXED, HTML), [], "unsent"),
        (answered(422, write(headers=())), [], "unsent"),
        (answered(422, write(sent=2, headers=())), [], "open"),
        (answered(401, write()), [], "unsent"),
        (answered(401, write(sent=2)), [], "open"),
        (answered(429, write()), [], "later"),
        (answered(429, write(sent=2)), [], "open"),
        (answered(500, write()), [], "open"),
        (answered(404, read()), [], "unsent"),
        (answered(429, read()), [], "later"),
        (answered(500, read()), [], "later"),
        (answered(404, read()), [write()], "open"),
        (answered(404, read()), [UNSENT], "unsent"),
        (CircuitOpen("open", call=write(sent=0), retry_after=1.0), [], "unsent"),
        (CircuitOpen("open", call=UNSENT, retry_after=1.0), [], "unsent"),
        (CircuitOpen("open", call=MIXED, retry_after=1.0), [], "open"),
        (CircuitOpen("open", call=write(sent=0), retry_after=1.0), [write()], "open"),
        (NotSent("budget", call=read(sent=0)), [], "unsent"),
        (failed(TransportFailed, UNSENT, is_sent=False), [], "later"),
        (failed(TransportFailed, write(sent=0), is_sent=False), [], "later"),
        (failed(TransportFailed, MIXED, is_sent=False), [], "open"),
        (failed(TransportFailed, MIXED, is_sent=True), [], "open"),
        (failed(TransportFailed, read(), is_sent=True), [], "later"),
        (failed(DeadlineExceeded, write()), [], "open"),
        (failed(DeadlineExceeded, write(sent=0)), [], "open"),
        (failed(DeadlineExceeded, UNSENT), [], "later"),
        (failed(DeadlineExceeded, write(sent=0), is_sent=False), [], "later"),
        (failed(AttemptTimedOut, UNSENT), [], "later"),
        (failed(AttemptTimedOut, MIXED), [], "open"),
        (BadPayload("no JSON", call=write()), [], "open"),
        (ClientError("The cart is empty."), [], "unsent"),
        (ClientError("Not what was wanted."), [write()], "open"),
        (ClientError("Not what was wanted."), [UNSENT], "unsent"),
        (ZeroDivisionError(), [], "open"),
        (TimeoutError(), [], "open"),
        (TimeoutError(), [write()], "open"),
        (TimeoutError(), [UNSENT], "later"),
        (TimeoutError(), [UNSENT, write()], "open"),
    ],
)
def test_the_effect_of_a_failed_attempt(error, others, said):
    """A write that may have happened never counts as undone, nor an unsent one as done."""
    assert effect_of(error, writes_of(error, others)) == said


@pytest.mark.parametrize(
    ("error", "others", "over"),
    [
        (answered(500, write()), [], True),
        (answered(502, write()), [], True),
        (answered(504, write()), [], False),
        (answered(408, write()), [], False),
        (answered(500, write(sent=2)), [], False),
        (answered(500, MIXED), [], True),
        (answered(500, write()), [write()], False),
        (PartFailed("charge", answered(500, write())), [], True),
        (failed(TransportFailed, write(), is_sent=True), [], True),
        (failed(TransportFailed, UNSENT, is_sent=False), [], True),
        (BadPayload("no JSON", call=write()), [], True),
        (failed(DeadlineExceeded, write()), [], False),
        (failed(AttemptTimedOut, write()), [], False),
        (failed(AttemptTimedOut, UNSENT), [], True),
        (TimeoutError(), [write()], False),
        (TimeoutError(), [UNSENT], True),
    ],
)
def test_a_service_may_work_on_what_timed_out(error, others, over):
    """A check without a finding decides at once only if no service still processes the request."""
    assert is_settled(error, writes_of(error, others)) is over
