"""Pieces of Python source: literals, docstrings and calls, formatted as `ruff format` does.

Texts come from documents of others, so that none may end its literal, docstring or comment.
"""

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from bff_core.contracts.types import Json

LINE_LENGTH: Final = 100

MAX_DOC_CHARACTERS: Final = 2000
"""Longer descriptions are cut in docstrings; the contract has them in full."""

_PLAIN_SIGNS: Final = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-",
     "\u00a0": " ", "\u2026": "...", "\u2212": "-", "\u00d7": "x", "\t": " "}
)  # fmt: skip

_ESCAPES: Final = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}

_ends_sentence: Final = re.compile(r"(?<=[.!?])\s|\n\s*\n").split

_list_item: Final = re.compile(r"(?:[-*+]|\d+[.)])\s+").match


def text_literal(text: str) -> str:
    """Return a string literal in ASCII, in the quotes that need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_escaped(letter, quote) for letter in text) + quote


def _escaped(letter: str, quote: str) -> str:
    if letter == quote:
        return f"\\{letter}"
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if " " <= letter <= "~":
        return letter
    code = ord(letter)
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def literal(value: Json) -> str:
    """Return a JSON value as a Python expression on one line."""
    if isinstance(value, str):
        return text_literal(value)
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        pairs = (f"{text_literal(name)}: {literal(one)}" for name, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):  # noqa: PLR0124 # NaN
        return f'float("{value}")'
    return repr(value)


def plain(text: str) -> str:
    """Return a text on one line, without control and format characters."""
    return " ".join(_printable(text).split())


def _printable(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(filter(_is_printable, text.translate(_PLAIN_SIGNS)))


def _is_printable(letter: str) -> bool:
    kind = unicodedata.category(letter)
    return letter == "\n" or (kind[0] != "C" and kind not in {"Zl", "Zp"})


def sentence(text: str) -> str:
    """Return the first sentence of a text, with a capital letter and a full stop."""
    first = _ends_sentence(_printable(text).strip(), 1)[0]
    line = plain(first).strip("#*_ ")
    if not line:
        return ""
    line = line[0].upper() + line[1:]
    return line if line[-1] in ".!?" else f"{line.rstrip(':;,')}."


def docstring(text: str, indent: int, further: Sequence[str] = ()) -> list[str]:
    """Return the lines of a docstring: its first sentence, the rest of it, `further` lines.

    A long sentence is wrapped (D205 of ruff). Raises `ValueError` for a text without a sentence.
    """
    first = sentence(text)
    if not first:
        raise ValueError("a docstring needs a sentence")
    width = LINE_LENGTH - indent
    opening, *summary = _wrapped(first, width - 7)[:-1]
    lines = [*_wrapped(_rest(text), width), *further]
    while lines and not lines[-1]:
        lines.pop()
    body = [*summary, *([""] if lines else []), *lines]
    prefix = "r" if any("\\" in line for line in (opening, *body)) else ""
    pad = " " * indent
    opening = f'{pad}{prefix}"""{_quoted(opening)}'
    if not body:
        return [f'{opening}"""']
    return [opening, *(f"{pad}{_quoted(line)}".rstrip() for line in body), f'{pad}"""']


def _quoted(line: str) -> str:
    """Return a line that does not end its docstring, whose last line has quotes alone."""
    return line.replace('"""', "'''")


def _rest(text: str) -> str:
    """Return what follows the first sentence of a text."""
    pieces = _ends_sentence(_printable(text).strip(), 1)
    rest = pieces[1].strip() if len(pieces) > 1 else ""
    if len(rest) > MAX_DOC_CHARACTERS:
        rest = rest[:MAX_DOC_CHARACTERS].rpartition(" ")[0] + " ..."
    return rest


def _wrapped(text: str, width: int) -> list[str]:
    """Return the lines of paragraphs and lists, none longer than `width` if words allow it."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        block: list[str] = []
        for line in paragraph.splitlines():
            stripped = line.strip()
            if block and not _list_item(stripped) and not stripped.startswith("|"):
                block[-1] += f" {stripped}"
            elif stripped:
                block.append(stripped)
        for item in block:
            mark = _list_item(item)
            lines += textwrap.wrap(
                item, width, subsequent_indent=" " * (mark.end() if mark else 0),
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
        if block:
            lines.append("")
    return lines


def comment(text: str, indent: int) -> list[str]:
    """Return the lines of a comment."""
    pad = " " * indent + "# "
    return [pad + line for line in textwrap.wrap(plain(text), LINE_LENGTH - len(pad))]


def exploded(start: str, items: Iterable[str], end: str, indent: int) -> list[str]:
    """Return `start items end` on one line, or with an item a line if that is too long."""
    given = list(items)
    pad = " " * indent
    line = f"{pad}{start}{', '.join(given)}{end}"
    if len(line) <= LINE_LENGTH or not given:
        return [line]
    inner = " " * (indent + 4)
    return [f"{pad}{start}", *(f"{inner}{one}," for one in given), f"{pad}{end}"]
