"""Whose fault it is that an attempt failed: what the breaker and the balance count."""

import asyncio
import math

from bff_core.call import Call
from bff_core.errors import AttemptTimedOut, DeadlineExceeded, NotSent, UpstreamError

PATIENCE = 0.1
"""From how many seconds on an attempt that its deadline cut speaks against the upstream.

A client may ask for any short deadline, and must not be able to open a circuit by it.
"""

TOLERANCE = 0.001
"""How much earlier than an instant a timer of the loop may fire, in seconds."""


def is_upstream_fault(
    error: BaseException, call: Call, *, now: float, duration: float, cut_after: float = math.inf
) -> bool:
    """Whether an attempt that took `duration` seconds failed by the upstream's fault.

    `cut_after` is the timeout after which a layer further out cancels the attempt, in seconds.

    1. What was never sent tells nothing.
    2. Its own timeout is the upstream's fault; the call's deadline only if it left some time.
    3. A cancellation is a timeout in disguise, or the client's.
    4. Every other error of the call is the upstream's; any other error is the gateway's.
    """
    if isinstance(error, NotSent):
        return False
    if isinstance(error, AttemptTimedOut):
        return True
    if isinstance(error, DeadlineExceeded):
        return duration >= PATIENCE
    if isinstance(error, asyncio.CancelledError):
        has_expired = now >= call.deadline - TOLERANCE and duration >= PATIENCE
        return has_expired or duration >= cut_after - TOLERANCE
    return isinstance(error, UpstreamError)


def is_fault_status(status: int) -> bool:
    """Whether a reply's status speaks against the upstream: 4xx, 429 included, never does."""
    return status >= 500
