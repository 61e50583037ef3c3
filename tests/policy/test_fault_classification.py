"""Whose fault a failed attempt is: a client must not be able to open a circuit."""

import asyncio

import pytest

from bff_core.call import Call
from bff_core.errors import (
    AttemptTimedOut,
    BadPayload,
    BulkheadFull,
    DeadlineExceeded,
    TransportFailed,
)
from bff_core.policy.upstream.fault_classification import is_fault_status, is_upstream_fault

CALL = Call("users", "GET", "/users/7", "GET /users/{id}", deadline=1010.0)


@pytest.mark.parametrize(
    ("error", "now", "duration", "expected"),
    [
        (TransportFailed("reset", call=CALL, is_sent=True), 1000.0, 0.01, True),
        (BadPayload("garbage", call=CALL), 1000.0, 0.01, True),
        (AttemptTimedOut("slow", call=CALL), 1000.0, 2.5, True),
        (BulkheadFull("full", call=CALL), 1000.0, 0.01, False),
        (DeadlineExceeded("over", call=CALL), 1010.0, 5.0, True),
        (DeadlineExceeded("over", call=CALL), 1010.0, 0.05, False),
        (asyncio.CancelledError(), 1010.0, 5.0, True),
        (asyncio.CancelledError(), 1010.0, 0.05, False),
        (asyncio.CancelledError(), 1005.0, 2.4, False),
        (asyncio.CancelledError(), 1005.0, 2.5, True),
        (ZeroDivisionError(), 1000.0, 0.01, False),
    ],
    ids=[
        "broken connection",
        "garbage",
        "attempt's timeout",
        "never sent",
        "deadline after a while",
        "deadline that the client set very short",
        "cancelled at the deadline",
        "cancelled at a deadline that the client set very short",
        "client left",
        "cancelled at the attempt's timeout",
        "mistake in the gateway",
    ],
)
def test_blame(error: BaseException, now: float, duration: float, expected: bool) -> None:
    """Broken connections and timeouts count against an upstream; what clients do never does."""
    blamed = is_upstream_fault(error, CALL, now=now, duration=duration, attempt_timeout=2.5)

    assert blamed is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, False), (404, False), (429, False), (499, False), (500, True), (503, True)],
)
def test_only_a_5xx_speaks_against_the_upstream(status: int, expected: bool) -> None:
    """What a client did wrong, asking too often included, never counts."""
    assert is_fault_status(status) is expected
