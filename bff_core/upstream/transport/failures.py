"""Errors of responses, and the `UpstreamError` that each becomes."""

from typing import Final

from bff_core.call import Call
from bff_core.errors import BadPayload, TransportFailed, UpstreamError


class ProtocolViolation(Exception):
    """The response violates HTTP/1.1, or exceeds a limit of `Connection`."""


class TruncatedResponse(ProtocolViolation):
    """The connection ended before the response did."""


class Undecodable(Exception):
    """The body does not follow its Content-Encoding, or that coding is unknown."""


class TooLarge(Exception):
    """The body is larger than its cap."""


RESPONSE_ERRORS: Final = (ProtocolViolation, Undecodable, TooLarge)
"""What reading a response may raise."""


def upstream_error(error: Exception, call: Call) -> UpstreamError:
    """Return the `UpstreamError` for one of `RESPONSE_ERRORS`."""
    failure: UpstreamError
    if isinstance(error, TruncatedResponse):
        failure = TransportFailed(str(error), call=call, is_sent=True)
    elif isinstance(error, ProtocolViolation):
        failure = TransportFailed(
            str(error), call=call, is_sent=True, code="protocol_error", is_lasting=True
        )
    else:
        failure = BadPayload(str(error), call=call)
    failure.__cause__ = _without_frames(error)
    return failure


def _without_frames(error: Exception) -> Exception:
    """Remove the tracebacks of an error and its contexts.

    Their frames refer to the exchange, which refers to the error: a reference cycle.
    """
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__context__
    return error
