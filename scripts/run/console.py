"""Writes the output of a run to the terminal, with prefixes and colours, from a thread.

A pager that stops reading must not block the supervisor, so a thread writes,
and lines that can not be written in time are dropped and counted.
"""

import contextlib
import os
import queue
import threading
from collections.abc import Iterable, Mapping
from typing import Self

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
RED = 91
BOLD = 1
WAITING_LINES = 10_000


class Console:
    """Writes whole lines to a file descriptor, each with the name of its program before it."""

    def __init__(self, names: Iterable[str], *, has_colours: bool, descriptor: int = 1) -> None:
        names = list(names)
        self._width = max(map(len, names), default=0)
        self._colour = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
        self._has_colours = has_colours
        self._descriptor = descriptor
        self._lines: queue.Queue[str | None] = queue.Queue(WAITING_LINES)
        self._dropped = 0
        self._writer = threading.Thread(target=self._write_all, name="console", daemon=True)

    def __enter__(self) -> Self:
        """Start writing."""
        self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Write the remaining lines, for a second at most."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
        self._writer.join(timeout=1.0)

    def follow(self, name: str, line: str) -> None:
        """Show a line of a program, with its name."""
        prefix = self._paint(self._colour.get(name, BOLD), f"{name:<{self._width}} |")
        self._put(f"{prefix} {line}")

    def say(self, text: str) -> None:
        """Show a text of the supervisor."""
        self._put(text)

    def alarm(self, text: str) -> None:
        """Show a text prominently."""
        self._put(self._paint(RED, f"!!! {text}"))

    def strong(self, text: str) -> str:
        """Return a text in bold, if colours are on."""
        return self._paint(BOLD, text)

    def _paint(self, colour: int, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._has_colours else text

    def _put(self, text: str) -> None:
        try:
            self._lines.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def _write_all(self) -> None:
        # A closed pipe ends the output, not the run: `make run | head` stops by its signals.
        with contextlib.suppress(OSError):
            while (line := self._lines.get()) is not None:
                self._write(line)
                if self._dropped and self._lines.empty():
                    missing, self._dropped = self._dropped, 0
                    self._write(f"({missing} lines were dropped: the output was not read)")

    def _write(self, line: str) -> None:
        rest = f"{line}\n".encode(errors="replace")
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


def wants_colours(environ: Mapping[str, str], descriptor: int = 1) -> bool:
    """Return whether the output is a terminal that may have colours (no-color.org)."""
    is_plain = environ.get("NO_COLOR") or environ.get("TERM") == "dumb"
    return os.isatty(descriptor) and not is_plain
