"""HTTP/1 parsing: strict, so that a request has one meaning for every program on its way."""

import re
from typing import Final, Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from bff_core.server.early_refusal import (
    BAD_FRAMING,
    BAD_HOST,
    BAD_TARGET,
    BAD_TRAILER,
    FRAMING_TOO_LARGE,
    HANDSHAKE_WITH_BODY,
    HEAD_TOO_LARGE,
    NO_HOST,
    NO_TUNNEL,
    NOT_HTTP,
    TWO_HOSTS,
    UNKNOWN_CODING,
    UNKNOWN_EXPECTATION,
    UNKNOWN_VERSION,
    EarlyRefusal,
)
from bff_core.server.framing import bare_head
from bff_core.server.options import ServerOptions
from bff_core.server.request_target import Target, is_host, read_target

_CHECKED: Final = frozenset({b"host", b"expect", b"transfer-encoding", b"upgrade"})
_NO_TARGET: Final = Target(b"", "", b"")
_HOP_BY_HOP: Final = frozenset({b"connection", b"proxy-connection"})
_REFUSAL_FIELDS: Final = re.compile(
    rb"\r\n(origin|traceparent|x-request-id):([^\r\n]*)(?=\r\n)", re.IGNORECASE
)
"""The header fields that a refusal needs."""

_OTHER_PROTOCOLS: Final = (b" RTSP/", b" ICE/", b"  HTTP/")
"""Ends of request lines that the parser accepts, but that are not HTTP/1."""


class RequestSink(Protocol):
    """Receives requests as they are parsed."""

    def begin(self) -> None:
        """Begin a request whose head is complete; the reader has its fields."""

    def body(self, piece: bytes, /) -> None:
        """Receive a piece of its body."""

    def end(self) -> None:
        """End the request."""


class RequestReader:
    """Assembles requests from the parser's events, and checks them.

    The parser refuses bare line feeds, folded and malformed fields, two lengths, and a length
    beside a transfer coding. This class checks the protocol and its version, the Host field,
    transfer codings, expectations, and the size of the head and of the framing between pieces of a
    body. Trailers are dropped, since they would bypass these checks. A trailer that would change
    the connection is refused (RFC 9110, section 6.5.1).

    The parser stops at the head of a request that offers an upgrade. If the offer is not accepted,
    a second parser reads the body, framed as the head declares it (RFC 9112, section 6.3).

    Once `fault` is set, nothing more is read.
    """

    __slots__ = (
        "_allowance",
        "_bare_head",
        "_can_upgrade",
        "_checked_fields",
        "_has_other_protocol",
        "_is_done",
        "_line_bytes",
        "_line_offset",
        "_max_fields",
        "_max_head",
        "_parser",
        "_searched",
        "_sink",
        "_url",
        "expects_continue",
        "fault",
        "has_begun",
        "headers",
        "is_headed",
        "is_last",
        "is_upgrade",
        "method",
        "rest",
        "target",
        "version",
    )

    def __init__(self, sink: RequestSink, options: ServerOptions, *, can_upgrade: bool) -> None:
        self._sink = sink
        self._max_head = self._allowance = options.max_head
        self._max_fields = options.max_fields
        self._can_upgrade = can_upgrade
        self._parser = HttpRequestParser(self)
        self._url = self._line_bytes = self._searched = self._bare_head = b""
        self._line_offset = 0
        self._checked_fields: list[tuple[bytes, bytes]] = []
        self._is_done = self._has_other_protocol = False
        self.headers: list[tuple[bytes, bytes]] = []
        self.method = self.version = ""
        self.target = _NO_TARGET
        self.has_begun = self.is_headed = False
        self.is_last = self.expects_continue = self.is_upgrade = False
        self.fault: EarlyRefusal | None = None
        self.rest = b""

    @property
    def received(self) -> list[tuple[bytes, bytes]]:
        """The header fields that were read so far, for a refusal.

        The parser reports a field when it has read the next name. So the fields of a refusal are
        also searched in the bytes of an incomplete head.
        """
        known = {name for name, _ in self.headers}
        matches = _REFUSAL_FIELDS.findall(self._line_bytes)
        found = {name.lower(): value.strip(b" \t") for name, value in matches}
        return [*self.headers, *(field for field in found.items() if field[0] not in known)]

    def close(self) -> None:
        """Drop parser and sink, which form a reference cycle."""
        self._is_done = True
        del self._parser, self._sink

    def feed(self, data: bytes) -> bool:
        """Parse bytes; return False after a fault or an upgrade."""
        while len(data) > self._allowance and not (self.is_headed or self._is_done):
            piece, data = data[: self._allowance], data[self._allowance :]
            self._allowance = 0
            if not self._feed(piece):
                self.rest += data
                return False
            if not self._allowance:  # the piece completed no head
                self.fault = HEAD_TOO_LARGE
                self._line_bytes += data
                return False
        self._allowance -= len(data)
        if not self._feed(data):
            return False
        if self._allowance < 0 and self.is_headed:
            self.fault = FRAMING_TOO_LARGE
        return self.fault is None

    def _feed(self, data: bytes) -> bool:
        # Bytes after the last request are ignored.
        while data and not self._is_done:
            data = self._parse(data)
        return self.fault is None and not (self.is_upgrade and self._is_done)

    def _parse(self, data: bytes) -> bytes:
        """Parse bytes; return the unparsed rest."""
        if not self.has_begun:
            self._line_bytes, self._line_offset = data, 0
        elif self.version:  # within a request, no request line begins at the first byte
            self._line_bytes, self._line_offset = data, 1
        else:  # a head in several pieces
            self._line_bytes += data
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as pause:
            return self._resume_after_upgrade(data[pause.args[0] :])
        except HttpParserError:
            if not self._is_done:
                self.fault = self.fault or NOT_HTTP
        finally:
            if not self.has_begun or self.version:
                self._line_bytes = self._searched = b""
        return b""

    def _resume_after_upgrade(self, rest: bytes) -> bytes:
        """Handle the bytes after a head that offers an upgrade; return those to be parsed."""
        if self.fault is not None:
            return b""
        if self.is_upgrade:
            self.rest, self._is_done = rest, True
            return b""
        # The offer is not accepted: what follows is HTTP (RFC 9110, section 7.8).
        self._parser = HttpRequestParser(self)
        if self._bare_head:
            self._parser.feed_data(self._bare_head)
            self._bare_head = b""
        return rest

    def on_message_begin(self) -> None:
        """Reset the state for a request."""
        if self.is_headed:  # the second parser reads a bare head, after an upgrade offer
            return
        self.has_begun = True
        self._url = b""
        self.version = ""
        self.headers = []
        if self._checked_fields:
            self._checked_fields = []

    def on_url(self, url: bytes) -> None:
        """Add a piece of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a field; remember those that `_check_head` needs."""
        name = name.lower()
        if self.is_headed:
            if name in _HOP_BY_HOP:  # a trailer; the parser would apply it
                self.fault = self.fault or BAD_TRAILER
            return
        if value and value[-1] <= 32:
            value = value.rstrip(b" \t")
        if name in _CHECKED:
            self._checked_fields.append((name, value))
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Check the head, and begin the request."""
        if self._is_done or self.is_headed or self.fault is not None:
            return
        parser = self._parser
        self.is_headed = True
        self._allowance = self._max_head
        method = parser.get_method()
        self.method = method.decode("ascii")
        self.version = self._find_version(method)
        self.is_last = self.version != "1.1" or not parser.should_keep_alive()
        if self.version:
            self.fault = self._check_head()
        else:
            self.fault = UNKNOWN_VERSION if parser.get_http_version() == "2.0" else NOT_HTTP
        if self.fault is None and not self.is_upgrade:
            self._sink.begin()

    def on_body(self, piece: bytes) -> None:
        """Pass on a piece of the body."""
        self._allowance = self._max_head
        if self.fault is None and not self._is_done:
            self._sink.body(piece)

    def on_message_complete(self) -> None:
        """End the request."""
        if self.fault is not None or self._is_done or self._bare_head:
            return
        self.has_begun = self.is_headed = False
        self._allowance = self._max_head
        self._is_done = self.is_last
        if not self.is_upgrade:
            self._sink.end()

    def _find_version(self, method: bytes) -> str:
        """Return the version of HTTP/1 in the request line; "" for other protocols.

        The parser accepts RTSP as HTTP without reporting it, so the bytes are searched.
        """
        if not self._line_offset:  # the fast path: the bytes begin with the request line
            self._line_offset = len(method) + 1 + len(self._url)
            if self._line_bytes.startswith(b" HTTP/1.1\r\n", self._line_offset):
                return "1.1"
            self._line_offset = 0
        line = b"%b %b HTTP/1." % (method, self._url)
        at = self._line_bytes.find(line, self._line_offset)
        if at < 0 or (at and not self._line_offset and self._line_bytes[:at].strip(b"\r\n")):
            return ""
        if self._line_offset and self._names_other_protocol() and not self._is_next_request(at):
            return ""
        self._line_offset = at + len(line)
        version = self._parser.get_http_version()
        return version if version in {"1.0", "1.1"} else ""

    def _names_other_protocol(self) -> bool:
        """Whether another protocol occurs anywhere in the bytes; they are searched once."""
        if self._searched is not self._line_bytes:
            self._searched = self._line_bytes
            self._has_other_protocol = any(one in self._line_bytes for one in _OTHER_PROTOCOLS)
        return self._has_other_protocol

    def _is_next_request(self, at: int) -> bool:
        """Whether a request line at `at` directly follows a request without a body.

        After a body its place is unknown: the line that was found may be part of the body, and the
        real request line may name another protocol.
        """
        end = self._line_bytes.find(b"\r\n\r\n", self._line_offset) + 4
        head = self._line_bytes[self._line_offset : end].lower()
        has_body = b"content-length" in head or b"transfer-encoding" in head
        is_near = 4 <= end <= at and not self._line_bytes[end:at].strip(b"\r\n")
        return self._line_offset > 1 and is_near and not has_body

    def _check_head(self) -> EarlyRefusal | None:
        target = read_target(self.method, self._url)
        if target is None:
            return NO_TUNNEL if self.method == "CONNECT" else BAD_TARGET
        self.target = target
        if len(self.headers) > self._max_fields:
            return HEAD_TOO_LARGE
        hosts = 0
        self.expects_continue = self.is_upgrade = False
        for name, value in self._checked_fields:
            if name == b"host":
                hosts += 1
                if not is_host(value):
                    return BAD_HOST
            elif fault := self._check_field(name, value.lower()):
                return fault
        if hosts != 1 and (hosts or self.version == "1.1"):
            return TWO_HOSTS if hosts else NO_HOST
        if target.host is not None:
            self._replace_host(target.host)
        return None

    def _check_field(self, name: bytes, value: bytes) -> EarlyRefusal | None:
        if name == b"expect":
            # RFC 9110, section 10.1.1: it is ignored from an HTTP/1.0 client.
            if value != b"100-continue":
                return UNKNOWN_EXPECTATION
            self.expects_continue = self.version == "1.1"
        elif name == b"transfer-encoding":
            if self.version != "1.1":
                return BAD_FRAMING
            if value != b"chunked":
                return UNKNOWN_CODING
        elif self._parser.should_upgrade():
            return self._check_upgrade(value)
        return None

    def _check_upgrade(self, protocol: bytes) -> EarlyRefusal | None:
        """Accept the offer of a web socket; ignore any other one, and read the body."""
        self._bare_head = bare_head(self.headers)
        # RFC 9110, section 7.8: an HTTP/1.0 client's offer is ignored.
        is_old, is_other_method = self.version != "1.1", self.method != "GET"
        if protocol != b"websocket" or not self._can_upgrade or is_old or is_other_method:
            return None
        self.is_upgrade = True
        return HANDSHAKE_WITH_BODY if self._bare_head else None

    def _replace_host(self, host: bytes) -> None:
        """Replace the Host field by the target's host (RFC 9112, section 3.2.2)."""
        self.headers = [(name, host if name == b"host" else value) for name, value in self.headers]
