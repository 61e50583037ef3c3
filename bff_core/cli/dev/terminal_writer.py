"""Writes the output of a run, and the keys in the last line of a terminal, from a thread.

A pager that stops reading must not block the supervisor, so a thread writes, and texts that can not
be written in time are dropped and counted.
"""

import contextlib
import os
import queue
import re
import threading
from typing import Final, NamedTuple, Self

WAITING_TEXTS = 10_000

_CONTROLS: Final = re.compile(
    r"\x1b(?!\[[0-9;]{0,32}m)|[\0-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
"""Characters that change more of a terminal than colours: programs quote what others sent them."""


class _Footer(NamedTuple):
    text: str


class TerminalWriter:
    """Writes whole lines to a file descriptor; a footer stays below them."""

    def __init__(self, *, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._texts: queue.Queue[str | _Footer | None] = queue.Queue(WAITING_TEXTS)
        self._dropped = 0
        self._footer = ""
        self._drawn = ""
        self._writer = threading.Thread(target=self._write_all, name="console", daemon=True)

    def __enter__(self) -> Self:
        """Start writing."""
        self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Write the remaining lines, for a second at most."""
        with contextlib.suppress(queue.Full):
            self._texts.put_nowait(None)
        self._writer.join(timeout=1.0)

    def write(self, text: str) -> None:
        """Write a text of one or more lines, with all escape sequences shown but for colours."""
        self._put(f"{_CONTROLS.sub(_escaped, text)}\n")

    def set_footer(self, text: str) -> None:
        """Replace the lines at the bottom; the caller cuts them to the width of the terminal."""
        self._put(_Footer(text))

    def _put(self, text: "str | _Footer") -> None:
        try:
            self._texts.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def _write_all(self) -> None:
        # A closed pipe ends the output, not the run: `bff dev | head` stops by its signals.
        with contextlib.suppress(OSError):
            while (text := self._texts.get()) is not None:
                if isinstance(text, _Footer):
                    self._footer, text = text.text, ""
                self._write(self._with_footer(text))
                if self._dropped and self._texts.empty():
                    missing, self._dropped = self._dropped, 0
                    self._write(f"({missing} lines were dropped: the output was not read)\n")
            self._footer = ""
            self._write(self._with_footer(""))

    def _with_footer(self, text: str) -> str:
        """Return a text that replaces the footer, and the footer below it."""
        if not (self._drawn or self._footer):
            return text
        height = self._drawn.count("\n")
        erased = f"\r\x1b[{height}A\x1b[J" if height else "\r\x1b[J" if self._drawn else ""
        self._drawn = f"\n{self._footer}" if self._footer else ""
        return f"{erased}{text}{self._drawn}"

    def _write(self, text: str) -> None:
        rest = text.encode(errors="replace")
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
