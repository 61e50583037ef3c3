"""Renders exceptions for the log: causes in one line, and the traceback once."""

import traceback
from collections.abc import Iterator

from bff_core.errors import BFFError, PartFailed, StoreUnavailable, UpstreamError

MAX_CAUSES = 3
"""Causes of an exception that are named, at most."""

_LOGGED = "__bff_logged__"


def cause_of(error: BaseException) -> BaseException:
    """Unwrap an exception: the only member of a group, the cause of a failed part."""
    while True:
        match error:
            case BaseExceptionGroup(exceptions=[only]):
                error = only
            case PartFailed(cause=cause):
                error = cause
            case _:
                return error


def described(error: BaseException) -> str:
    """Return types and messages of an exception and of its causes, in one line."""
    cause = cause_of(error)
    text = ", caused by ".join(f"{type(one).__name__}: {one}" for one in _chain(cause))
    return f"{text} (critical part {error.part!r})" if isinstance(error, PartFailed) else text


def is_bug(error: BaseException) -> bool:
    """Whether an exception is a bug, whose traceback is logged; a service's failure is not."""
    cause = cause_of(error)
    return not isinstance(cause, BFFError) or cause.status == 500


def mark_logged(error: BaseException, logger: str, request_id: str) -> bool:
    """Mark an exception as logged; return whether it already was, by this logger and request.

    The same exception in another request is another failure.
    """
    known, place = cause_of(error).__dict__, (logger, request_id)
    if known.get(_LOGGED) == place:
        return True
    known[_LOGGED] = place
    return False


def is_logged(error: BaseException) -> bool:
    """Whether an exception, or one of its causes, has been logged."""
    return any(_LOGGED in one.__dict__ for one in _chain(cause_of(error)))


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an unwrapped exception."""
    return "".join(traceback.format_exception(cause_of(error))).rstrip("\n")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, then its causes; our own errors include theirs in the message."""
    for _ in range(MAX_CAUSES):
        yield error
        hidden = None if error.__suppress_context__ else error.__context__
        cause = error.__cause__ or hidden
        if cause is None or isinstance(error, UpstreamError | StoreUnavailable):
            return
        error = cause_of(cause)
