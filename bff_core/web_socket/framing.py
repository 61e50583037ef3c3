"""The frames of one side of a web socket (RFC 6455), parsed and rendered without I/O."""

import logging
from collections.abc import Sequence
from typing import Final

from bff_core.extras import needs
from bff_core.web_socket.limits import LOST, Closed, Message

with needs("websockets", "a web socket"):
    from websockets.datastructures import Headers
    from websockets.exceptions import ProtocolError
    from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
    from websockets.http11 import Request
    from websockets.protocol import OPEN
    from websockets.typing import Subprotocol
    from websockets.uri import WebSocketURI

    from bff_core.compat.websockets import CheckedClient, CheckedServer

MAX_REASON_BYTES: Final = 123
"""The longest reason of a close frame: 125 bytes less those of the code (section 5.5)."""

_log: Final = logging.getLogger("bff_core.web_socket")
_log.setLevel(logging.WARNING)  # the library reports each connection

_ANY_URI: Final = WebSocketURI(False, "localhost", 80, "/", "")


class Framing:
    """One side of a web socket: bytes in, messages out, and the bytes to send.

    It answers pings and close frames. Each call may leave bytes in `output`; an empty piece among
    them is the end of the connection. `take` reports the end once, as its last item.
    """

    __slots__ = ("_is_ended", "_is_over", "_protocol")

    def __init__(self, protocol: CheckedClient | CheckedServer) -> None:
        protocol.messages = []
        self._protocol = protocol
        self._is_over = self._is_ended = False

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that both sides agreed on."""
        return self._protocol.subprotocol

    @property
    def is_open(self) -> bool:
        """Whether messages may be sent: no close frame was sent or received."""
        return self._protocol.state is OPEN

    def take(self, data: bytes) -> list[Message | Closed]:
        """Return the messages that the bytes complete, and the end if there is one."""
        protocol = self._protocol
        if self._is_ended:
            return []
        protocol.receive_data(data)
        protocol.events_received()
        found: list[Message | Closed] = [*protocol.messages]
        protocol.messages.clear()
        end = None if self._is_over else self._end()
        if end is not None:
            self._is_over = True
            found.append(end)
        return found

    def _end(self) -> Closed | None:
        protocol = self._protocol
        if protocol.parser_exc is not None:
            sent = protocol.close_sent
            if sent is None:
                return Closed(LOST, end="lost")
            return Closed(int(sent.code), sent.reason, "failed")
        received = protocol.close_rcvd
        return None if received is None else Closed(int(received.code), received.reason)

    def send(self, message: Message) -> None:
        """Send a message in one frame, unless the socket is closing."""
        if not self.is_open:
            return
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)

    def ping(self) -> None:
        """Send a ping, unless the socket is closing."""
        if self.is_open:
            self._protocol.send_ping(b"")

    def close(self, code: int | None, reason: str = "") -> None:
        """Send a close frame, unless one was sent; None is a close without a code.

        Raises `ValueError` for a code that no close frame may have.
        """
        if not self.is_open:
            return
        try:
            self._protocol.send_close(code, "" if code is None else shortened(reason))
        except ProtocolError as error:
            raise ValueError(f"{code} is no code of a close frame") from error

    def end(self) -> None:
        """Take the end of the connection: nothing is taken or sent any more."""
        self._is_ended = True
        self._protocol.release()

    def output(self) -> list[bytes]:
        """Return the bytes to send since the last call."""
        return self._protocol.data_to_send()

    def answers(self, *, is_blocked: bool) -> list[bytes]:
        """Return the bytes to send for what was taken: pongs, a close frame, the end.

        A peer that `is_blocked`, since it does not read, gets no pongs: they would be held for it
        without bounds (section 5.5.3 allows to leave some out).
        """
        pieces = self._protocol.data_to_send()
        return [] if is_blocked and self.is_open else pieces


class ClientFraming(Framing):
    """The side that opens a web socket: offers it, and checks the answer."""

    __slots__ = ("_client",)

    def __init__(self, max_message: int, subprotocols: Sequence[str]) -> None:
        offered = [Subprotocol(one) for one in subprotocols] or None
        self._client = CheckedClient(
            _ANY_URI, subprotocols=offered, max_size=max_message, logger=_log
        )
        super().__init__(self._client)

    def offer(self) -> bytes:
        """Return the lines of the request that offer a web socket (section 4.1)."""
        fields = self._client.connect().headers.raw_items()
        return b"".join(
            f"{name.lower()}: {value}\r\n".encode("latin-1")
            for name, value in fields
            if name.lower() != "host"
        )

    def begin(self, head: bytes) -> str:
        """Take the head of a 101; return what is wrong with it, empty if nothing is."""
        self._client.receive_data(head)
        self._client.events_received()
        error = self._client.handshake_exc
        return "" if error is None else str(error)


class ServerFraming(Framing):
    """The side that accepts a web socket: checks the offer, and answers it."""

    __slots__ = ("_request", "_server", "fault")

    def __init__(
        self, head: bytes, *, max_message: int | None = None, with_deflate: bool = False
    ) -> None:
        self._server = CheckedServer(
            extensions=[DEFLATE] if with_deflate else None, max_size=max_message, logger=_log
        )
        super().__init__(self._server)
        self._server.receive_data(head)
        self._request, self.fault = self._read()

    def _read(self) -> tuple[Request | None, bytes]:
        """Return the request, and the answer to one that is no valid offer."""
        events = self._server.events_received()
        request = events[0] if events else None
        if not isinstance(request, Request):
            self._server.data_to_send()
            return None, b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"
        return request, b""

    def check(self) -> bytes:
        """Return the answer that refuses an invalid offer; empty if it is valid."""
        if self._request is not None:
            response = self._server.accept(self._request)
            if response.status_code == 101:
                return b""
            self._server.send_response(response)
            self.fault = b"".join(self._server.data_to_send())
        return self.fault

    def accept(self, headers: Sequence[tuple[bytes, bytes]], subprotocol: str | None) -> None:
        """Answer with 101 and more header fields."""
        if self._request is None:
            return
        response = self._server.accept(self._request)
        del response.headers["Date"]
        fields = Headers(response.headers.raw_items())
        for name, value in headers:
            fields[name.decode("latin-1")] = value.decode("latin-1")
        if subprotocol:
            fields["Sec-WebSocket-Protocol"] = subprotocol
        response.headers = fields
        self._server.send_response(response)


DEFLATE: Final = ServerPerMessageDeflateFactory(
    server_max_window_bits=12, client_max_window_bits=12, compress_settings={"memLevel": 5}
)
"""Compression (RFC 7692) with small windows: they are memory of each socket."""


def shortened(reason: str) -> str:
    """Return a reason that fits into a close frame."""
    return reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
