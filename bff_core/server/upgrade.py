"""Hands a connection over to uvicorn's protocol of web sockets."""

import asyncio

from bff_core.server.reading import RequestReader
from bff_core.server.serving import Serving


def upgrade(request: RequestReader, transport: asyncio.Transport, serving: Serving) -> None:
    """Let another protocol have the connection, with the head as it was read and checked."""
    target = request.target
    query = b"?" + target.query if target.query else b""
    lines = (b"%b: %b\r\n" % field for field in request.headers)
    head = b"".join((b"GET ", target.raw_path, query, b" HTTP/1.1\r\n", *lines, b"\r\n"))
    protocol = serving.config.ws_protocol_class(
        config=serving.config, server_state=serving.state, app_state=serving.values
    )
    protocol.connection_made(transport)
    protocol.data_received(head + request.rest)
    transport.set_protocol(protocol)
