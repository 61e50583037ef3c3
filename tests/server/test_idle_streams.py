"""Streams and web sockets that are open take nothing from ordinary requests.

`IDLE_STREAMS` says how many are opened; each takes a descriptor of this process and of the gateway.
"""

import http.client
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

COUNT = int(os.environ.get("IDLE_STREAMS", "1000"))
REQUESTS = 300
SPARE_DESCRIPTORS = 200
READS = b"GET /news HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n"
TALKS = (
    b"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Allow as many descriptors as the test needs; processes that it starts inherit the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = COUNT + SPARE_DESCRIPTORS
    if hard < needed:
        pytest.skip(f"{needed} descriptors are needed; the hard limit is {hard}: ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def opened(port: int, request: bytes) -> socket.socket:
    """Open a connection, and return it as soon as the first item or message has arrived."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(request)
    received = b""
    while b"open" not in received:
        piece = connection.recv(4096)
        assert piece, received
        received += piece
    return connection


@pytest.mark.usefixtures("many_descriptors")
def test_open_streams_never_refuse_an_ordinary_request(depot):
    """Ten at once are enough for the requests; the streams have a budget of their own."""
    process = depot(app="tests.server.waiting_gateway:app", BFF_MAX_CONCURRENT="10", BFF_LOG="off")
    statuses = []
    with ExitStack() as closing_all:
        for number in range(COUNT):
            request = TALKS if number % 2 else READS
            closing_all.enter_context(opened(process.port, request))
        with closing(http.client.HTTPConnection("127.0.0.1", process.port, timeout=30)) as client:
            for item in range(REQUESTS):
                client.request("GET", f"/items/{item}")
                answer = client.getresponse()
                answer.read()
                statuses.append(answer.status)

    assert statuses == [200] * REQUESTS
