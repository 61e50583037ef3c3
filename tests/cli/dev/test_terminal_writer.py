"""The thread that writes: below a footer, and behind a pager that stopped reading."""

import os
import threading
import time

import pytest

from bff_core.cli.dev.terminal_writer import WAITING_TEXTS, TerminalWriter


@pytest.fixture
def pipe():
    """Return both ends of a pipe."""
    source, sink = os.pipe()
    yield source, sink
    for descriptor in (source, sink):
        os.close(descriptor)


def test_the_footer_stays_below_what_is_written(pipe):
    """Each text erases it and draws it again; at the end it is gone."""
    source, sink = pipe
    with TerminalWriter(descriptor=sink) as console:
        console.write("one")
        console.set_footer("keys\nmore")
        console.write("two")

    assert os.read(source, 1000).decode() == (
        "one\n\nkeys\nmore\r\x1b[2A\x1b[Jtwo\n\nkeys\nmore\r\x1b[2A\x1b[J"
    )


def test_an_output_that_is_not_read_does_not_delay_the_end():
    """Behind a pager that stopped reading, neither the lines nor the end of the run wait."""
    source, sink = os.pipe()
    started = time.monotonic()
    with TerminalWriter(descriptor=sink) as console:
        for _ in range(2 * WAITING_TEXTS):
            console.write("x" * 1000)

    assert time.monotonic() - started < 5
    os.close(source)


def test_dropped_lines_are_counted(pipe):
    """Lines that were dropped because they were not read are reported when somebody reads again."""
    source, sink = pipe
    with TerminalWriter(descriptor=sink) as console:
        for _ in range(2 * WAITING_TEXTS):
            console.write("x" * 1000)
        reader = threading.Thread(target=_drain, args=(source, b"lines were dropped"))
        reader.start()
        reader.join(10)

    assert not reader.is_alive()


def _drain(source: int, until: bytes) -> None:
    while until not in os.read(source, 1 << 20):
        pass


def test_what_programs_quote_changes_no_terminal(pipe):
    """Titles, cursors and clipboards stay as they are; colours, tabs and lines pass."""
    source, sink = pipe
    with TerminalWriter(descriptor=sink) as console:
        console.write("\x1b[31mred\x1b[0m\tx\ny \x1b]0;title\x07 \x1b[2J\r \x9b31m \u202e \x1b")

    assert os.read(source, 1000).decode() == (
        "\x1b[31mred\x1b[0m\tx\ny \\x1b]0;title\\x07 \\x1b[2J\\r \\x9b31m \\u202e \\x1b\n"
    )
