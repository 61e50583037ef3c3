"""Finds where keys and values are in a text of TOML, which `tomllib` does not report.

The scanner skips over what is well-formed, and stops where a text is not: `tomllib` refuses that
text at the same place. It also enforces the limits that `tomllib` lacks: nesting, and parts of a
key.
"""

import re
from bisect import bisect_right
from contextlib import suppress
from typing import Final

from bff_core.proxy.data.places import Place, Places, UnreadableFile
from bff_core.proxy.option_faults import FieldPath

MAX_DEPTH: Final = 20
"""How deep arrays and tables are nested in each other, and how many parts a key has."""

MAX_VALUES: Final = 500_000
"""How many values and tables a text has."""

_SPACE: Final = re.compile(r"[ \t]*")
_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_LINE_END: Final = re.compile(r"[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_BASIC: Final = re.compile(r'"((?:[^"\\\n]|\\[^\n])*)"')
_LITERAL: Final = re.compile(r"'([^'\n]*)'")
_LONG_BASIC: Final = re.compile(r'"""(?:[^\\]|\\.)*?"""(?!")"{0,2}', re.DOTALL)
_LONG_LITERAL: Final = re.compile(r"'''.*?'''(?!')'{0,2}", re.DOTALL)
_ATOM: Final = re.compile(r"[^\s,\[\]{}#=\"']+(?: [0-9][^\s,\[\]{}#=\"']*)?")
_ESCAPE: Final = re.compile(r'\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[btnfr"\\])')
_ESCAPED: Final = {
    "b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\",
}  # fmt: skip


class _Stop(Exception):
    """The text is not well-formed from here on."""


def places_in(text: str) -> Places:
    """Return the places of all keys and values, up to where the text is not well-formed.

    Raises `UnreadableFile` for a text that is nested too deeply.
    """
    scanner = _Scanner(text)
    with suppress(_Stop, ValueError):  # a code point that there is not
        scanner.document()
    return scanner.places


class _Scanner:
    """Walks a text once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self._arrays: dict[FieldPath, int] = {}
        self.places = Places()

    def document(self) -> None:
        """Scan headers and pairs to the end of the text."""
        table: FieldPath = ()
        while self._skip(_BLANK) and self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table, 1)
            self._take(_LINE_END)

    def _header(self) -> FieldPath:
        is_array = self._text.startswith("[[", self._at)
        start = self._at
        self._at += 2 if is_array else 1
        self._skip(_SPACE)
        *around, last = self._key()
        path: FieldPath = ()
        for part in around:
            path = self._last_of((*path, part[0]))
        path = (*path, last[0])
        if is_array:
            number = self._arrays.get(path, -1) + 1
            self._arrays[path] = number
            self.places.values.setdefault(path, self._place(start))
            self.places.keys.setdefault(path, self._place(last[1]))
            path = (*path, number)
        self.places.values.setdefault(path, self._place(start))
        self.places.keys.setdefault(path, self._place(last[1]))
        self._skip(_SPACE)
        self._expect("]]" if is_array else "]")
        return path

    def _last_of(self, path: FieldPath) -> FieldPath:
        """Return the path of the last table, where a path is that of an array of tables."""
        number = self._arrays.get(path)
        return path if number is None else (*path, number)

    def _pair(self, table: FieldPath, depth: int) -> None:
        path = table
        for part, start in self._key():
            path = (*path, part)
            self.places.keys.setdefault(path, self._place(start))
            # Of a table that dotted keys make, the first of them is the place.
            self.places.values.setdefault(path, self._place(start))
        self._skip(_SPACE)
        self._expect("=")
        self._skip(_SPACE)
        self._value(path, depth)

    def _key(self) -> list[tuple[str, int]]:
        """Scan a key; return its parts, each with its start."""
        parts = []
        while True:
            start = self._at
            parts.append((self._key_part(), start))
            if len(parts) > MAX_DEPTH:
                raise UnreadableFile(f"a key has more than {MAX_DEPTH} parts", self._place(start))
            after = self._at
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                self._at = after
                return parts
            self._at += 1
            self._skip(_SPACE)

    def _key_part(self) -> str:
        if found := _BASIC.match(self._text, self._at):
            self._at = found.end()
            return _ESCAPE.sub(_unescaped, found[1])
        if found := _LITERAL.match(self._text, self._at):
            self._at = found.end()
            return found[1]
        return self._take(_BARE)

    def _value(self, path: FieldPath, depth: int) -> None:
        self.places.values[path] = self._place(self._at)
        if len(self.places.values) > MAX_VALUES:
            raise UnreadableFile(f"has more than {MAX_VALUES:,} values", self._place(self._at))
        if depth > MAX_DEPTH:
            place = self._place(self._at)
            raise UnreadableFile(f"values are nested deeper than {MAX_DEPTH} levels", place)
        character = self._text[self._at : self._at + 1]
        if character == "[":
            self._array(path, depth)
        elif character == "{":
            self._inline_table(path, depth)
        elif character in {'"', "'"}:
            self._string()
        else:
            self._take(_ATOM)

    def _array(self, path: FieldPath, depth: int) -> None:
        self._at += 1
        number = 0
        while self._skip(_BLANK) and not self._text.startswith("]", self._at):
            self._value((*path, number), depth + 1)
            number += 1
            self._skip(_BLANK)
            if not self._text.startswith(",", self._at):
                break
            self._at += 1
        self._expect("]")

    def _inline_table(self, path: FieldPath, depth: int) -> None:
        self._at += 1
        while self._skip(_BLANK) and not self._text.startswith("}", self._at):
            self._pair(path, depth + 1)
            self._skip(_BLANK)
            if not self._text.startswith(",", self._at):
                break
            self._at += 1
        self._expect("}")

    def _string(self) -> None:
        for long, quote in ((_LONG_BASIC, '"""'), (_LONG_LITERAL, "'''")):
            if self._text.startswith(quote, self._at):
                self._take(long)
                return
        self._take(_BASIC if self._text[self._at] == '"' else _LITERAL)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        """Skip what a pattern matches, which may be nothing."""
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return True

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise _Stop
        self._at = found.end()
        return found[0]

    def _expect(self, text: str) -> None:
        if not self._text.startswith(text, self._at):
            raise _Stop
        self._at += len(text)

    def _place(self, at: int) -> Place:
        line = bisect_right(self._lines, at)
        return Place(line, at - self._lines[line - 1] + 1)


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    return _ESCAPED[code] if code in _ESCAPED else chr(int(code[1:], 16))
