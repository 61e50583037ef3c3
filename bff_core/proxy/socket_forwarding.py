"""Passes a client's web socket on to a service: handshake, messages both ways, and the end.

`close_codes` says what the end of one side becomes on the other.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import Final

from starlette.types import Message as ASGIMessage
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.call import Reply, SocketOffer
from bff_core.errors import BFFError, ClientError
from bff_core.http_exchange.request_context import SCOPE, declare_stream
from bff_core.proxy.close_codes import (
    BROKEN,
    CLIENT_LEFT,
    GATEWAY_RESTARTS,
    GOING_AWAY,
    NOT_AUTHORIZED,
    Close,
    Ends,
    after_client,
    after_idle,
    after_service,
)
from bff_core.proxy.sockets import Socket
from bff_core.scope import Scope
from bff_core.upstream.caller import timeout_of
from bff_core.upstream.client import Upstream
from bff_core.upstream.forwarding import ForwardedRequest
from bff_core.upstream.socket_call import open_socket
from bff_core.upstream.transport.upstream_socket import UpstreamSocket
from bff_core.web_socket.limits import (
    END,
    EXTEND,
    EXTENSION,
    LIMITS,
    LOST,
    NO_CODE,
    Closed,
    SocketLimits,
)

RECHECK_SECONDS: Final = 15.0
"""How often the credentials of an open web socket are checked: they may expire or be revoked."""

SPARE_SECONDS: Final = 1.0
"""How much later than the deadline of the call the server may end the handshake."""

LEAVING_SECONDS: Final = 1.0
"""How long a client that can't be sent to may take to say why, or to take in a close frame."""

_is_token: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_OF_ONE_MESSAGE: Final = frozenset({b"date", b"content-length"})
_DENIAL: Final = "websocket.http.response"
_REFUSED: Final = 1008
_NORMAL: Final = 1000


async def forward_socket(
    scope: ASGIScope,
    receive: Receive,
    send: Send,
    *,
    upstream: Upstream,
    request: ForwardedRequest,
    options: Socket,
) -> None:
    """Pass a web socket on to a service until either side ends it.

    The client is accepted once the service has switched protocols. A reply of another status is the
    answer to the client's handshake. Raises `UpstreamError` where the service gives none, and
    `Overloaded` if the process has too many open streams; the edge answers these.
    """
    client = ClientSide(scope, receive, send)
    if (await receive())["type"] != "websocket.connect":
        return
    declare_stream(scope)
    client.extend(timeout_of(upstream) + SPARE_SECONDS)
    offer = SocketOffer(
        subprotocols=agreeable(scope.get("subprotocols", ()), options.subprotocols),
        max_message=options.max_message,
        ping=options.ping,
    )
    reply = await client.unless_it_leaves(open_socket(upstream, request, offer))
    if reply is None:
        return
    try:
        async with aclosing(reply):
            await _pass_on(client, reply, options, scope.get(SCOPE))
    finally:
        client.leave()


async def _pass_on(client: "ClientSide", reply: Reply, options: Socket, at: Scope | None) -> None:
    """Accept the client and pass messages on, or refuse it, as the service has done."""
    service = reply.body
    if not isinstance(service, UpstreamSocket):
        await client.refuse(reply)
        return
    try:
        await client.accept(reply, service.subprotocol, options)
    except OSError:  # it has left
        await service.finish(GOING_AWAY)
        return
    await _Forwarding(client, service, options, at).run()


def agreeable(offered: Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
    """Return the subprotocols that the service may choose from, in the client's order.

    What is no name of one (a token, RFC 6455, section 4.1) is left out.
    """
    known = (one for one in offered if not allowed or one in allowed)
    return tuple(dict.fromkeys(one for one in known if _is_token(one)))


class ClientSide:
    """The client's side of a web socket: its ASGI events."""

    def __init__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        extensions = scope.get("extensions") or {}
        self._is_own_server = EXTENSION in extensions
        self._can_refuse = _DENIAL in extensions
        self._next: asyncio.Task[ASGIMessage] | None = None
        self._extension = extensions.get(EXTENSION) or {}

    def extend(self, seconds: float) -> None:
        """Let the client wait so long for the answer to its handshake, if the server can."""
        extend = self._extension.get(EXTEND)
        if extend is not None:
            extend(seconds)

    async def unless_it_leaves(self, opening: Awaitable[Reply]) -> Reply | None:
        """Return the reply of the service; None, and no reply, if the client leaves before it."""
        leaving = asyncio.timeout(None)
        end = partial(_end_if_left, leaving)
        coming = self._next = asyncio.ensure_future(self._receive())
        try:
            async with leaving:
                coming.add_done_callback(end)
                return await opening
        except BaseException as error:
            self.leave()
            if isinstance(error, TimeoutError) and leaving.expired():
                return None
            raise
        finally:
            coming.remove_done_callback(end)

    def leave(self) -> None:
        """Stop to wait for the client."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    async def accept(self, reply: Reply, subprotocol: str | None, options: Socket) -> None:
        """Accept the web socket with the header fields of the service."""
        limits = SocketLimits(options.max_message, options.ping, options.ping)
        message = {
            "type": "websocket.accept",
            "subprotocol": subprotocol,
            "headers": [field for field in reply.headers if field[0] not in _OF_ONE_MESSAGE],
        }
        await self._send(message | {LIMITS: limits} if self._is_own_server else message)

    async def refuse(self, reply: Reply) -> None:
        """Answer the handshake as the service did."""
        if not self._can_refuse:
            await self._send({"type": "websocket.close", "code": _REFUSED})
            return
        start = {"status": reply.status, "headers": list(reply.headers)}
        with suppress(OSError):  # it has left
            await self._send({"type": f"{_DENIAL}.start", **start})
            async for piece in reply:
                await self._send({"type": f"{_DENIAL}.body", "body": piece, "more_body": True})
            await self._send({"type": f"{_DENIAL}.body", "body": b""})

    async def receive(self) -> str | bytes | Closed:
        """Return the next message, or how the client ended the web socket."""
        coming, self._next = self._next, None
        message = await (self._receive() if coming is None else coming)
        if message["type"] == "websocket.receive":
            text: str | None = message.get("text")
            return message["bytes"] if text is None else text
        code, reason = message.get("code", NO_CODE), message.get("reason") or ""
        return Closed(code, reason, message.get(END) or ("lost" if code == LOST else "closed"))

    async def send(self, message: str | bytes) -> None:
        """Send a message, and wait for a client that reads slowly; raise `OSError` if it left."""
        kind = "text" if isinstance(message, str) else "bytes"
        await self._send({"type": "websocket.send", kind: message})

    async def close(self, close: Close) -> None:
        """Close the web socket; other servers than ours send 1000 in place of no code."""
        code = _NORMAL if close.code is None and not self._is_own_server else close.code
        message = {"type": "websocket.close", "code": code, "reason": close.reason}
        with suppress(OSError, TimeoutError):  # it has left, or does not read
            async with asyncio.timeout(LEAVING_SECONDS):
                await self._send(message)


async def _is_valid(recheck: Callable[[], Awaitable[object]]) -> bool:
    """Whether the credentials of a web socket are still valid, or that can't be found out now."""
    try:
        async with asyncio.timeout(RECHECK_SECONDS):
            await recheck()
    except ClientError:
        return False
    except (BFFError, TimeoutError):
        return True
    return True


def _end_if_left(leaving: asyncio.Timeout, coming: asyncio.Future[ASGIMessage]) -> None:
    """End the opening of a web socket that has no client any more."""
    has_event = not coming.cancelled() and coming.exception() is None
    if has_event and coming.result()["type"] == "websocket.disconnect":
        leaving.reschedule(asyncio.get_running_loop().time())


class _Forwarding:
    """Two tasks that pass messages on, one for each direction, and what ends both."""

    def __init__(
        self,
        client: ClientSide,
        service: UpstreamSocket,
        options: Socket,
        request: Scope | None,
    ) -> None:
        self._client = client
        self._service = service
        self._idle = options.idle
        self._recheck = None if request is None else request.recheck
        self._loop = asyncio.get_running_loop()
        self._active_at = self._loop.time()

    async def run(self) -> None:
        """Pass messages on until a side has ended or was silent for too long; close the other."""
        up = self._loop.create_task(self._to_service())
        down = self._loop.create_task(self._to_client())
        ends = BROKEN
        try:
            ends = await self._ends(up, down)
        except asyncio.CancelledError:
            ends = GATEWAY_RESTARTS
            raise
        finally:
            up.cancel()
            down.cancel()
            await self._close(ends)

    async def _ends(self, up: asyncio.Task[Ends], down: asyncio.Task[Ends]) -> Ends:
        """Wait for the end of a side, of an idle time without a message, or of the sign-in."""
        both, now = (up, down), self._loop.time
        while (left := self._active_at + self._idle - now()) > 0:
            wait = left if self._recheck is None else min(left, RECHECK_SECONDS)
            done, _ = await asyncio.wait(both, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            if down in done and down.result() is CLIENT_LEFT:
                await asyncio.wait((up,), timeout=LEAVING_SECONDS)
            if done:
                return (up if up.done() else down).result()
            if self._recheck is not None and not await _is_valid(self._recheck):
                return NOT_AUTHORIZED
        return after_idle(self._idle)

    async def _to_service(self) -> Ends:
        """Pass on the messages of the client until it has ended."""
        client, service, now = self._client, self._service, self._loop.time
        while not isinstance(message := await client.receive(), Closed):
            self._active_at = now()
            await service.send(message)
        return after_client(message)

    async def _to_client(self) -> Ends:
        """Pass on the messages of the service until it has ended."""
        client, service, now = self._client, self._service, self._loop.time
        while not isinstance(message := await service.receive(), Closed):
            self._active_at = now()
            try:
                await client.send(message)
            except OSError:
                return CLIENT_LEFT
        return after_service(message)

    async def _close(self, ends: Ends) -> None:
        """Send both sides what they get, without waiting for one before the other."""
        closing = []
        if ends.to_client is not None:
            closing.append(self._client.close(ends.to_client))
        if ends.to_service is not None:
            closing.append(self._service.finish(*ends.to_service))
        await asyncio.gather(*closing)
