"""Which failed attempts count as failures of the upstream, for breaker and load balancing."""

import asyncio
import math

from bff_core.call import Call
from bff_core.errors import AttemptTimedOut, DeadlineExceeded, NotSent, UpstreamError

TIMEOUTS = (AttemptTimedOut, DeadlineExceeded, asyncio.CancelledError)

MIN_BLAMED_SECONDS = 0.1
"""An attempt that its deadline ended earlier than this does not count as a failure.

A client may choose any short deadline, and must not be able to open a circuit with it.
"""

TIMER_TOLERANCE_SECONDS = 0.001
"""How many seconds too early a timer of the event loop may fire."""


def is_upstream_fault(
    error: BaseException,
    call: Call,
    *,
    now: float,
    duration: float,
    attempt_timeout: float = math.inf,
) -> bool:
    """Whether an attempt that took `duration` seconds failed by the upstream's fault.

    `attempt_timeout` is after how many seconds an outer layer cancels the attempt.

    1. A call that was not sent is never the upstream's fault, nor a timeout while the gateway waits
       for the body of the request, such as a client's slow upload.
    2. The attempt's timeout is the upstream's fault; the call's deadline if it was long enough.
    3. A cancellation at the deadline or `attempt_timeout` is a timeout; any other is the client's.
    4. Every other error of the call is the upstream's; any other error is the gateway's.
    """
    if isinstance(error, NotSent) or (isinstance(error, TIMEOUTS) and call.awaits_body):
        return False
    if isinstance(error, AttemptTimedOut):
        return True
    if isinstance(error, DeadlineExceeded):
        return duration >= MIN_BLAMED_SECONDS
    if isinstance(error, asyncio.CancelledError):
        has_expired = (
            now >= call.deadline - TIMER_TOLERANCE_SECONDS and duration >= MIN_BLAMED_SECONDS
        )
        return has_expired or duration >= attempt_timeout - TIMER_TOLERANCE_SECONDS
    return isinstance(error, UpstreamError)


def is_fault_status(status: int) -> bool:
    """Whether a status counts as a failure of the upstream; 4xx, 429 included, never does."""
    return status >= 500
