"""Compresses whole answers for clients that ask for it."""

import asyncio
from collections.abc import Awaitable
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.edge.exchange import Exchange, exchange_of
from bff_core.upstream.transport.coding import ENCODERS

SMALLEST = 1024
"""Bytes; less fits into one packet anyway."""

LONG = 256 * 1024
"""Bytes from which on compressing leaves the event loop: about 5 ms of work."""

COMPRESSIBLE = (b"application/json", b"application/problem+json", b"application/graphql", b"text/")


class Compression:
    """Innermost but for the app: an answer sent in one piece is compressed if that is worth it.

    Streams pass unchanged: each of their lines is to arrive as soon as it is there. Answers that
    carry a content coding or `Cache-Control: no-transform` are left alone.
    """

    __slots__ = ("_app",)

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Choose a coding, and pass on."""
        if scope["type"] == "http":
            exchange = exchange_of(scope)
            accepted = exchange.fields.get(b"accept-encoding")
            coding = choose(accepted) if accepted else None
            if coding is not None:
                send = _Compressing(coding, exchange, send)
        return self._app(scope, receive, send)


class _Compressing:
    """A `send` that holds the head back until the first piece of the body is known."""

    __slots__ = ("_coding", "_exchange", "_head", "_send")

    def __init__(self, coding: bytes, exchange: Exchange, send: Send) -> None:
        self._coding = coding
        self._exchange = exchange
        self._send = send
        self._head: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._exchange.is_stream:
            self._head = message
            return
        head, self._head = self._head, None
        if head is not None:
            if message["type"] == "http.response.body":
                message = await self._compressed(head, message)
            await self._send(head)
        await self._send(message)

    async def _compressed(self, head: Message, message: Message) -> Message:
        headers = list(head.get("headers", ()))
        body = message.get("body", b"")
        is_whole = not message.get("more_body", False)
        if not is_whole or len(body) < SMALLEST or not _is_compressible(headers):
            return message
        self._exchange.scope.vary.append("accept-encoding")
        encode = ENCODERS[self._coding]
        packed = encode(body) if len(body) < LONG else await asyncio.to_thread(encode, body)
        head["headers"] = [
            *(field for field in headers if field[0] != b"content-length"),
            (b"content-encoding", self._coding),
            (b"content-length", b"%d" % len(packed)),
        ]
        return {**message, "body": packed}


def _is_compressible(headers: list[tuple[bytes, bytes]]) -> bool:
    fields = dict(headers)
    return (
        fields.get(b"content-type", b"").startswith(COMPRESSIBLE)
        and b"content-encoding" not in fields
        and b"no-transform" not in fields.get(b"cache-control", b"")
    )


@lru_cache(maxsize=256)
def choose(accepted: bytes) -> bytes | None:
    """Return the coding that a client likes best (RFC 9110, section 12.5.3), or None for none.

    Among equals it is ours to choose: zstd, br, gzip.
    """
    weights = dict(_weighted(item) for item in accepted.decode("latin-1").lower().split(","))
    rest = weights.get("*", 0.0)
    liked = [(weights.get(coding.decode(), rest), coding) for coding in ENCODERS]
    weight, coding = max(liked, key=lambda pair: pair[0])
    return coding if weight > 0 and weight >= weights.get("identity", 0.0) else None


def _weighted(item: str) -> tuple[str, float]:
    name, _, parameter = item.partition(";")
    try:
        weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
    except ValueError:
        weight = 0.0
    return name.strip(), weight
