"""Reads the requests of one connection, strictly: what could be read in two ways is refused."""

from typing import Final, Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from bff_core.server.options import ServerOptions
from bff_core.server.refusal import (
    BAD_FRAMING,
    BAD_HOST,
    BAD_TARGET,
    FRAMING_TOO_LARGE,
    HEAD_TOO_LARGE,
    NO_HOST,
    NO_TUNNEL,
    NOT_HTTP,
    TWO_HOSTS,
    UNKNOWN_CODING,
    UNKNOWN_EXPECTATION,
    Refusal,
)
from bff_core.server.target import Target, is_host, read_target

_NOTICED: Final = frozenset({b"host", b"expect", b"transfer-encoding", b"upgrade"})
_NOWHERE: Final = Target(b"", "", b"")


class Sink(Protocol):
    """Who is told of requests as they are read."""

    def begin(self) -> None:
        """Take a request whose head is complete; the reader holds it."""

    def body(self, piece: bytes, /) -> None:
        """Take a piece of its body."""

    def end(self) -> None:
        """Take note that it is complete."""


class RequestReader:
    """The parser's events, put together and checked.

    The parser itself refuses bare line feeds, folded and malformed fields, two lengths, and a
    length beside a transfer coding. Checked here: the Host field, codings and expectations that
    nobody would meet, the size of the head and of what stands between pieces of a body. Trailers
    are dropped: a field that comes after the checks must not be taken for one that passed them.

    Once `fault` is set nothing more is read.
    """

    __slots__ = (
        "_can_upgrade",
        "_is_done",
        "_max_fields",
        "_max_head",
        "_noticed",
        "_parser",
        "_room",
        "_sink",
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

    def __init__(self, sink: Sink, options: ServerOptions, *, can_upgrade: bool) -> None:
        self._sink = sink
        self._max_head = self._room = options.max_head
        self._max_fields = options.max_fields
        self._can_upgrade = can_upgrade
        self._parser = HttpRequestParser(self)
        self._url = b""
        self._noticed: list[tuple[bytes, bytes]] = []
        self._is_done = False
        self.headers: list[tuple[bytes, bytes]] = []
        self.method = self.version = ""
        self.target = _NOWHERE
        self.has_begun = self.is_headed = False
        self.is_last = self.continues = self.is_upgrade = False
        self.fault: Refusal | None = None
        self.rest = b""

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
                return False
        self._room -= len(data)
        if not self._feed(data):
            return False
        if self._room < 0 and self.is_headed:
            self.fault = FRAMING_TOO_LARGE
        return self.fault is None

    def _feed(self, data: bytes) -> bool:
        # Behind the last request there may be anything: nobody reads it.
        while data and not self._is_done:
            data = self._parse(data)
        return self.fault is None and not (self.is_upgrade and self._is_done)

    def _parse(self, data: bytes) -> bytes:
        """Let the parser have bytes; return those that it left."""
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as pause:
            rest = data[pause.args[0] :]
            if self.fault is not None:
                return b""
            if self.is_upgrade:
                self.rest, self._is_done = rest, True
                return b""
            # An offer that nobody took up: what follows is HTTP (RFC 9110, section 7.8).
            self._parser = HttpRequestParser(self)
            return rest
        except HttpParserError:
            if not self._is_done:
                self.fault = self.fault or NOT_HTTP
        return b""

    def on_message_begin(self) -> None:
        """Start anew."""
        self.has_begun = True
        self._url = b""
        self.headers = []
        if self._noticed:
            self._noticed = []

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field; note those that decide how the request is read."""
        if self.is_headed:
            return
        name = name.lower()
        if value and value[-1] <= 32:
            value = value.rstrip(b" \t")
        if name in _NOTICED:
            self._noticed.append((name, value))
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Check the head, and hand the request on."""
        if self._is_done or self.fault is not None:
            return
        parser = self._parser
        self.is_headed = True
        self._room = self._max_head
        self.version = parser.get_http_version()
        self.method = parser.get_method().decode("ascii")
        self.is_last = self.version != "1.1" or not parser.should_keep_alive()
        self.fault = self._check()
        if self.fault is None and not self.is_upgrade:
            self._sink.begin()

    def on_body(self, piece: bytes) -> None:
        """Hand a piece of the body on."""
        self._room = self._max_head
        if self.fault is None and not self._is_done:
            self._sink.body(piece)

    def on_message_complete(self) -> None:
        """Hand on that the request is complete."""
        if self.fault is not None or self._is_done:
            return
        self.has_begun = self.is_headed = False
        self._room = self._max_head
        self._is_done = self.is_last
        if not self.is_upgrade:
            self._sink.end()

    def _check(self) -> Refusal | None:
        target = read_target(self._url)
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
            return self._check_hosts(hosts)
        if target.host is not None:
            self._replace_host(target.host)
        return None

    def _notice(self, name: bytes, value: bytes) -> Refusal | None:
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
        elif value == b"websocket" and self._can_upgrade and self.method == "GET":
            self.is_upgrade = self._parser.should_upgrade()
        return None

    def _check_hosts(self, hosts: int) -> Refusal | None:
        if hosts > 1:
            return TWO_HOSTS
        if self.version == "1.1":
            return NO_HOST
        return None if self.version == "1.0" else NOT_HTTP

    def _replace_host(self, host: bytes) -> None:
        """Let the target's host win (RFC 9112, section 3.2.2)."""
        self.headers = [(name, host if name == b"host" else value) for name, value in self.headers]
