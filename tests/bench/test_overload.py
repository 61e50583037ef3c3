"""The overload bench: what its generator counts, and what it takes for a right answer."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from bench.harness.payloads import generate
from bench.overload.figures import class_row, good_since, load_row, recovered_after
from bench.overload.generator import Generator, Kind, Run, Sent, get, schedule
from bench.overload.verdicts import DEGRADED, DIMMED, FAILED, FULL, REFUSED, Screens, healthy

PAUSE = 0.05
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Slow:
    """A server that answers one request after the other, each after a pause."""

    def __init__(self, answer: bytes = OK, pause: float = PAUSE) -> None:
        self.requests: list[bytes] = []
        self._answer, self._pause = answer, pause
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while request := connection.recv(65536):
                self.requests.append(request)
                time.sleep(self._pause)  # the server's slowness is what is tested
                connection.sendall(self._answer)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def slow() -> Iterator[Slow]:
    """Return a server that takes 50 ms for each request of a connection."""
    server = Slow()
    yield server
    server.close()


def kind(rate: float) -> Kind:
    return Kind("any", rate, get("/%d"), lambda status, _head, body: f"{status} {body.decode()}")


def test_a_request_that_waits_for_its_turn_is_not_forgiven_the_wait(slow: Slow) -> None:
    """Over a single connection forty requests a second are twice what 50 ms allow: they queue.

    A closed loop would tell 50 ms for each. Counted from when they were due, the last has waited
    for all those before it.
    """
    generator = Generator(slow.port, most=1, ready=1)

    run = generator.drive([kind(40)], 0.5)

    generator.close()
    assert len(run.sent) == len(slow.requests) == len(schedule([kind(40)], 0.5, 1)) > 10
    assert {one.verdict for one in run.sent} == {"200 ok"}
    last = max(run.sent, key=lambda one: one.due)
    assert last.latency >= len(run.sent) * PAUSE - 0.5
    assert max(run.lateness) > 3 * PAUSE


def test_requests_that_are_due_do_not_wait_for_answers(slow: Slow) -> None:
    """With connections to spare each starts when it is due, however many are unanswered."""
    generator = Generator(slow.port, ready=8)

    run = generator.drive([kind(200)], 0.3)

    generator.close()
    assert len(run.sent) > 40
    assert len(set(slow.requests)) == len(slow.requests)  # no number twice
    assert sorted(run.lateness)[len(run.lateness) // 2] < PAUSE / 2


def test_a_connection_that_breaks_is_counted_and_replaced() -> None:
    """What gets no answer is no answer, and the load goes on."""
    server = Slow(b"HTTP/1.1 200 OK\r\n\r\n", pause=0)  # without a length it can't be read
    generator = Generator(server.port, ready=1)

    run = generator.drive([kind(50)], 0.2)

    generator.close()
    server.close()
    assert {one.verdict for one in run.sent} == {"broken"}
    assert len(run.sent) > 3


def test_a_schedule_is_a_poisson_stream_of_every_kind() -> None:
    """The same for a seed, with the right rates, in the order of time."""
    kinds = [Kind(name, rate, get("/"), healthy) for name, rate in (("a", 1000), ("b", 100))]

    first, second = schedule(kinds, 10, 1), schedule(kinds, 10, 1)

    instants = [instant for instant, _ in first]
    assert first == second != schedule(kinds, 10, 2)
    assert instants == sorted(instants)
    counted = [sum(one.name == name for _, one in first) for name in "ab"]
    assert 9_500 < counted[0] < 10_500
    assert 850 < counted[1] < 1_150


EXPECTED = generate().trimmed
WHOLE = b"HTTP/1.1 200 OK\r\npart-status: user=ok, orders=ok, recommendations=ok"
LESS = b"part-status: user=ok, orders=missing;reason=%b\r\ncache-control: no-store"
PROBLEM = b"HTTP/1.1 503 X\r\ncontent-type: application/problem+json\r\nretry-after: 2\r\n"


def screen(**changes: object) -> bytes:
    return json.dumps(EXPECTED | changes).encode()


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ((200, WHOLE, screen()), FULL),
        ((200, LESS % b"shed", screen(orders=[])), DIMMED),
        ((200, LESS % b"timeout", screen(orders=[], recommendations=[])), DEGRADED),
        ((200, WHOLE, screen(orders=[])), "wrong: without orders"),
        ((200, LESS % b"shed", screen()), "wrong: whole"),
        ((200, WHOLE, screen(user={"id": 8})), "wrong: another screen"),
        ((503, PROBLEM, b'{"code": "overloaded", "trace_id": "1"}'), REFUSED),
        ((503, b"content-type: text/plain", b"no"), "wrong: 503 without"),
        ((503, PROBLEM[:40] + b"n+json", b'{"code": "overloaded"}'), "wrong: 503 without"),
        ((502, PROBLEM, b'{"code": "unavailable", "trace_id": "1"}'), FAILED),
        ((500, PROBLEM, b'{"code": "internal_error", "trace_id": "1"}'), "wrong: 500"),
    ],
)
def test_an_answer_is_one_of_those_that_are_allowed(answer, verdict) -> None:
    """A fast answer that is wrong, or does not say what it lacks, must not pass for goodput."""
    assert Screens(EXPECTED)(*answer).startswith(verdict)


def sent(second: float, verdict: str, latency: float = 0.01, name: str = "screen") -> Sent:
    return Sent(name, second, latency, verdict)


def test_goodput_is_what_was_answered_in_time() -> None:
    """Late answers, refusals and the first second are not counted."""
    run = Run(3.0, lateness=[0.001])
    run.sent += [sent(0.5, FULL), sent(1.5, FULL), sent(2.0, DIMMED), sent(2.5, FULL, 1.5)]
    run.sent += [sent(2.6, REFUSED, 0.002), sent(2.7, FULL, 0.003, "probe")]

    row = load_row(run, capacity=2.0)

    assert (row["offered/s"], row["good/s"], row["of capacity"]) == (2, 1, 0.5)
    assert (row["refused p50"], row["probe p99"], row["whole"]) == (2.0, 3.0, 0.667)
    assert class_row(run, "screen")["refused"] == 0.25


@pytest.mark.parametrize(
    ("refused", "after"),
    [
        ([0] * 8, 0.0),
        ([90, 4] + [0] * 6, 0.5),
        ([0, 0, 90] + [0] * 6, 1.5),
        ([0] * 6 + [90, 0], 0.0),
        ([90] * 8, None),
    ],
)
def test_recovery_is_where_three_good_seconds_begin(refused, after) -> None:
    """Windows of half a second in which 95 % of what was due was answered whole."""
    run = Run(10 + len(refused) * 0.5)
    for window, count in enumerate(refused):
        due = [10 + window * 0.5 + n * 0.005 for n in range(100)]
        run.sent += [sent(at, REFUSED if n < count else FULL, 0.0) for n, at in enumerate(due)]

    assert recovered_after(run, 10.0) == after


def test_figures_after_recovery_are_reported_as_well() -> None:
    """One bad moment later does not put recovery off, and is not hidden either."""
    run = Run(20.0)
    run.sent += [sent(12.0, REFUSED), *[sent(13.0 + n, FULL) for n in range(3)], sent(17.0, DIMMED)]

    assert good_since(run, 12.5) == 0.75
