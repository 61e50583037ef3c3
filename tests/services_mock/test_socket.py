"""What only a real socket can show: faults of the wire, streams, clients that leave."""

import contextlib
import json
import re
import socket
import time

import pytest

REQUEST = b"GET /products/42 HTTP/1.1\r\nHost: test\r\n\r\n"


def receive_all(connection: socket.socket) -> bytes:
    """Read until the other side closes."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def receive_for(connection: socket.socket, seconds: float) -> bytes:
    """Read what comes within some time."""
    parts = []
    connection.settimeout(seconds)
    with contextlib.suppress(TimeoutError):
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def receive_response(connection: socket.socket) -> tuple[bytes, bytes]:
    """Read one response by its length; return head and body."""
    stream = connection.makefile("rb")
    head = b"".join(iter(stream.readline, b"\r\n"))
    return head, stream.read(length_of(head))


def length_of(head: bytes) -> int:
    """Return the `Content-Length` of a head."""
    found = re.search(rb"content-length: (\d+)", head, flags=re.IGNORECASE)
    assert found, head
    return int(found[1])


def split(raw: bytes) -> tuple[bytes, bytes]:
    """Part head and body."""
    head, _, body = raw.partition(b"\r\n\r\n")
    return head, body


def eventually(holds, seconds: float = 3.0) -> bool:
    """Wait until something holds, at most for some seconds in which the machine runs."""
    for _ in range(round(seconds / 0.02)):  # a pause of the machine is one look
        if holds():
            return True
        time.sleep(0.02)
    return False


def test_a_reset_is_a_reset(catalog):
    """The client sees ECONNRESET, not an end of file."""
    with catalog.fault(kind="reset"), catalog.connect() as connection:
        connection.sendall(REQUEST)

        with pytest.raises(ConnectionResetError):
            receive_all(connection)


def test_a_reset_can_come_in_mid_answer(catalog):
    """A part of the answer arrives, then RST."""
    whole = len(catalog.ask("/products/42")[1])
    with catalog.fault(kind="reset", fraction=0.5), catalog.connect() as connection:
        connection.sendall(REQUEST)
        first = connection.recv(65_536)

        assert first.startswith(b"HTTP/1.1 200 OK\r\n")
        assert len(first) < whole
        with pytest.raises(ConnectionResetError):
            receive_all(connection)


def test_a_truncated_body_ends_in_good_order(catalog):
    """FIN before the declared length is reached."""
    _, whole = catalog.ask("/products/42")
    with catalog.fault(kind="truncated", fraction=0.25), catalog.connect() as connection:
        connection.sendall(REQUEST)
        head, body = split(receive_all(connection))

    assert length_of(head) == len(whole)
    assert body == whole[: len(whole) // 4]


def test_a_truncated_body_always_lacks_something(catalog):
    """Even all of it is one byte short."""
    _, whole = catalog.ask("/products/42")
    with catalog.fault(kind="truncated", fraction=1), catalog.connect() as connection:
        connection.sendall(REQUEST)
        _, body = split(receive_all(connection))

    assert body == whole[:-1]


@pytest.mark.parametrize("delta", [10, -10])
def test_a_wrong_length_leaves_the_connection_open(catalog, delta):
    """Who believes the length waits for ever, or takes the rest for the next answer."""
    _, whole = catalog.ask("/products/42")
    with catalog.fault(kind="wrong_length", delta=delta), catalog.connect() as connection:
        connection.sendall(REQUEST)
        head, body = split(receive_for(connection, 0.3))

    assert length_of(head) == len(whole) + delta
    assert body == whole


def test_surplus_bytes_come_with_the_answer(catalog):
    """A forged second response stands in the same read, on a connection that stays open."""
    with catalog.fault(kind="surplus", times=1), catalog.connect() as connection:
        connection.sendall(REQUEST)
        head, rest = split(receive_for(connection, 0.3))
        connection.settimeout(5)
        connection.sendall(REQUEST)
        second, _ = receive_response(connection)

    extra = rest[length_of(head) :]
    assert extra.startswith(b"HTTP/1.1 200 OK\r\n")
    assert extra.endswith(b'{"surplus": "yes"}')
    assert second.startswith(b"HTTP/1.1 200 OK\r\n")


def test_surplus_bytes_can_follow_an_answer_without_a_body(catalog):
    """After a 304 they stand where a body must not be, without a length that announces them."""
    with catalog.fault(kind="surplus", text="unasked"), catalog.connect() as connection:
        connection.sendall(REQUEST[:-2] + b"If-None-Match: *\r\n\r\n")
        head, rest = split(receive_for(connection, 0.3))

    assert head.startswith(b"HTTP/1.1 304 Not Modified\r\n")
    assert b"content-length" not in head.lower()
    assert rest == b"unasked"


def test_a_client_that_wants_no_more_is_closed_upon(catalog):
    """`Connection: close` is obeyed by broken answers, too."""
    with catalog.fault(kind="wrong_length", delta=5), catalog.connect() as connection:
        connection.sendall(REQUEST[:-2] + b"Connection: close\r\n\r\n")
        head, body = split(receive_all(connection))

    assert length_of(head) == len(body) + 5


def test_surplus_bytes_can_come_while_the_connection_idles(catalog):
    """The answer ends cleanly; unsolicited surplus follows."""
    fault = {"kind": "surplus", "delay": 0.2, "text": "late"}
    with catalog.fault(**fault), catalog.connect() as connection:
        connection.sendall(REQUEST)
        head, body = split(receive_for(connection, 0.1))
        late = receive_for(connection, 0.4)

    assert len(body) == length_of(head)
    assert late == b"late"


def test_a_hang_sends_nothing_and_notices_who_leaves(catalog):
    """The call counts as active, then as aborted."""
    aborted = catalog.calls()["aborted"]
    with catalog.fault(kind="hang"):
        with catalog.connect() as connection:
            connection.sendall(REQUEST)
            silence = receive_for(connection, 0.2)
            active = catalog.calls()["active"]
        is_noticed = eventually(lambda: catalog.calls()["aborted"] == aborted + 1)

    assert (silence, active) == (b"", 1)
    assert is_noticed
    assert catalog.calls()["active"] == 0


def test_a_hang_with_an_end_closes_without_an_answer(catalog):
    """After its time the connection is closed."""
    with catalog.fault(kind="hang", seconds=0.1), catalog.connect() as connection:
        connection.sendall(REQUEST)

        assert receive_all(connection) == b""


def test_a_hang_in_the_body_sends_a_part(catalog):
    """Head and half of the body, then silence, then the end."""
    _, whole = catalog.ask("/products/42")
    fault = {"kind": "hang_mid_body", "fraction": 0.5, "seconds": 0.3}
    with catalog.fault(**fault), catalog.connect() as connection:
        connection.sendall(REQUEST)
        head, body = split(receive_all(connection))

    assert length_of(head) == len(whole)
    assert body == whole[: len(whole) // 2]


def test_a_drip_comes_in_small_parts(catalog):
    """Reads see a few bytes at a time."""
    fault = {"kind": "drip", "size": 100, "interval": 0.02}
    with catalog.fault(**fault), catalog.connect() as connection:
        connection.sendall(REQUEST)
        first = connection.recv(65_536)
        parts = [len(connection.recv(65_536)) for _ in range(4)]

    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert max(parts) <= 200


def test_a_healed_service_answers_on(catalog):
    """Faults leave nothing behind: the next call is as ever."""
    before = catalog.ask("/products/42")
    for kind in ("reset", "truncated", "surplus", "error"):
        with (
            catalog.fault(kind=kind),
            catalog.connect() as connection,
            contextlib.suppress(ConnectionResetError),
        ):
            connection.sendall(REQUEST)
            connection.recv(10)

    assert catalog.ask("/products/42") == before
    assert catalog.calls()["active"] == 0


def test_two_requests_on_one_connection_are_answered_in_order(catalog):
    """Keep-alive and pipelining work, so that what breaks is the fault's doing."""
    with catalog.connect() as connection:
        connection.sendall(REQUEST + REQUEST.replace(b"/42", b"/43"))
        stream = connection.makefile("rb")
        ids = []
        for _ in range(2):
            head = b"".join(iter(stream.readline, b"\r\n"))
            ids.append(json.loads(stream.read(length_of(head)))["id"])

    assert ids == ["42", "43"]


# streams


def test_an_export_is_a_chunked_stream_of_all_orders(orders):
    """One order per line, as many as the list has, without a length or a tag."""
    with orders.client.stream("GET", "/orders/export?customer_id=2") as export:
        exported = [json.loads(line)["id"] for line in export.iter_lines()]
    listed = orders.client.get("/orders?customer_id=2&limit=100").json()
    accepted = orders.client.get(
        "/orders?customer_id=1", headers={"accept": "application/x-ndjson"}
    )

    assert export.headers["content-type"] == "application/x-ndjson"
    assert export.headers["transfer-encoding"] == "chunked"
    assert "etag" not in export.headers
    assert len(set(exported)) == len(exported) == listed["total"] == 1200
    assert exported[:100] == [order["id"] for order in listed["items"]]
    assert len(accepted.text.splitlines()) == 48


def test_an_export_stops_when_its_client_leaves(orders):
    """The client has gone, so nothing is written any more; the call counts as aborted."""
    with orders.connect(receive_buffer=4096) as connection:
        connection.sendall(b"GET /orders/export HTTP/1.1\r\nHost: test\r\n\r\n")
        first = connection.recv(1024)
        active = orders.calls()["active"]
    is_noticed = eventually(lambda: orders.calls()["aborted"] == 1)

    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert active == 1
    assert is_noticed
    assert orders.calls()["active"] == 0
