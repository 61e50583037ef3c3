"""What both sides of a web socket know without the library: messages, closes, limits."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

Message = str | bytes
"""One message: text or binary."""

NO_CODE: Final = 1005
"""A close frame without a code; it is never sent (RFC 6455, section 7.4.1)."""

LOST: Final = 1006
"""The connection ended without a close frame; it is never sent."""

End = Literal["closed", "failed", "lost", "unanswered", "shutdown"]
"""Why a web socket ended: its peer closed it, broke the protocol, vanished, or left a ping
unanswered; or this process shuts down."""

EXTENSION: Final = "bff.web_socket"
"""The ASGI extension of our server: ends are explained, limits are per socket, and a close frame
may have no code."""

EXTEND: Final = "extend"
"""Where the extension has a function that gives the application more seconds to accept."""

END: Final = "bff.end"
"""Where a `websocket.disconnect` message of the server has its `End`."""

LIMITS: Final = "bff.limits"
"""Where a `websocket.accept` message may have the `SocketLimits` of its socket."""


class Closed(NamedTuple):
    """The end of a web socket: the code of the close frame, or `NO_CODE` or `LOST`, and why."""

    code: int
    reason: str = ""
    end: End = "closed"


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """The largest message in bytes; how often in seconds a silent peer is pinged, None for never.

    A peer that stays silent for `ping_timeout` seconds after a ping counts as lost.
    """

    max_message: int
    ping: float | None
    ping_timeout: float | None = None
