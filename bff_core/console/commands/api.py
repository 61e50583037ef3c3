"""What a process offers the API page: contracts, proxied routes, answers to its requests."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from starlette.types import Message

from bff_core.console.api.proxy_routes import proxy_routes
from bff_core.console.api.sent_request import MAX_ANSWER_SECONDS, MAX_TEXT_BYTES
from bff_core.console.in_process import scope_of
from bff_core.console.model import Send, Sent
from bff_core.gateway.app import Gateway
from bff_core.observe.process_socket import Command, InvalidCommand

OPENAPI: Final = "api.openapi"
PROXY: Final = "api.proxy"
SCHEMA: Final = "api.schema"
SEND: Final = "api.send"

_decode = msgspec.json.Decoder(Send).decode


def commands(gateway: Gateway) -> Mapping[str, Command]:
    """Return the commands of this area."""

    async def openapi(_: bytes) -> bytes:
        if gateway.openapi_url is None:
            raise InvalidCommand("the gateway has no OpenAPI document")
        return msgspec.json.encode(gateway.openapi())

    async def schema(_: bytes) -> bytes:
        found = [getattr(one, "schema", None) for one in gateway.config.faces]
        schemas = [str(one) for one in found if one is not None]
        if not schemas:
            raise InvalidCommand("the gateway has no GraphQL schema")
        return schemas[0].encode()

    async def proxy(_: bytes) -> bytes:
        return msgspec.json.encode(proxy_routes(gateway))

    async def send(body: bytes) -> bytes:
        return msgspec.json.encode(await _sent(gateway, _decode(body)))

    return {OPENAPI: openapi, SCHEMA: schema, PROXY: proxy, SEND: send}


async def _sent(gateway: Gateway, request: Send) -> Sent:
    """Call the gateway without a network; its answer is cut when it is too long or takes too long.

    So the request can reach no other address. A redirect is shown and not followed.
    """
    exchange, started = _Exchange(request), time.perf_counter()
    answering = asyncio.ensure_future(
        gateway(_scope(gateway, request), exchange.receive, exchange.send)
    )
    ended = asyncio.ensure_future(exchange.is_over.wait())
    try:
        await asyncio.wait(
            {answering, ended}, timeout=MAX_ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        exchange.is_cut |= not exchange.is_over.is_set()
        exchange.is_over.set()
        answering.cancel()  # it notices as if the client had left
        await asyncio.gather(answering, ended, return_exceptions=True)
    headers = [(name, _shown(name.lower(), value)) for name, value in exchange.headers]
    named = {name.lower(): value for name, value in headers}
    return Sent(
        status=exchange.status,
        seconds=time.perf_counter() - started,
        headers=headers,
        text=_text(bytes(exchange.body), named.get("content-encoding", "")),
        size=len(exchange.body),
        is_cut=exchange.is_cut,
        request_id=named.get("x-request-id", ""),
    )


class _Exchange:
    """One request to the app and its answer, as ASGI messages."""

    def __init__(self, request: Send) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = bytearray()
        self.is_cut = False
        self.is_over = asyncio.Event()
        self._unread: bytes | None = request.body.encode()
        self._is_head = request.method == "HEAD"

    async def receive(self) -> Message:
        """Return the body, then wait until the answer is complete."""
        if self._unread is not None:
            body, self._unread = self._unread, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.is_over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a part of the answer; it is over when there is enough of it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in message.get("headers", ())
            ]
        elif message["type"] == "http.response.body":
            self.body += b"" if self._is_head else message.get("body", b"")
            self.is_cut |= len(self.body) > MAX_TEXT_BYTES
            del self.body[MAX_TEXT_BYTES:]
            if self.is_cut or not message.get("more_body", False):
                self.is_over.set()


def _scope(gateway: Gateway, request: Send) -> dict[str, Any]:
    """Return the scope of a request, as the server would make it for one on this machine."""
    public = urlsplit(gateway.settings.public_url or f"http://{_host_of(gateway)}")
    headers = [(b"host", public.netloc.encode())]
    headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in request.headers]
    body = request.body.encode()
    if body or request.method in {"POST", "PUT", "PATCH"}:
        headers.append((b"content-length", str(len(body)).encode()))
    server = public.hostname or "localhost", public.port
    return scope_of(
        gateway, request.method, request.path, headers, scheme=public.scheme, server=server
    )


def _host_of(gateway: Gateway) -> str:
    """Return a host that the gateway serves."""
    names = (one for one in gateway.edge_options.allowed_hosts if "*" not in one)
    return next(names, "localhost")


def _shown(name: str, value: str) -> str:
    """Return the value of a header of the answer; that of a cookie is left out."""
    if name != "set-cookie":
        return value
    cookie, _, attributes = value.partition(";")
    return f"{cookie.partition('=')[0]}=***" + (f";{attributes}" if attributes else "")


def _text(body: bytes, coding: str) -> str:
    """Return a body as text; what is none is described."""
    if coding:
        return f"({len(body)} bytes with Content-Encoding: {coding})"
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        if error.start > len(body) - 4:  # cut within a character
            return body.decode(errors="ignore")
        return f"({len(body)} bytes that are no text)"
