"""Reads responses with h11, a second reader of HTTP/1.1, to compare its result with ours."""

import gzip
import re
from dataclasses import dataclass

import h11

from bff_core.policy.upstream.connection import Connection
from bff_core.upstream.transport.failures import ProtocolViolation
from bff_core.upstream.transport.framing import ResponseFraming

LARGEST = 1024 * 1024

_status_line = re.compile(rb"(HTTP/1\.[01] ([0-9])[0-9]{2} )[^\r\n]+")


@dataclass(frozen=True)
class Read:
    """The result of reading a whole connection; `ends_here` where reuse is safe."""

    status: int
    body: bytes
    ends_here: bool

    @property
    def plain(self) -> bytes:
        """The body, decoded if it is gzip, the only coding of the corpus."""
        return gzip.decompress(self.body) if self.body.startswith(b"\x1f\x8b") else self.body


def by_wire(*parts: bytes, method: str = "GET") -> Read | None:
    """Read with our own framing, from parts that arrive one by one; None is a refusal."""
    response = ResponseFraming(Connection(), is_head=method == "HEAD")
    left = list(parts)
    try:
        while left and not response.is_complete:
            response.feed(left.pop(0))
        if not response.is_complete:
            response.feed_eof()
    except ProtocolViolation:
        return None
    ends_here = response.is_reusable and not any(left)
    return Read(response.status, b"".join(response.pieces), ends_here)


def by_h11(raw: bytes, *, method: str = "GET") -> Read | None:
    """Read with h11; None is a refusal."""
    raw = _without_reasons(raw)
    reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST)
    reader.send(h11.Request(method=method, target="/", headers=[("host", "shop")]))
    reader.send(h11.EndOfMessage())
    try:
        return _events(reader, raw)
    except h11.RemoteProtocolError:
        return None


def _without_reasons(raw: bytes) -> bytes:
    """Replace the reason phrases: the wire's parser skips them, whatever they contain.

    Interim responses are followed to the final one; what comes after its line is left alone.
    """
    start = 0
    while (line := _status_line.match(raw, start)) is not None:
        raw = raw[:start] + line[1] + b"OK" + raw[line.end() :]
        start = raw.find(b"\r\n\r\n", start) + 4
        if line[2] != b"1" or start < 4:
            break
    return raw


def _events(reader: h11.Connection, raw: bytes) -> Read | None:
    status, body, unread = 0, b"", [raw, b""] if raw else [b""]
    while True:
        event = reader.next_event()
        if event is h11.NEED_DATA:
            if not unread:
                return None
            reader.receive_data(unread.pop(0))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            is_whole = bool(unread) and reader.their_state is h11.DONE
            return Read(status, body, is_whole and not reader.trailing_data[0])
        elif isinstance(event, h11.ConnectionClosed | type(h11.PAUSED)):
            return None
