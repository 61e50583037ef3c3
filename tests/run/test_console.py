"""What a run looks like on a terminal, in a file, and behind a pager that stopped reading."""

import os
import pty
import threading
import time

import pytest

from scripts.run.console import WAITING_LINES, Console, wants_colours


@pytest.fixture
def pipe():
    """Return both ends of a pipe."""
    source, sink = os.pipe()
    yield source, sink
    for descriptor in (source, sink):
        os.close(descriptor)


def test_colours_are_for_terminals_that_want_them():
    """A terminal gets colours; NO_COLOR, a dumb terminal, a pipe get plain text."""
    controller, terminal = pty.openpty()
    source, sink = os.pipe()

    assert wants_colours({"TERM": "xterm"}, terminal)
    assert not wants_colours({"TERM": "xterm", "NO_COLOR": "1"}, terminal)
    assert not wants_colours({"TERM": "dumb"}, terminal)
    assert not wants_colours({"TERM": "xterm"}, sink)
    for descriptor in (controller, terminal, source, sink):
        os.close(descriptor)


def test_each_program_has_its_colour(pipe):
    """Names stand in one column, each in a colour of its own."""
    source, sink = pipe
    with Console(["web", "mobile"], has_colours=True, descriptor=sink) as console:
        console.follow("web", "one")
        console.follow("mobile", "two")

    assert os.read(source, 1000) == b"\x1b[36mweb    |\x1b[0m one\n\x1b[33mmobile |\x1b[0m two\n"


def test_an_output_that_is_not_read_does_not_delay_the_end():
    """Behind a pager that stopped reading, neither the lines nor the end of the run wait."""
    source, sink = os.pipe()
    started = time.monotonic()
    with Console(["web"], has_colours=False, descriptor=sink) as console:
        for _ in range(2 * WAITING_LINES):
            console.say("x" * 1000)

    assert time.monotonic() - started < 5
    os.close(source)


def test_dropped_lines_are_counted(pipe):
    """Lines that were dropped because they were not read are reported when somebody reads again."""
    source, sink = pipe
    with Console(["web"], has_colours=False, descriptor=sink) as console:
        for _ in range(2 * WAITING_LINES):
            console.say("x" * 1000)
        reader = threading.Thread(target=_drain, args=(source, b"lines were dropped"))
        reader.start()
        reader.join(10)

    assert not reader.is_alive()


def _drain(source: int, until: bytes) -> None:
    while until not in os.read(source, 1 << 20):
        pass
