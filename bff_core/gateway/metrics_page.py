"""`/metrics`: at the gateway with the operator's token, or on a port of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hmac import compare_digest
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bff_core.edge.concern import HTTP_ONLY
from bff_core.errors import ConfigurationError, NotAuthenticated
from bff_core.http_exchange.request_context import RequestContext
from bff_core.routing.path import path_of
from bff_core.routing.route_table import RouteTable

PATH: Final = "/metrics"

MAX_HEAD_BYTES: Final = 16 * 1024
HEAD_SECONDS: Final = 5.0

Scrape = Callable[[str], Awaitable[tuple[str, bytes]]]
"""Returns the content type and the metrics for a request's `Accept`."""


def has_metrics_route(table: RouteTable) -> bool:
    """Whether a route of the application has the path."""
    return any(entry.path == PATH for entry in table.entries)


class MetricsPage:
    """After the limits by address: answers `/metrics` to requests with the operator's token."""

    __slots__ = ("_expected", "_scrape")
    kinds = HTTP_ONLY

    def __init__(self, *, token: str, scrape: Scrape) -> None:
        self._expected = b"Bearer " + token.encode()
        self._scrape = scrape

    def check(self, context: RequestContext) -> Awaitable[Response] | None:
        """Answer Prometheus; requests for other paths pass."""
        return self._answer(context) if path_of(context.asgi) == PATH else None

    async def _answer(self, context: RequestContext) -> Response:
        context.challenge = b"Bearer"
        if not compare_digest(context.fields.get(b"authorization", b""), self._expected):
            raise NotAuthenticated("Send the operator's token.", reason="operator_token")
        if context.scope.method not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        accept = context.fields.get(b"accept", b"").decode("latin-1")
        content_type, body = await self._scrape(accept)
        return Response(body, headers={"content-type": content_type, "cache-control": "no-store"})


@asynccontextmanager
async def serve_metrics(
    host: str, port: int, scrape: Scrape, *, is_shared: bool
) -> AsyncIterator[int]:
    """Serve `/metrics` on a port of its own, and yield the port.

    With `is_shared` all workers listen on it, and any of them answers. Raises `ConfigurationError`
    if the port is taken.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(await _response(head, scrape))
            await writer.drain()
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError):
            pass  # no HTTP request, or its sender has left
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(
            answer, host, port, limit=MAX_HEAD_BYTES, reuse_port=is_shared or None
        )
    except OSError as error:
        raise ConfigurationError(
            f"BFF_METRICS_PORT={port}: can't listen on {host}:{port} ({error.strerror}): choose "
            "another port"
        ) from None
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()


async def _response(head: bytes, scrape: Scrape) -> bytes:
    """Return the answer to a request: metrics, 404 or 405."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    if path != PATH:
        return _rendered(404, "Not Found", "text/plain", b"The metrics are at /metrics.\n")
    if method not in {"GET", "HEAD"}:
        return _rendered(405, "Method Not Allowed", "text/plain", b"Use GET.\n")
    fields = dict(line.lower().partition(":")[::2] for line in lines if ":" in line)
    content_type, body = await scrape(fields.get("accept", ""))
    answer = _rendered(200, "OK", content_type, body)
    return answer if method == "GET" else answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def _rendered(status: int, title: str, content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} {title}\r\ncontent-type: {content_type}\r\n"
        f"content-length: {len(body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + body
