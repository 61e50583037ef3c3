"""A large body passes a gateway in little memory; `FORWARDED_MIB` says how large."""

import http.client
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

MIB = 1024 * 1024
SIZE = int(os.environ.get("FORWARDED_MIB", "64"))
PIECE = b"x" * MIB
MAX_GROWTH = 20 * MIB


@pytest.fixture
def service() -> Iterator[int]:
    """Serve bodies of `SIZE` MiB, and take such bodies; yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                talk(connection, stream)

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def talk(connection, stream) -> None:
    """Answer requests until the connection ends."""
    while line := stream.readline():
        length = 0
        while (field := stream.readline()) != b"\r\n":
            name, _, value = field.partition(b":")
            length = int(value) if name == b"content-length" else length
        for _ in range(length // MIB):
            stream.read(MIB)
        size = SIZE if line.startswith(b"GET /files/large ") else 0
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (size * MIB))
        for _ in range(size):
            connection.sendall(PIECE)


def resident(pid: int, field: str) -> int:
    """Return a size of a process in bytes: VmRSS now, VmHWM at its peak."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    (line,) = [line for line in lines if line.startswith(f"{field}:")]
    return int(line.split()[1]) * 1024


def forget_peak(pid: int) -> None:
    """Make the peak of a process what it has now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def pieces() -> Iterator[bytes]:
    """Yield a large body."""
    for _ in range(SIZE):
        yield PIECE


@pytest.mark.parametrize(
    ("direction", "make"),
    [("down", "make_app"), ("down", "make_proxied_app"), ("up", "make_proxied_app")],
)
def test_a_large_body_is_never_in_memory_as_a_whole(depot, service, direction, make):
    """The gateway grows by less than 20 MiB, however large the body is."""
    app = f"tests.server.forwarding_gateway:{make}"
    environ = {"BFF_UPSTREAM_FILES": f"http://127.0.0.1:{service}", "BFF_LOG": "off"}
    process = depot(app=app, **environ)
    with closing(http.client.HTTPConnection("127.0.0.1", process.port, timeout=60)) as client:
        client.request("GET", "/files/small")
        client.getresponse().read()
        idle = resident(process.pid, "VmRSS")
        forget_peak(process.pid)
        received = 0
        if direction == "down":
            client.request("GET", "/files/large")
            answer = client.getresponse()
            while piece := answer.read(MIB):
                received += len(piece)
        else:
            headers = {"content-length": str(SIZE * MIB), "content-type": "application/x"}
            client.request("POST", "/files/large", body=pieces(), headers=headers)
            answer = client.getresponse()
            answer.read()
        grown = resident(process.pid, "VmHWM") - idle

    assert (answer.status, received) == (200, SIZE * MIB if direction == "down" else 0)
    assert grown < MAX_GROWTH, f"grew by {grown / MIB:.1f} MiB"
