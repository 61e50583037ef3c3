"""Hands a connection over to uvicorn's protocol of web sockets."""

import asyncio
from collections.abc import Mapping
from copy import copy
from typing import Any, Final

from bff_core.edge.exchange import CUT
from bff_core.server.peer import reset
from bff_core.server.reading import RequestReader
from bff_core.server.refusal import NOT_ACCEPTED
from bff_core.server.serving import Serving

_DENIAL: Final = "websocket.http.response"


LONGEST_LINE: Final = 8190
MOST_FIELDS: Final = 128
"""What the web socket's protocol reads of a head; of more it waits for ever."""


def handshake_of(request: RequestReader) -> bytes | None:
    """Return the head as it was read and checked; None where it is too large for a web socket."""
    target = request.target
    query = b"?" + target.query if target.query else b""
    # A length of zero says no more than no length, and is not understood in every spelling.
    fields = [field for field in request.headers if field[0] != b"content-length"]
    lines = [b"GET %b%b HTTP/1.1" % (target.raw_path, query), *(b"%b: %b" % one for one in fields)]
    if len(fields) > MOST_FIELDS or any(len(line) > LONGEST_LINE for line in lines):
        return None
    return b"\r\n".join((*lines, b"", b""))


def upgrade(data: bytes, transport: asyncio.Transport, serving: Serving, *, due: float) -> None:
    """Let another protocol have the connection, with what was read of it.

    The application has until `due`, an instant of the loop's clock, to accept or refuse.
    """
    config = copy(serving.config)
    config.loaded_app = Handshake(serving, transport, due)
    protocol = config.ws_protocol_class(
        config=config, server_state=serving.state, app_state=serving.values
    )
    protocol.connection_made(transport)
    protocol.data_received(data)
    transport.set_protocol(protocol)


class Handshake:
    """The application as one web socket sees it: cancelled unless it answers in time.

    Where the protocol does not even call it by then, the connection is broken.
    """

    __slots__ = (
        "_deadline",
        "_has_begun",
        "_is_answered",
        "_scope",
        "_serving",
        "_timer",
        "_transport",
    )

    def __init__(self, serving: Serving, transport: asyncio.Transport, due: float) -> None:
        self._serving = serving
        self._transport = transport
        self._timer = serving.loop.call_at(due, self._expire)
        self._deadline: asyncio.Timeout | None = None
        self._scope: Any = None
        self._has_begun = self._is_answered = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Call the application; refuse the web socket where it does not answer in time."""

        async def answer(message: Mapping[str, Any]) -> None:
            if not self._is_answered:
                self._take_note(message)
            await send(message)

        self._scope = scope
        deadline = self._deadline = asyncio.timeout(None)
        try:
            async with deadline:
                await self._serving.app(scope, receive, answer)
        except TimeoutError:
            if not deadline.expired():
                raise
            if not self._has_begun:  # else the connection ends with what was sent
                await self._refuse(scope, send)
        finally:
            self._timer.cancel()

    def _expire(self) -> None:
        if self._deadline is None:
            reset(self._transport)
        else:
            self._scope[CUT] = NOT_ACCEPTED.status
            self._deadline.reschedule(self._serving.now())

    def _take_note(self, message: Mapping[str, Any]) -> None:
        """End the deadline once the answer is complete."""
        self._has_begun = True
        kind, is_last = message["type"], not message.get("more_body", False)
        if is_last and kind != f"{_DENIAL}.start":
            self._is_answered = True
            self._timer.cancel()

    async def _refuse(self, scope: Any, send: Any) -> None:
        start, body = self._serving.refusals.messages(NOT_ACCEPTED, scope)
        await send({"type": f"{_DENIAL}.start"} | start)
        await send({"type": f"{_DENIAL}.body"} | body)
