"""Reads single keys from the terminal that a run was started in."""

import asyncio
import contextlib
import os
import signal
import termios
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def reading_keys(on_key: Callable[[str], None], descriptor: int = 0) -> Iterator[bool]:
    """Call `on_key` with each pressed key; yield whether there is a terminal to read from.

    Ctrl-C and Ctrl-Z work as usual, and the terminal is restored at the end.
    """
    before = _attributes(descriptor)
    if before is None:
        yield False
        return
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            text = os.read(descriptor, 64).decode(errors="ignore")
        except OSError:  # it went to the background, or the terminal is gone
            text = ""
        if not text:
            loop.remove_reader(descriptor)
        for key in text:
            on_key(key)

    changed = [*before]
    changed[3] = before[3] & ~(termios.ICANON | termios.ECHO)
    # In the background a read is an error with this, and does not stop the process.
    signals = signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    termios.tcsetattr(descriptor, termios.TCSADRAIN, changed)
    loop.add_reader(descriptor, read)
    try:
        yield True
    finally:
        loop.remove_reader(descriptor)
        signal.signal(signal.SIGTTIN, signals)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _attributes(descriptor: int) -> list[Any] | None:
    """Return the settings of the terminal; None if there is none, or another program has it."""
    try:
        if os.tcgetpgrp(descriptor) != os.getpgrp():
            return None
        return termios.tcgetattr(descriptor)
    except (OSError, termios.error):
        return None
