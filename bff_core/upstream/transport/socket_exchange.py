"""Opens a web socket over a connection of a pool."""

import asyncio
import math
from typing import Final

from bff_core.call import Call, SocketOffer
from bff_core.policy.upstream.connection import Connection
from bff_core.reply_stream import ReplyStream
from bff_core.upstream.transport.connection import WireConnection
from bff_core.upstream.transport.failures import ProtocolViolation
from bff_core.upstream.transport.framing import ResponseFraming
from bff_core.upstream.transport.reply_body import BodyDecoder
from bff_core.upstream.transport.streamed_exchange import StreamedExchange
from bff_core.upstream.transport.upstream_socket import UpstreamSocket
from bff_core.web_socket.framing import ClientFraming

SWITCHED: Final = 101


class SocketExchange(StreamedExchange):
    """A request that offers a web socket; after a 101 its body are the frames of the service.

    A reply of any other status is streamed as usual. A web socket may be silent, and may transfer
    any number of bytes: the timeouts and the cap of streams do not apply.
    """

    def __init__(
        self,
        call: Call,
        response: ResponseFraming,
        connection: WireConnection,
        options: Connection,
        loop: asyncio.AbstractEventLoop,
        *,
        offer: SocketOffer,
    ) -> None:
        super().__init__(call, response, connection, options, loop)
        self._offer = offer
        self._framing = ClientFraming(offer.max_message, offer.subprotocols)

    def offered(self, request: bytes) -> bytes:
        """Return a request, which has no body, with the fields that offer a web socket."""
        return b"%b%b\r\n" % (request.removesuffix(b"\r\n"), self._framing.offer())

    def body(self) -> ReplyStream:
        """Return the web socket, or the body of the reply that refuses it."""
        if not self._is_accepted:
            return super().body()
        return UpstreamSocket(self, self._framing, ping=self._offer.ping, loop=self._loop)

    @property
    def unsent(self) -> int:
        """How many bytes wait until the service reads."""
        return self._connection.unsent

    def write(self, pieces: list[bytes]) -> None:
        """Send bytes; an empty piece, the end of our side, is sent by closing the connection."""
        if pieces and self._connection.is_open:
            self._connection.write(b"".join(pieces))

    async def drained(self) -> None:
        """Wait until the service has read enough of what was written."""
        await self._connection.drained()

    async def head(self) -> None:
        """Wait for the head; only a reply that refuses the web socket must end in time."""
        await super().head()
        if self._is_accepted and self._timer is not None:
            self._timer.cancel()
            self._ends_at = math.inf

    @property
    def _is_accepted(self) -> bool:
        return self.response.status == SWITCHED

    def _decoder(self) -> BodyDecoder:
        """Check a 101, whose body has no cap; raise `ProtocolViolation`."""
        if not self._is_accepted:
            return super()._decoder()
        fault = self._framing.begin(self.response.head)
        if fault:
            raise ProtocolViolation(f"no answer to the offer of a web socket: {fault}")
        return BodyDecoder(None, None)

    async def _within_idle_timeout(self) -> None:
        await (self._wait() if self._is_accepted else super()._within_idle_timeout())
