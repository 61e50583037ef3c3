"""What a try of a step that failed says of its effect: no I/O."""

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
from bff_core.saga.record import StepFailure
from bff_core.statuses import DECIDED_IN_JSON, TRY_LATER

Verdict = Literal["refused", "unsent", "later", "open"]
"""What is known of a try that failed.

- refused: the service itself declined the write under its key: it is not done, nor was it before
- unsent: this try changed nothing and another would fare no better; of earlier ones it says nothing
- later: this try changed nothing, and another may succeed
- open: it may have had its effect
"""

BUSY: Final = 60.0
"""For how many seconds a 409 to a request that was sent before may mean that it is under way
(draft-ietf-httpapi-idempotency-key-header, section 2.7)."""


def verdict(error: BaseException, unsafe_calls: Sequence[Call]) -> Verdict:
    """Return what a failed try says; `unsafe_calls` are its calls beyond plain reads.

    What counts is which of them were sent: an attempt that never reached the service changed
    nothing. A service's answer is believed only for the write that it answers: where a try sent
    another one, that other may have had its effect. An error that was raised from a service's says
    what that one says: `fails_with` and steps translate failures.
    """
    match _translated(error):
        case PartFailed(cause=cause):
            return verdict(cause, unsafe_calls)
        case UpstreamError(call=call) as failed:
            if any(other.was_sent for other in unsafe_calls if other.trail is not call.trail):
                return "open"
            return _of_read(failed) if call.is_safe else _of_write(failed)
        case ClientError() | ConfigurationError():
            return "open" if any(call.was_sent for call in unsafe_calls) else "unsent"
    is_unsent = bool(unsafe_calls) and not any(call.was_sent for call in unsafe_calls)
    return "later" if is_unsent else "open"


def _translated(error: BaseException) -> BaseException:
    """Return the failed call that an error was raised from, else the error itself."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, UpstreamError | PartFailed):
        cause = cause.__cause__
    return cause or error


def _of_read(error: UpstreamError) -> Verdict:
    match error:
        case NotSent():
            return "unsent"
        case BadStatus() if 400 <= error.reply.status < 500 and error.reply.status not in TRY_LATER:
            return "unsent"
    return "later"


def _of_write(error: UpstreamError) -> Verdict:
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
    if not trail:  # sent by something that writes no trail, or not at all
        return error.attempts if error.is_sent else 0
    return sum(attempt.is_sent for attempt in trail)


def _of_refusal(error: BadStatus, sent: int) -> Verdict:
    """Return what a 4xx says after so many attempts.

    The first attempt may have done it though its answer was lost. Then only the word of a service
    counts that knows the key, and not that of a proxy in front of it.
    """
    status, is_first = error.reply.status, sent <= 1
    if _is_of_service(error) and (status != 409 or is_first):
        return "refused"
    if not is_first:
        return "open"
    return "later" if status in TRY_LATER else "unsent"


def _is_of_service(error: BadStatus) -> bool:
    is_keyed = find_header(error.call.headers, b"idempotency-key") is not None
    is_json = "json" in (error.reply.header("content-type") or "")
    return is_keyed and is_json and error.reply.status in DECIDED_IN_JSON


def is_over(error: BaseException, unsafe_calls: Sequence[Call]) -> bool:
    """Whether no service works any more on what a failed try sent.

    That is so where the one write that was sent was answered, or its connection was closed. After
    a timeout, ours or that of a proxy, it may still be done.
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
    """Whether a refusal may mean the same request, which was first sent so many seconds ago."""
    return failure.status == 409 and seconds < BUSY
