"""Checks a peer's answers: every body is compared, over several connections."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from bench.harness.load import WrongAnswer
from bench.harness.payloads import Record
from bench.harness.peers import Running

CONNECTIONS = 8
SCREENS = 12

_batches = count(1)


def verify(gateway: Running, expected: Record) -> None:
    """Request some hundred screens at once; raises WrongAnswer for the first that differs."""
    first = next(_batches) * CONNECTIONS * SCREENS
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        batches = threads.map(
            lambda index: read_screens(gateway.port, first + index * SCREENS), range(CONNECTIONS)
        )
        for batch in batches:
            for status, body in batch:
                compare(status, body, expected)


def read_screens(port: int, first: int) -> list[tuple[int, bytes]]:
    """Return status and body of a few screens, read over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    answers = []
    for screen in range(first, first + SCREENS):
        connection.request("GET", f"/screen/{screen}")
        response = connection.getresponse()
        answers.append((response.status, response.read()))
    connection.close()
    return answers


def compare(status: int, body: bytes, expected: Record) -> None:
    """Raise WrongAnswer unless this is a success with exactly the expected screen."""
    if not 200 <= status < 300:
        raise WrongAnswer(f"status {status}: {body[:120]!r}")
    try:
        answered = json.loads(body)
    except ValueError:
        raise WrongAnswer(f"no JSON: {body[:120]!r}") from None
    if answered != expected:
        raise WrongAnswer(f"another screen: {body[:120]!r}")
