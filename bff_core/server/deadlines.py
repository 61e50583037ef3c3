"""Receive deadlines: how long a connection waits for its client, and for what."""

from collections.abc import Callable
from math import inf
from typing import Final

from bff_core.server.options import ServerOptions

FRESH: Final = 0
"""The first byte."""
IDLE: Final = 1
"""The first byte of another request."""
HEAD: Final = 2
"""The rest of a head."""
BODY: Final = 3
"""The rest of a body."""
LINGER: Final = 4
"""The end of the connection, by a client that has got its last answer."""
NOTHING: Final = 5
"""The handler, not the client."""


class ConnectionDeadlines:
    """What the connection waits for (`stage`), until `due`, an instant of the loop's clock."""

    __slots__ = ("_now", "_options", "due", "stage")

    def __init__(self, options: ServerOptions, now: Callable[[], float]) -> None:
        self._options = options
        self._now = now
        self.stage = FRESH
        self.due = now() + options.header_timeout

    def await_head(self) -> None:
        """Wait for the rest of a head, all in all no longer than its timeout."""
        self.stage, self.due = HEAD, self._now() + self._options.header_timeout

    def await_body(self) -> None:
        """Wait for a body."""
        self.stage, self.due = BODY, self._now() + self._options.body_timeout

    def extend(self, size: int) -> None:
        """Give more time for a body that arrives at the required rate."""
        self.due += size / self._options.body_rate

    def pause(self) -> None:
        """Stop the clock for a client that has to wait for the handler."""
        if self.stage == BODY:
            self.due = inf

    def resume(self) -> None:
        """Start the clock of a body anew."""
        if self.stage == BODY:
            self.await_body()

    def await_request(self) -> None:
        """Wait for another request."""
        self.stage, self.due = IDLE, self._now() + self._options.keep_alive

    def await_close(self) -> None:
        """Wait for the client to end."""
        self.stage, self.due = LINGER, self._now() + self._options.linger

    def clear(self) -> None:
        """Wait for nothing."""
        self.stage, self.due = NOTHING, inf

    def handshake_due(self) -> float:
        """Return until when a web socket whose head has arrived may wait for its acceptance."""
        return min(self.due, self._now() + self._options.header_timeout)

    def is_idle(self, now: float, seconds: float) -> bool:
        """Whether the client has sent nothing of a request for so long."""
        if self.stage == IDLE:
            return now - (self.due - self._options.keep_alive) >= seconds
        return self.stage == FRESH and now - (self.due - self._options.header_timeout) >= seconds
