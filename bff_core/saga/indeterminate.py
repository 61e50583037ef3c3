"""Whether a failed attempt of a step may have taken effect: its outcome may be indeterminate."""

from collections.abc import Sequence
from typing import Final, Literal

from bff_core.call import Call, find_header
from bff_core.errors import (
    BadPayload,
    BadStatus,
    ClientError,
    ConfigurationError,
    NotSent,
    PartFailed,
    TransportFailed,
    UpstreamError,
)
from bff_core.http_statuses import DECIDED_IN_JSON, TRY_LATER
from bff_core.saga.record import StepFailure

Effect = Literal["refused", "unsent", "later", "open"]
"""What is known about the effect of a failed attempt.

- refused: the service refused the write under its key: no attempt with that key took effect
- unsent: this attempt changed nothing, and a retry would fail too; earlier ones may have an effect
- later: this attempt changed nothing, and a retry may succeed
- open: the outcome is indeterminate: the attempt may have taken effect
"""

BUSY_SECONDS: Final = 60.0
"""Seconds for which a 409 to a repeated request may mean that the first one is still in progress
(draft-ietf-httpapi-idempotency-key-header, section 2.7)."""


def effect_of(error: BaseException, unsafe_calls: Sequence[Call]) -> Effect:
    """Return the effect of a failed attempt; `unsafe_calls` are its calls beyond plain reads.

    A call that never reached the service changed nothing. A service's reply decides only for the
    write that it answers: if the attempt sent another write, the outcome is indeterminate. An error
    that was raised from an upstream error counts as that error, since `fails_with` and steps
    translate failures.
    """
    match _failed_call(error):
        case PartFailed(cause=cause):
            return effect_of(cause, unsafe_calls)
        case UpstreamError(call=call) as failed:
            if any(other.was_sent for other in unsafe_calls if other.trail is not call.trail):
                return "open"
            return _of_read(failed) if call.is_safe else _of_write(failed)
        case ClientError() | ConfigurationError():
            return "open" if any(call.was_sent for call in unsafe_calls) else "unsent"
    is_unsent = bool(unsafe_calls) and not any(call.was_sent for call in unsafe_calls)
    return "later" if is_unsent else "open"


def _failed_call(error: BaseException) -> BaseException:
    """Return the upstream error from which an error was raised, else the error itself."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, UpstreamError | PartFailed):
        cause = cause.__cause__
    return cause or error


def _of_read(error: UpstreamError) -> Effect:
    match error:
        case NotSent():
            return "unsent"
        case BadStatus() if 400 <= error.reply.status < 500 and error.reply.status not in TRY_LATER:
            return "unsent"
    return "later"


def _of_write(error: UpstreamError) -> Effect:
    sent = _sent_attempts(error)
    match error:
        case BadStatus() if 400 <= error.reply.status < 500:
            return _of_refusal(error, sent)
        case NotSent() if not sent:
            return "unsent"
    return "open" if sent else "later"


def _sent_attempts(error: UpstreamError) -> int:
    """Return how many attempts may have reached the service."""
    trail = error.call.trail
    if not trail:  # sent without a trail, or not at all
        return error.attempts if error.is_sent else 0
    return sum(attempt.is_sent for attempt in trail)


def _of_refusal(error: BadStatus, sent: int) -> Effect:
    """Return the effect of a write that was refused with a 4xx after so many attempts.

    The first attempt may have taken effect although its reply was lost. Then only the refusal of a
    service that stores the key counts, not that of a proxy in front of it.
    """
    status, is_first = error.reply.status, sent <= 1
    if _is_by_service(error) and (status != 409 or is_first):
        return "refused"
    if not is_first:
        return "open"
    return "later" if status in TRY_LATER else "unsent"


def _is_by_service(error: BadStatus) -> bool:
    is_keyed = find_header(error.call.headers, b"idempotency-key") is not None
    is_json = "json" in (error.reply.header("content-type") or "")
    return is_keyed and is_json and error.reply.status in DECIDED_IN_JSON


def is_settled(error: BaseException, unsafe_calls: Sequence[Call]) -> bool:
    """Return whether no service still processes the requests of a failed attempt.

    That holds if the one write that was sent got a reply, or its connection was closed. After a
    timeout, of the gateway or of a proxy, the service may still process it.
    """
    while isinstance(error, PartFailed):
        error = error.cause
    sent = sum(attempt.is_sent for call in unsafe_calls for attempt in call.trail)
    if sent > 1:
        return False
    match error:
        case BadStatus():
            return error.reply.status not in {408, 504}
        case TransportFailed() | BadPayload():
            return True
    return not sent


def may_be_busy(failure: StepFailure, seconds: float) -> bool:
    """Return whether a refusal may mean that the request sent `seconds` ago is in progress."""
    return failure.status == 409 and seconds < BUSY_SECONDS
