"""The addresses of a connection, and the ASGI scopes of its requests."""

import asyncio
import select
import socket
import struct
from contextlib import suppress
from typing import Any, Final

from bff_core.server.parser import RequestReader
from bff_core.server.server_state import ServerState

ASGI: Final = {"version": "3.0", "spec_version": "2.4"}


class Peer:
    """The client's and the server's address, and the scheme, of one connection."""

    __slots__ = ("_client", "_scheme", "_server")

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._client = _address(transport.get_extra_info("peername"))
        self._server = _address(transport.get_extra_info("sockname"))
        self._scheme = "https" if transport.get_extra_info("sslcontext") else "http"

    def scope(self, request: RequestReader, serving: ServerState) -> dict[str, Any]:
        """Return the ASGI scope of the latest request."""
        raw_path, path, query, _ = request.target
        root = serving.root_path
        return {
            "type": "http",
            "asgi": ASGI,
            "http_version": request.version,
            "server": self._server,
            "client": self._client,
            "scheme": self._scheme,
            "root_path": root,
            "method": request.method,
            "path": root + path,
            "raw_path": root.encode() + raw_path if root else raw_path,
            "query_string": query,
            "headers": request.headers,
            "state": serving.values.copy(),
        }


def has_arrived(transport: asyncio.BaseTransport) -> bool:
    """Whether the socket has bytes that the loop has not read yet."""
    connection = transport.get_extra_info("socket")
    try:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        return bool(poll.poll(0))
    except (AttributeError, OSError, ValueError):  # no poll on this platform, or a closed socket
        return False


def reset(transport: asyncio.Transport) -> None:
    """Reset a connection (RST), so that the client notices a truncated answer.

    A plain close would deliver what is buffered, and then look like an orderly end.
    """
    connection = transport.get_extra_info("socket")
    with suppress(AttributeError, OSError, ValueError):  # ValueError: a closed socket
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _address(name: object) -> tuple[str, int] | None:
    """Return host and port; a Unix socket has none."""
    if isinstance(name, tuple) and len(name) >= 2:
        return str(name[0]), int(name[1])
    return None
