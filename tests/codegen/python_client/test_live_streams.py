"""Generated clients read streams of a gateway: rows, progressive answers, events."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@pytest.fixture
def client(kiosk, kiosk_url):
    """Yield the client of a synchronous program, of user 1."""
    with kiosk.KioskClient(kiosk_url, token="demo-1") as opened:
        yield opened


def test_rows_come_one_by_one(kiosk, client):
    """Each is a model."""
    with client.get_rows(count=3) as rows:
        found = list(rows)

    assert [one.order_id for one in found] == [0, 1, 2]
    assert found[0].stage is kiosk.models.Stage.PAID


async def test_rows_come_one_by_one_in_an_asynchronous_program(kiosk, kiosk_url):
    """With `async for`."""
    async with kiosk.AsyncKioskClient(kiosk_url) as client, client.get_rows(count=2) as rows:
        found = [one.order_id async for one in rows]

    assert found == [0, 1]


def test_a_stream_that_is_cut_off_raises(kiosk, client):
    """The program does not take what came for all there is."""
    found = []
    with pytest.raises(kiosk.StreamBroken) as broken:
        found.extend(client.get_rows(count=100, breaks_at=2))

    assert broken.value.status == 200
    assert broken.value.request_id
    assert [one.order_id for one in found] == [0, 1]


def test_a_stream_that_fails_at_once_is_a_problem(kiosk, client):
    """There is no row yet, so the gateway sends a status."""
    with pytest.raises(kiosk.GatewayProblem) as raised:
        next(client.get_rows(breaks_at=0))

    assert raised.value.status == 500


async def test_a_stream_may_be_left(kiosk, kiosk_url):
    """Its connection is closed with the `with` statement."""
    async with kiosk.AsyncKioskClient(kiosk_url) as client, client.get_rows(count=1000) as rows:
        first = await anext(rows)

    assert first.order_id == 0


def test_a_progressive_answer_shows_parts_before_the_whole(kiosk, client):
    """Each line has the state of a part; the last has the answer and all states."""
    lines = list(client.get_home_progressive(down=True))

    *parts, last = lines
    early = {one.part: one for one in parts}
    assert early["points"].value == {"points": None}
    assert early["points"].state == kiosk.PartState("missing", "timeout")
    assert last.answer.value.points is None
    assert last.answer.is_degraded
    assert last.answer.value.name == "Customer 1"


def test_a_progressive_answer_that_fails_raises_its_problem(kiosk, kiosk_url):
    """Before the first line, or in the last one."""
    client = kiosk.KioskClient(kiosk_url, token="demo-404")
    with client, pytest.raises(kiosk.GatewayProblem) as raised:
        list(client.get_home_progressive())

    assert raised.value.code == "not_found"


def test_events_have_their_type_and_their_data(client):
    """Comments are left out."""
    found = list(client.get_events())

    assert [(one.type, one.id, one.data) for one in found] == [
        ("price", "price-1", '{"amount": 3}'),
        ("end", "end-1", "4"),
    ]


@contextmanager
def silent(head: bytes) -> Iterator[str]:
    """Serve one request: send `head`, and no more until the client hangs up; return the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(head)
                connection.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize("method", ["get_rows", "get_home_progressive"])
def test_a_synchronous_stream_begins_within_the_timeout_of_its_call(kiosk, method):
    """A gateway that says nothing does not hold the program for the idle timeout."""
    settings = kiosk.CallSettings(timeout=0.05)
    with (
        silent(b"") as url,
        kiosk.KioskClient(url) as client,
        pytest.raises(kiosk.GatewayTimeout),
    ):
        list(getattr(client, method)(settings=settings))


def test_a_synchronous_stream_that_has_begun_may_be_silent_for_the_idle_timeout(kiosk):
    """The timeout of the call is over by then, or longer."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n\r\n"
    with (
        silent(head) as url,
        kiosk.KioskClient(url, timeout=30, idle_timeout=0.05) as client,
        pytest.raises(kiosk.StreamBroken, match=r"no data came for 0\.05 seconds"),
    ):
        list(client.get_rows())
