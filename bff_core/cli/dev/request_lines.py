"""Renders a request for a terminal: a line, and the tree of its parts with times and states."""

import re
import time
from collections.abc import Iterator
from typing import Final

from bff_core.cli.dev.request_summary import Row, Summary
from bff_core.cli.dev.style import (
    BLUE,
    BOLD,
    DIM,
    GREEN,
    PART_COLOURS,
    RED,
    YELLOW,
    Style,
    fitted,
    milliseconds,
    size_of,
)
from bff_core.observe.request_records import RequestRecord

_kind = re.compile(r"^\w+: ").sub
"""Removes the class of an error, which developers of services do not know."""

_critical = re.compile(r" \(critical part '[^']*'\)$").sub
"""Removes the name of the part, which is in the row above."""

INDENT: Final = 10
BAR_CELLS: Final = 26
WIDTH_FOR_BARS: Final = 100
WIDTH_FOR_SERVICES: Final = 76

STATE_COLOURS: Final = {
    "complete": GREEN,
    "degraded": YELLOW,
    "failed": RED,
    "refused": YELLOW,
    "left": DIM,
}


class RequestLines:
    """Renders requests in columns, which grow with what they have to hold."""

    def __init__(self, style: Style, name_width: int) -> None:
        self._style = style
        self._name_width = name_width
        self._title_width = 20
        self._part_width = 15
        self._service_width = 16

    def prefix(self, name: str, at: float | None = None) -> str:
        """Return the time and the name of a program, as each line begins."""
        clock = time.strftime("%H:%M:%S", time.localtime(at))
        return f"{self._style.paint(clock, DIM)}  {name:<{self._name_width}}  "

    def line(self, name: str, trace: RequestRecord, summary: Summary, width: int) -> str:
        """Return the line of a request; a narrow terminal does without size, calls and words."""
        style, colour = self._style, STATE_COLOURS[summary.state]
        self._title_width = min(max(self._title_width, len(summary.title)), 40)
        title = f"{summary.title:<{self._title_width}}"
        word = f"{style.sign(summary.state)} {summary.state}" if style.has_signs else summary.state
        calls = f"{summary.calls} call{'' if summary.calls == 1 else 's'}"
        sent = f"{size_of(trace.size):>9}{calls:>10}" if width >= WIDTH_FOR_BARS else ""
        state = f"{word:<10}"
        if width < WIDTH_FOR_SERVICES and style.has_signs:
            state = style.sign(summary.state)
        line = (
            f"{self.prefix(name, trace.time)}{style.paint(title, BOLD)}  {trace.status:>3}  "
            f"{style.paint(state, colour)}{milliseconds(trace.seconds):>6} ms{sent}  "
            f"{style.paint(trace.request_id[:8], DIM)}{self._remark(trace, summary)}"
        )
        return fitted(line, width)

    def tree(self, trace: RequestRecord, summary: Summary, width: int) -> Iterator[str]:
        """Yield the lines below: a part each, what was cancelled, and the cause of a failure."""
        style, rows, below = self._style, summary.rows, list(self._below(trace, summary))
        self._part_width = max([self._part_width, *(len(row.name) for row in rows)])
        self._service_width = max([self._service_width, *(len(row.services) for row in rows)])
        for number, row in enumerate(rows):
            is_last = number == len(rows) - 1 and not below
            branch = style.paint(style.drawn("└" if is_last else "├"), DIM)
            yield fitted(f"{'':{INDENT}}{branch} {self._row(row, trace, width)}", width)
        for number, text in enumerate(below):
            branch = style.paint(style.drawn("└" if number == len(below) - 1 else "│"), DIM)
            yield f"{'':{INDENT}}{branch} {text}"

    def _row(self, row: Row, trace: RequestRecord, width: int) -> str:
        style, colour = self._style, PART_COLOURS.get(row.state, DIM)
        sign = style.sign(row.state)
        sign = sign if style.has_signs else f"{sign:<9}"
        name = f"{row.name:<{self._part_width}}"
        name = name if row.state in {"ok", "stale"} else style.paint(name, BOLD)
        cells = [style.paint(sign, colour), name]
        if width >= WIDTH_FOR_SERVICES:
            cells.append(style.paint(f" {row.services:<{self._service_width}}", DIM))
        cells.append(f"{milliseconds(row.seconds):>5} ")
        if width >= WIDTH_FOR_BARS:
            cells.append(self._bar(row, trace.seconds))
        cells.append(self._reason(row, colour))
        return " ".join(cells)

    def _reason(self, row: Row, colour: int) -> str:
        """Colour the state with which a reason begins."""
        style = self._style
        if row.state == "ok":
            return style.paint(row.reason, DIM)
        for stop in (":", ","):
            word, found, rest = row.reason.partition(stop)
            if found and " " not in word:
                return f"{style.paint(word, colour)}{found}{rest}"
        return style.paint(row.reason, colour)

    def _bar(self, row: Row, total: float) -> str:
        """Draw a part on the time axis of its request; failed attempts are red, pauses light."""
        style = self._style
        scale = BAR_CELLS / max(total, row.start + row.seconds, 1e-6)
        first = min(int(row.start * scale), BAR_CELLS - 1)
        last = min(max(first + 1, round((row.start + row.seconds) * scale)), BAR_CELLS)
        base = {"ok": DIM, "stale": BLUE}.get(row.state, PART_COLOURS.get(row.state, DIM))
        if row.seconds * scale < 0.3:
            return f"{'':{first}}{style.paint(style.drawn('▏'), base)}{'':{BAR_CELLS - first - 1}} "
        cells = [("▇", base)] * (last - first)
        ended = None
        for attempt in sorted(row.attempts, key=lambda one: one.start):
            begin = max(int(attempt.start * scale) - first, 0)
            if ended is not None:
                for cell in range(ended, min(begin, len(cells))):
                    cells[cell] = ("░", DIM)
            ended = max(round((attempt.start + max(attempt.seconds, 0)) * scale) - first, begin + 1)
            if not attempt.outcome.startswith(("2", "3")) and row.state in {
                "ok",
                "stale",
                "failed",
            }:
                for cell in range(begin, min(ended, len(cells))):
                    cells[cell] = ("▇", RED)
        drawn = "".join(style.paint(style.drawn(text), colour) for text, colour in _joined(cells))
        stop = style.paint(style.drawn("│"), DIM) if row.is_timed_out else " "
        return f"{'':{first}}{drawn}{stop}{'':{BAR_CELLS - last}}"

    def _remark(self, trace: RequestRecord, summary: Summary) -> str:
        """Return what the end of the line adds."""
        remark = (
            "cached view" if trace.is_cached else trace.reason if summary.state == "refused" else ""
        )
        return f"  {self._style.paint(remark, DIM)}" if remark else ""

    def _below(self, trace: RequestRecord, summary: Summary) -> Iterator[str]:
        if summary.state == "failed" and trace.error:
            yield f"  {_critical('', _kind('', trace.error))}"
        if summary.cancelled:
            yield self._style.paint(f"cancelled: {', '.join(summary.cancelled)}", DIM)


def _joined(cells: list[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Join neighbours of one colour, so that a line has few escape sequences."""
    text, colour = "", 0
    for one, its in cells:
        if its != colour and text:
            yield text, colour
            text = ""
        text, colour = text + one, its
    if text:
        yield text, colour
