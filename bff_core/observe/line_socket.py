"""Sends lines to a Unix socket and never waits: a line is dropped if the socket is full."""

import socket
from typing import Final, Self

CONNECT_SECONDS: Final = 1.0


class LineSocket:
    """The sending end of a stream of lines."""

    def __init__(self, stream: socket.socket) -> None:
        stream.setblocking(False)
        self._stream: socket.socket | None = stream
        self._rest = b""

    @classmethod
    def connected(cls, path: str) -> Self | None:
        """Connect to a socket; return None if nothing listens there."""
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(CONNECT_SECONDS)
        try:
            stream.connect(path)
        except OSError:
            stream.close()
            return None
        return cls(stream)

    def send(self, line: bytes) -> bool:
        """Send a line, after the rest of the one before; return False if it is dropped."""
        self._rest = self._rest[self._write(self._rest) :]
        if self._rest:
            return False
        sent = self._write(line)
        self._rest = line[sent:] if sent else b""
        return sent > 0

    def close(self) -> None:
        """Close the connection; further lines are dropped."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _write(self, text: bytes) -> int:
        """Return how many bytes the socket took."""
        if self._stream is None or not text:
            return 0
        try:
            return self._stream.send(text)
        except BlockingIOError:
            return 0
        except OSError:  # the reader is gone
            self.close()
            return 0
