"""`/metrics` on a port of its own, for Prometheus: a minimal HTTP server without a token."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from math import inf
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from bff_core.errors import ConfigurationError
from bff_core.observe.connections import Connections

METRICS_PATH: Final = "/metrics"

MAX_HEAD_BYTES: Final = 16 * 1024
HEAD_SECONDS: Final = 5.0

SEND_SECONDS: Final = 10.0
"""How long a client may take to read the answer."""

MAX_CONNECTIONS: Final = 50
"""How many clients may be connected at once; others are disconnected."""

READ_METHODS: Final = frozenset({"GET", "HEAD"})

TIMEOUT_HEADER: Final = "x-prometheus-scrape-timeout-seconds"
"""Where Prometheus says how long it waits."""

Scraping = Callable[[str, float], Awaitable[tuple[str, bytes]]]
"""Returns the content type and the metrics for a request's `Accept` and timeout in seconds."""


class PortRequest(NamedTuple):
    """The head of a request; `path` is without the query, `timeout` in seconds."""

    method: str
    path: str
    accept: str
    timeout: float


def bind_metrics(host: str, port: int) -> socket.socket:
    """Return a socket that listens for scrapes; raises `ConfigurationError` if the port is taken.

    No other process can listen on the port as long as it is open.
    """
    try:
        (family, _, _, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(f"BFF_METRICS_HOST={host}: no such address ({error})") from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        reason = "can't listen"
        if error.errno == errno.EADDRINUSE:
            reason = "another process, perhaps another gateway, listens"
        raise ConfigurationError(
            f"BFF_METRICS_PORT={port}: {reason} on {host}:{port} ({error.strerror}): give each "
            "gateway of a machine a port of its own"
        ) from None
    return listener


@asynccontextmanager
async def serve_metrics(listener: socket.socket, scrape: Scraping) -> AsyncIterator[int]:
    """Serve `/metrics` on a listening socket, which is closed at the end; yield the port."""
    connections = Connections(partial(_exchange, scrape), MAX_CONNECTIONS)
    server = await asyncio.start_server(connections, sock=listener, limit=MAX_HEAD_BYTES)
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.close()
        await connections.aclose()


async def _exchange(
    scrape: Scraping, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Read a request and answer it; a client that is slow or leaves is disconnected."""
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        answered = await _response(head, scrape)
        async with asyncio.timeout(SEND_SECONDS):
            writer.write(answered)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
    except asyncio.LimitOverrunError:
        writer.write(_rendered(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The head is too long."))
    except (OSError, TimeoutError, EOFError):
        writer.transport.abort()
    finally:
        with suppress(RuntimeError):  # the loop is closed
            writer.close()


async def _response(head: bytes, scrape: Scraping) -> bytes:
    """Return the answer to a request: metrics, or 400, 404, 405."""
    request = _parsed(head)
    if request is None:
        return _rendered(HTTPStatus.BAD_REQUEST, "Send an HTTP/1 request.")
    if request.path != METRICS_PATH:
        answered = _rendered(HTTPStatus.NOT_FOUND, "The metrics are at /metrics.")
    elif request.method not in READ_METHODS:
        answered = _rendered(HTTPStatus.METHOD_NOT_ALLOWED, "Use GET.", "allow: GET, HEAD\r\n")
    else:
        content_type, body = await scrape(request.accept, request.timeout)
        answered = _with_body(HTTPStatus.OK, content_type, body)
    return (
        answered.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if request.method == "HEAD" else answered
    )


def _parsed(head: bytes) -> PortRequest | None:
    """Return a request; None if it is not HTTP/1. Its target may be a path or a URL."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    target, _, version = rest.partition(" ")
    if not (method and version.startswith("HTTP/1.")):
        return None
    try:
        path = urlsplit(target).path
    except ValueError:
        return None
    fields = dict(line.lower().partition(":")[::2] for line in lines if ":" in line)
    timeout = timeout_of(fields.get(TIMEOUT_HEADER, ""))
    return PortRequest(method, path, fields.get("accept", ""), timeout)


def timeout_of(value: str) -> float:
    """Return the timeout of a header; infinite for none, or for what is no positive number."""
    try:
        seconds = float(value)
    except ValueError:
        return inf
    return seconds if seconds > 0 else inf


def _rendered(status: HTTPStatus, text: str, more: str = "") -> bytes:
    return _with_body(status, "text/plain; charset=utf-8", f"{text}\n".encode(), more)


def _with_body(status: HTTPStatus, content_type: str, body: bytes, more: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: {content_type}\r\n"
        f"content-length: {len(body)}\r\ncache-control: no-store\r\n"
        f"x-content-type-options: nosniff\r\n{more}connection: close\r\n\r\n"
    )
    return head.encode("latin-1") + body
