"""A web socket to a service: the body of the 101 that opened it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, Protocol

from bff_core.call import Call
from bff_core.errors import TransportFailed, UpstreamError
from bff_core.reply_stream import ReplyStream
from bff_core.web_socket.framing import ClientFraming
from bff_core.web_socket.heartbeat import Heartbeat
from bff_core.web_socket.limits import LOST, Closed, End, Message

CLOSE_SECONDS: Final = 2.0
"""How long a service has to answer a close frame, and to close the connection."""

HIGH_WATER_BYTES: Final = 64 * 1024
"""A service that leaves more than this unread gets no pongs."""

GOING_AWAY: Final = 1001
_FAULTS: Final = frozenset({"failed", "lost", "unanswered"})


class SocketLine(Protocol):
    """The connection below a web socket."""

    @property
    def call(self) -> Call:
        """The call that opened it."""
        ...

    @property
    def unsent(self) -> int:
        """How many bytes wait until the service reads."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def __anext__(self) -> bytes:
        """Return the bytes that were read; raise `UpstreamError` if the connection is lost."""
        ...

    def write(self, pieces: list[bytes], /) -> None:
        """Send bytes."""
        ...

    async def drained(self) -> None:
        """Wait until the service has read enough of them."""
        ...

    def fail(self, error: Exception, /) -> None:
        """Raise an error in the reader."""
        ...

    async def aclose(self) -> None:
        """Close the connection."""
        ...


class UpstreamSocket(ReplyStream):
    """A web socket to a service: one task receives messages, one sends them.

    The service is read from only while a message is awaited, so that it has to wait for a slow
    reader. Its pings are answered, and it is pinged while it is silent. As any streamed body it
    holds its permit and its connection until it ends; close it in any case. A service that breaks
    the protocol or vanishes counts as failed. `size` counts the bytes of its frames.
    """

    __slots__ = ("_end_by", "_framing", "_heartbeat", "_is_awaited", "_line", "_received")

    def __init__(
        self,
        line: SocketLine,
        framing: ClientFraming,
        *,
        ping: float | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(line, line.aclose)
        self._line = line
        self._framing = framing
        self._received: deque[Message | Closed] = deque()
        self._is_awaited = False
        self._end_by: End = "lost"
        self._heartbeat: Heartbeat | None = Heartbeat(self, ping, ping, self._lose, loop)
        self._heartbeat.start()
        self.on_end(self._stop)

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the service chose among those offered."""
        return self._framing.subprotocol

    async def receive(self) -> Message | Closed:
        """Return the next message, or how the service ended the web socket."""
        while not self._received:
            await self._read()
        return self._received.popleft()

    async def send(self, message: Message) -> None:
        """Send a message, and wait while the service reads too slowly."""
        self._framing.send(message)
        self._flush()
        await self._line.drained()

    async def finish(self, code: int | None, reason: str = "") -> None:
        """Close the web socket: send a close frame unless that was done, and wait for its echo.

        None is a close without a code. What still arrives is dropped.
        """
        self._framing.close(code, reason)
        self._flush()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                async for data in self._line:
                    self._framing.take(data)
                    self._flush()
        except (TimeoutError, UpstreamError):
            pass
        finally:
            self._end(None)
            await self.aclose()
            self._framing.end()

    def is_listening(self) -> bool:
        """Whether a message is awaited."""
        return self._is_awaited

    def unsent(self) -> int:
        """How many bytes wait until the service reads."""
        return self._line.unsent

    def ping(self) -> None:
        """Send a ping."""
        self._framing.ping()
        self._flush()

    async def _read(self) -> None:
        """Read from the service once."""
        self._is_awaited = True
        try:
            data = await anext(self._line)
        except StopAsyncIteration:
            self._fail("the service ended the connection without a close frame")
        except UpstreamError as error:
            self._receive_end(Closed(LOST, end=self._end_by), error)
        else:
            if self._heartbeat is not None:
                self._heartbeat.is_heard = True
            self.size += len(data)
            self._take(data)
        finally:
            self._is_awaited = False

    def _take(self, data: bytes) -> None:
        for found in self._framing.take(data):
            if isinstance(found, Closed) and found.end in _FAULTS:
                self._fail(f"the service broke the protocol: {found.reason}", found)
            else:
                self._received.append(found)
        is_blocked = self._line.unsent > HIGH_WATER_BYTES
        self._line.write(self._framing.answers(is_blocked=is_blocked))

    def _fail(self, why: str, end: Closed | None = None) -> None:
        error = TransportFailed(why, call=self._line.call, is_sent=True)
        self._receive_end(end or Closed(LOST, end=self._end_by), error)

    def _receive_end(self, end: Closed, error: Exception) -> None:
        """Note an end that is the service's fault."""
        self._received.append(end)
        self.fail(error)

    def _lose(self) -> None:
        """End a web socket whose service left a ping unanswered."""
        why = "a ping was not answered"
        self._end_by = "unanswered"
        self._framing.close(GOING_AWAY, why)
        self._flush()
        self._line.fail(TransportFailed(why, call=self._line.call, is_sent=True))

    def _stop(self, _: BaseException | None) -> None:
        heartbeat, self._heartbeat = self._heartbeat, None
        if heartbeat is not None:
            heartbeat.stop()

    def _flush(self) -> None:
        self._line.write(self._framing.output())
