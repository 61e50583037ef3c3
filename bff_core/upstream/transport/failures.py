"""What can be wrong with a response, and which framework error it becomes."""

from typing import Final

from bff_core.call import Call
from bff_core.errors import BadPayload, TransportFailed, UpstreamError


class Violation(Exception):
    """The response violates HTTP/1.1, or exceeds a limit of `Connection`."""


class Cut(Violation):
    """The connection ended before the response did."""


class Undecodable(Exception):
    """The body does not follow its Content-Encoding, or that coding is unknown."""


class TooLarge(Exception):
    """The body is larger than its cap."""


RESPONSE_ERRORS: Final = (Violation, Undecodable, TooLarge)


def explain(error: Exception, call: Call) -> UpstreamError:
    """Return the framework error for one of `RESPONSE_ERRORS`."""
    failure: UpstreamError
    if isinstance(error, Cut):
        failure = TransportFailed(str(error), call=call, is_sent=True)
    elif isinstance(error, Violation):
        failure = TransportFailed(
            str(error), call=call, is_sent=True, code="protocol_error", is_lasting=True
        )
    else:
        failure = BadPayload(str(error), call=call)
    failure.__cause__ = _without_frames(error)
    return failure


def _without_frames(error: Exception) -> Exception:
    """Drop the tracebacks of a chain of errors.

    Their frames hold the exchange that holds the error: a cycle for each bad response.
    """
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__context__
    return error
