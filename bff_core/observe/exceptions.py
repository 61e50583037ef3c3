"""What a log line says of an exception: its cause in words, and its traceback once."""

import traceback
from collections.abc import Iterator

from bff_core.errors import BFFError, PartFailed, StoreUnavailable, UpstreamError

MAX_CAUSES = 3
"""Exceptions behind one that are named."""

_LOGGED = "__bff_logged__"


def cause_of(error: BaseException) -> BaseException:
    """Return what matters of an exception: the only member of a group, the cause of a part."""
    while True:
        match error:
            case BaseExceptionGroup(exceptions=[only]):
                error = only
            case PartFailed(cause=cause):
                error = cause
            case _:
                return error


def described(error: BaseException) -> str:
    """Return types and messages of an exception and of what caused it, in one line."""
    cause = cause_of(error)
    text = ", caused by ".join(f"{type(one).__name__}: {one}" for one in _chain(cause))
    parts = _parts(error)
    return f"{text} (critical part {' of '.join(parts)})" if parts else text


def is_bug(error: BaseException) -> bool:
    """Whether the place in the code matters; the message of a service's failure says enough."""
    cause = cause_of(error)
    return not isinstance(cause, BFFError) or cause.status == 500


def mark_logged(error: BaseException, logger: str, request_id: str) -> bool:
    """Note that a logger writes of an exception; whether it did for this request.

    The same exception may be raised again, in another request, and then is another failure.
    """
    known, place = cause_of(error).__dict__, (logger, request_id)
    if known.get(_LOGGED) == place:
        return True
    known[_LOGGED] = place
    return False


def is_logged(error: BaseException) -> bool:
    """Whether a line was written of an exception, or of one that it was raised from."""
    return any(_LOGGED in one.__dict__ for one in _chain(cause_of(error)))


def traceback_of(error: BaseException) -> str:
    """Return the traceback of what matters of an exception."""
    return "".join(traceback.format_exception(cause_of(error))).rstrip("\n")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, then its causes; what our own errors were made of is in their words."""
    for _ in range(MAX_CAUSES):
        yield error
        hidden = None if error.__suppress_context__ else error.__context__
        behind = error.__cause__ or hidden
        if behind is None or isinstance(error, UpstreamError | StoreUnavailable):
            return
        error = cause_of(behind)


def _parts(error: BaseException) -> list[str]:
    return [repr(error.part)] if isinstance(error, PartFailed) else []
