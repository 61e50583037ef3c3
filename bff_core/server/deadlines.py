"""Receive deadlines: how long a connection waits for which part of a request."""

from collections.abc import Callable
from math import inf
from typing import Final

from bff_core.server.options import ServerOptions

NEW: Final = 0
"""Waits for the first byte of the first request."""
IDLE: Final = 1
"""Waits for the first byte of another request."""
HEAD: Final = 2
"""Waits for the rest of a head."""
BODY: Final = 3
"""Waits for the rest of a body."""
LINGER: Final = 4
"""Waits for the client to close the connection after its last answer."""
HANDLING: Final = 5
"""Waits for the handler, not for the client."""


class ConnectionDeadlines:
    """What a connection waits for (`stage`), and until when (`due`, by the loop's clock)."""

    __slots__ = ("_now", "_options", "due", "stage")

    def __init__(self, options: ServerOptions, now: Callable[[], float]) -> None:
        self._options = options
        self._now = now
        self.stage = NEW
        self.due = now() + options.header_timeout

    def await_head(self) -> None:
        """Wait for a whole head, which has one timeout."""
        self.stage, self.due = HEAD, self._now() + self._options.header_timeout

    def await_body(self) -> None:
        """Wait for a body."""
        self.stage, self.due = BODY, self._now() + self._options.body_timeout

    def extend(self, size: int) -> None:
        """Extend the deadline of a body by the bytes that arrived, at the required rate."""
        self.due += size / self._options.body_rate

    def pause(self) -> None:
        """Suspend the deadline of a body while the client waits for the handler."""
        if self.stage == BODY:
            self.due = inf

    def resume(self) -> None:
        """Restart the deadline of a body."""
        if self.stage == BODY:
            self.await_body()

    def await_request(self) -> None:
        """Wait for another request."""
        self.stage, self.due = IDLE, self._now() + self._options.keep_alive

    def await_close(self) -> None:
        """Wait for the client to close the connection."""
        self.stage, self.due = LINGER, self._now() + self._options.linger

    def clear(self) -> None:
        """Wait for the handler, without a deadline."""
        self.stage, self.due = HANDLING, inf

    def handshake_due(self) -> float:
        """Return until when the application has to answer a web socket's handshake."""
        return min(self.due, self._now() + self._options.header_timeout)

    def is_idle(self, now: float, seconds: float) -> bool:
        """Whether the client has sent no byte of a request for so many seconds."""
        if self.stage == IDLE:
            return now - (self.due - self._options.keep_alive) >= seconds
        return self.stage == NEW and now - (self.due - self._options.header_timeout) >= seconds
