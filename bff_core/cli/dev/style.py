"""The look of a run on a terminal: colours, signs and bars, with words where signs can't be shown.

Only the 16 colours of the terminal are used, so that its theme decides.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

RED: Final = 91
GREEN: Final = 92
YELLOW: Final = 93
BLUE: Final = 94
BOLD: Final = 1
DIM: Final = 90
UNDERLINED: Final = 4
INVERSE: Final = 7

PART_COLOURS: Final[Mapping[str, int]] = {
    "ok": GREEN,
    "stale": BLUE,
    "fallback": YELLOW,
    "missing": YELLOW,
    "partial": YELLOW,
    "forbidden": YELLOW,
    "failed": RED,
}
"""The colour of each state of a part; that of others is dim."""

_SIGNS: Final[Mapping[str, str]] = {
    "ok": "✓",
    "complete": "✓",
    "stale": "◷",
    "fallback": "◐",
    "partial": "◐",
    "degraded": "◐",
    "missing": "○",
    "forbidden": "⊘",
    "refused": "○",
    "failed": "✗",
    "cancelled": "-",
    "left": "-",
    "warning": "▲",
    "reload": "↻",
    "elsewhere": "→",
}

_DRAWN: Final[Mapping[str, str]] = {
    "├": "|",
    "└": "`",
    "│": "|",
    "→": "->",
    "▇": "#",
    "░": ".",
    "▏": "#",
    "…": "...",
}


_escape = re.compile(r"(\x1b\[[\d;]*m)")


@dataclass(frozen=True, slots=True)
class Style:
    """What the terminal can show: colours, and signs beyond ASCII."""

    has_colours: bool
    has_signs: bool

    def paint(self, text: str, *colours: int) -> str:
        """Return a text in colours, if there are any."""
        if not (self.has_colours and colours and text):
            return text
        return f"\x1b[{';'.join(map(str, colours))}m{text}\x1b[0m"

    def sign(self, state: str) -> str:
        """Return the sign of a state, or its word."""
        return _SIGNS.get(state, "·") if self.has_signs else state

    def drawn(self, text: str) -> str:
        """Return lines and bars, in ASCII if need be."""
        return text if self.has_signs else "".join(_DRAWN.get(one, one) for one in text)


def is_plain(environ: Mapping[str, str], descriptor: int = 1) -> bool:
    """Whether the output has to be plain lines: no terminal, NO_COLOR (no-color.org), or CI."""
    wants_plain = environ.get("NO_COLOR") or environ.get("CI") or environ.get("TERM") == "dumb"
    return bool(wants_plain) or not os.isatty(descriptor)


def has_signs(environ: Mapping[str, str]) -> bool:
    """Whether the locale is one of UTF-8."""
    kind = environ.get("LC_CTYPE") or ""
    # Python itself sets this one where the locale is C (PEP 538): it says nothing of the terminal.
    chosen = "" if kind in {"C.UTF-8", "C.utf8", "UTF-8"} else kind
    locale = environ.get("LC_ALL") or chosen or environ.get("LANG") or ""
    return locale.lower().replace("-", "").endswith("utf8")


def fitted(text: str, width: int) -> str:
    """Cut a line with colours to the width of the terminal."""
    pieces, left = _escape.split(text.rstrip()), width
    if sum(len(one) for one in pieces[::2]) <= width:
        return "".join(pieces)
    found = []
    for number, one in enumerate(pieces):
        found.append(one if number % 2 else one[:left])
        left -= 0 if number % 2 else min(len(one), left)
    return "".join(found)


def milliseconds(seconds: float) -> str:
    """Return a duration as a number of milliseconds; short ones have a digit more."""
    value = seconds * 1000
    return f"{value:.1f}" if value < 1 else f"{value:,.0f}"


def size_of(count: int) -> str:
    """Return a number of bytes with its unit."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
