"""HTTP parsing: reads requests strictly, and refuses what two programs could read differently."""

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

_NOTICED: Final = frozenset({b"host", b"expect", b"transfer-encoding", b"upgrade"})
_NOWHERE: Final = Target(b"", "", b"")
_ROUTING: Final = frozenset({b"connection", b"proxy-connection"})
_OFFERED: Final = re.compile(
    rb"\r\n(origin|traceparent|x-request-id):([^\r\n]*)(?=\r\n)", re.IGNORECASE
)
"""Fields of a head that a refusal is made of."""

_OTHERS: Final = (b" RTSP/", b" ICE/", b"  HTTP/")
"""What ends a request line for the parser, and is none of HTTP/1."""


class RequestSink(Protocol):
    """Takes requests as they are read."""

    def begin(self) -> None:
        """Take a request whose head is complete; the reader holds it."""

    def body(self, piece: bytes, /) -> None:
        """Take a piece of its body."""

    def end(self) -> None:
        """Take note that the request is complete."""


class RequestReader:
    """Puts the parser's events together to requests, and checks them.

    The parser itself refuses bare line feeds, folded and malformed fields, two lengths, and a
    length beside a transfer coding. Checked here: the protocol and its version, the Host field,
    codings and expectations that are not supported, the size of the head and of what stands
    between pieces of a body. Trailers are dropped: a field that comes after the checks must not
    be taken for one that passed them. Those that would change how the connection goes on are
    refused (RFC 9110, section 6.5.1).

    The parser ends each request that offers an upgrade at its head. Where the offer is not taken
    up, a second parser reads the body, framed as the head declares it (RFC 9112, section 6.3).

    Once `fault` is set nothing more is read.
    """

    __slots__ = (
        "_can_upgrade",
        "_is_done",
        "_line_at",
        "_line_in",
        "_max_fields",
        "_max_head",
        "_names_others",
        "_noticed",
        "_parser",
        "_room",
        "_searched",
        "_sink",
        "_unread",
        "_url",
        "continues",
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
        self._max_head = self._room = options.max_head
        self._max_fields = options.max_fields
        self._can_upgrade = can_upgrade
        self._parser = HttpRequestParser(self)
        self._url = self._line_in = self._searched = self._unread = b""
        self._line_at = 0
        self._noticed: list[tuple[bytes, bytes]] = []
        self._is_done = self._names_others = False
        self.headers: list[tuple[bytes, bytes]] = []
        self.method = self.version = ""
        self.target = _NOWHERE
        self.has_begun = self.is_headed = False
        self.is_last = self.continues = self.is_upgrade = False
        self.fault: EarlyRefusal | None = None
        self.rest = b""

    @property
    def offered(self) -> list[tuple[bytes, bytes]]:
        """The fields of the head as far as it was read, for a refusal.

        The parser hands a field on when it has read the next name. Where the head breaks off, what
        a refusal is made of is found in the bytes.
        """
        known = {name for name, _ in self.headers}
        found = {
            name.lower(): value.strip(b" \t") for name, value in _OFFERED.findall(self._line_in)
        }
        return [*self.headers, *(field for field in found.items() if field[0] not in known)]

    def close(self) -> None:
        """Let go of parser and sink, which know each other."""
        self._is_done = True
        del self._parser, self._sink

    def feed(self, data: bytes) -> bool:
        """Take bytes; return False when a fault or an upgrade ends the reading."""
        while len(data) > self._room and not (self.is_headed or self._is_done):
            piece, data = data[: self._room], data[self._room :]
            self._room = 0
            if not self._feed(piece):
                self.rest += data
                return False
            if not self._room:  # it completed no head
                self.fault = HEAD_TOO_LARGE
                self._line_in += data
                return False
        self._room -= len(data)
        if not self._feed(data):
            return False
        if self._room < 0 and self.is_headed:
            self.fault = FRAMING_TOO_LARGE
        return self.fault is None

    def _feed(self, data: bytes) -> bool:
        # After the last request there may be anything: it is not read.
        while data and not self._is_done:
            data = self._parse(data)
        return self.fault is None and not (self.is_upgrade and self._is_done)

    def _parse(self, data: bytes) -> bytes:
        """Let the parser have bytes; return those that it left."""
        if not self.has_begun:
            self._line_in, self._line_at = data, 0
        elif self.version:  # amid a request no other one begins at the first byte
            self._line_in, self._line_at = data, 1
        else:  # the head comes in pieces
            self._line_in += data
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as pause:
            return self._go_on(data[pause.args[0] :])
        except HttpParserError:
            if not self._is_done:
                self.fault = self.fault or NOT_HTTP
        finally:
            if not self.has_begun or self.version:
                self._line_in = self._searched = b""
        return b""

    def _go_on(self, rest: bytes) -> bytes:
        """Take the bytes behind a head that offers an upgrade; return those to be parsed."""
        if self.fault is not None:
            return b""
        if self.is_upgrade:
            self.rest, self._is_done = rest, True
            return b""
        # An offer that is not taken up: what follows is HTTP (RFC 9110, section 7.8).
        self._parser = HttpRequestParser(self)
        if self._unread:
            self._parser.feed_data(self._unread)
            self._unread = b""
        return rest

    def on_message_begin(self) -> None:
        """Start anew."""
        if self.is_headed:  # the head is a bare one, for the body behind an offer
            return
        self.has_begun = True
        self._url = b""
        self.version = ""
        self.headers = []
        if self._noticed:
            self._noticed = []

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field; note those that decide how the request is read."""
        name = name.lower()
        if self.is_headed:
            if name in _ROUTING:  # of a trailer; the parser would obey it
                self.fault = self.fault or BAD_TRAILER
            return
        if value and value[-1] <= 32:
            value = value.rstrip(b" \t")
        if name in _NOTICED:
            self._noticed.append((name, value))
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Check the head, and hand the request on."""
        if self._is_done or self.is_headed or self.fault is not None:
            return
        parser = self._parser
        self.is_headed = True
        self._room = self._max_head
        method = parser.get_method()
        self.method = method.decode("ascii")
        self.version = self._find_version(method)
        self.is_last = self.version != "1.1" or not parser.should_keep_alive()
        self.fault = self._check() if self.version else self._judge_protocol()
        if self.fault is None and not self.is_upgrade:
            self._sink.begin()

    def on_body(self, piece: bytes) -> None:
        """Hand a piece of the body on."""
        self._room = self._max_head
        if self.fault is None and not self._is_done:
            self._sink.body(piece)

    def on_message_complete(self) -> None:
        """Hand on that the request is complete."""
        if self.fault is not None or self._is_done or self._unread:
            return
        self.has_begun = self.is_headed = False
        self._room = self._max_head
        self._is_done = self.is_last
        if not self.is_upgrade:
            self._sink.end()

    def _find_version(self, method: bytes) -> str:
        """Return the version of HTTP/1 that the request line names; nothing for other protocols.

        The parser takes RTSP for HTTP and does not say so, hence the look at the bytes.
        """
        if not self._line_at:  # as a rule the bytes begin with the line
            self._line_at = len(method) + 1 + len(self._url)
            if self._line_in.startswith(b" HTTP/1.1\r\n", self._line_at):
                return "1.1"
            self._line_at = 0
        line = b"%b %b HTTP/1." % (method, self._url)
        at = self._line_in.find(line, self._line_at)
        if at < 0 or (at and not self._line_at and self._line_in[:at].strip(b"\r\n")):
            return ""
        if self._line_at and self._names_another() and not self._is_next(at):
            return ""
        self._line_at = at + len(line)
        version = self._parser.get_http_version()
        return version if version in {"1.0", "1.1"} else ""

    def _names_another(self) -> bool:
        """Whether the bytes name another protocol anywhere; they are searched once."""
        if self._searched is not self._line_in:
            self._searched = self._line_in
            self._names_others = any(one in self._line_in for one in _OTHERS)
        return self._names_others

    def _is_next(self, at: int) -> bool:
        """Whether a line stands where the request behind one without a body begins.

        Behind a body that place is not known: the line that was found may be part of the body, and
        the request's own line of another protocol.
        """
        end = self._line_in.find(b"\r\n\r\n", self._line_at) + 4
        head = self._line_in[self._line_at : end].lower()
        has_body = b"content-length" in head or b"transfer-encoding" in head
        is_near = 4 <= end <= at and not self._line_in[end:at].strip(b"\r\n")
        return self._line_at > 1 and is_near and not has_body

    def _judge_protocol(self) -> EarlyRefusal:
        return UNKNOWN_VERSION if self._parser.get_http_version() == "2.0" else NOT_HTTP

    def _check(self) -> EarlyRefusal | None:
        target = read_target(self.method, self._url)
        if target is None:
            return NO_TUNNEL if self.method == "CONNECT" else BAD_TARGET
        self.target = target
        if len(self.headers) > self._max_fields:
            return HEAD_TOO_LARGE
        hosts = 0
        self.continues = self.is_upgrade = False
        for name, value in self._noticed:
            if name == b"host":
                hosts += 1
                if not is_host(value):
                    return BAD_HOST
            elif fault := self._notice(name, value.lower()):
                return fault
        if hosts != 1:
            return TWO_HOSTS if hosts else self._check_no_host()
        if target.host is not None:
            self._replace_host(target.host)
        return None

    def _notice(self, name: bytes, value: bytes) -> EarlyRefusal | None:
        if name == b"expect":
            # RFC 9110, section 10.1.1: of an HTTP/1.0 client it is ignored.
            if value != b"100-continue":
                return UNKNOWN_EXPECTATION
            self.continues = self.version == "1.1"
        elif name == b"transfer-encoding":
            if self.version != "1.1":
                return BAD_FRAMING
            if value != b"chunked":
                return UNKNOWN_CODING
        elif self._parser.should_upgrade():
            return self._notice_offer(value)
        return None

    def _notice_offer(self, protocol: bytes) -> EarlyRefusal | None:
        """Take up the offer of a web socket; of any other one read the body."""
        self._unread = bare_head(self.headers)
        # RFC 9110, section 7.8: an HTTP/1.0 client's offer is ignored.
        is_old, is_read = self.version != "1.1", self.method != "GET"
        if protocol != b"websocket" or not self._can_upgrade or is_old or is_read:
            return None
        self.is_upgrade = True
        return HANDSHAKE_WITH_BODY if self._unread else None

    def _check_no_host(self) -> EarlyRefusal | None:
        return NO_HOST if self.version == "1.1" else None

    def _replace_host(self, host: bytes) -> None:
        """Let the target's host win (RFC 9112, section 3.2.2)."""
        self.headers = [(name, host if name == b"host" else value) for name, value in self.headers]
