"""How the end of one side of a web socket is reported to the other (RFC 6455, section 7.4)."""

from typing import Final, NamedTuple

from bff_core.web_socket.limits import NO_CODE, Closed

GOING_AWAY: Final = 1001
BAD_GATEWAY: Final = 1014
POLICY: Final = 1008
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012

_REGISTERED: Final = frozenset({*range(1000, 1004), *range(1007, 1015)})


class Close(NamedTuple):
    """A close frame to send; without a code if it is None."""

    code: int | None
    reason: str = ""


class Ends(NamedTuple):
    """What each side of a web socket is sent at its end; None where it has ended itself."""

    to_client: Close | None
    to_service: Close | None


def may_be_sent(code: int) -> bool:
    """Whether a close frame may have a code: a registered one, or one of applications."""
    return code in _REGISTERED or 3000 <= code <= 4999


def after_client(end: Closed) -> Ends:
    """Return what the end of the client's side becomes.

    1. A close of the client itself: the same code and reason, or none.
    2. Anything else (it vanished, left a ping unanswered, broke the protocol, or this process
       ends): 1001. The server has sent the client what it has to know.
    """
    return Ends(None, _passed_on(end) or Close(GOING_AWAY))


def after_service(end: Closed) -> Ends:
    """Return what the end of the service's side becomes.

    1. A close of the service itself: the same code and reason, or none.
    2. It broke the protocol: the code of that fault (1002, 1007, 1009).
    3. It vanished, or left a ping unanswered: 1014.
    """
    if end.end == "failed":
        return Ends(Close(end.code, end.reason), Close(end.code))
    close = _passed_on(end)
    if close is None:
        return Ends(Close(BAD_GATEWAY, "the service is gone"), Close(GOING_AWAY))
    return Ends(close, close)


def after_idle(seconds: float) -> Ends:
    """Return what an idle time without any message becomes."""
    close = Close(GOING_AWAY, f"no message for {seconds:g} s")
    return Ends(close, close)


CLIENT_LEFT: Final = Ends(None, Close(GOING_AWAY))
"""Of a client that can't be sent to."""

BROKEN: Final = Ends(Close(INTERNAL_ERROR), Close(GOING_AWAY))
"""Of a failure in this process."""

GATEWAY_RESTARTS: Final = Ends(Close(SERVICE_RESTART, "the gateway restarts"), Close(GOING_AWAY))
"""Of a web socket whose request is cancelled: the process shuts down, or its route is removed."""

NOT_AUTHORIZED: Final = Ends(Close(POLICY, "sign in again"), Close(GOING_AWAY))
"""Of a web socket whose viewer may not use it any more."""


def _passed_on(end: Closed) -> Close | None:
    """Return the close frame of a side itself, for the other; None if it sent none."""
    if end.end != "closed":
        return None
    if end.code == NO_CODE:
        return Close(None)
    return Close(end.code, end.reason) if may_be_sent(end.code) else None
