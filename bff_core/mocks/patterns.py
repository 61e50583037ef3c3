"""Texts that match a regular expression, for those that describe codes, numbers and slugs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

MAX_REPEATS: Final = 3
"""More repetitions than the least, unless a text has to be longer."""

MAX_LENGTH: Final = 2_000
"""Characters of a text, and of a pattern that is read."""

MAX_STEPS: Final = 50_000
"""Atoms that are written for a text, in all attempts: repetitions in one another multiply."""

_CLASSES: Final = {
    "d": "0123456789",
    "w": "abcdefghijklmnopqrstuvwxyz0123456789",
    "s": " ",
    "D": "abcxyz",
    "W": "-",
    "S": "abcdefghijklmnopqrstuvwxyz",
}
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_ANY: Final = "abcdefghijklmnopqrstuvwxyz"
_COUNT: Final = re.compile(r"\{(\d+)(,?)(\d*)\}")


class _Unknown(Exception):
    """The pattern has something that is not made: a look-around, a back reference."""


def text_matching(
    pattern: str, random: Random, steps: Iterator[int], *, repeats: int = 0
) -> str | None:
    """Return a text that a pattern matches; None for a pattern that is not simple.

    `steps` counts the atoms of all attempts, and `repeats` is how many repetitions more than
    the least there may be. The text is not checked: `re` could run for ever on a
    pattern of others.
    """
    if len(pattern) > MAX_LENGTH:
        return None
    try:
        reader = _Reader(pattern, random, steps, max(repeats, MAX_REPEATS))
        text = reader.alternatives()
        return text if reader.is_at_end and len(text) <= MAX_LENGTH else None
    except (_Unknown, IndexError, RecursionError):
        return None


@dataclass(slots=True)
class _Reader:
    """Reads a pattern from left to right, and writes a text that matches it."""

    pattern: str
    random: Random
    steps: Iterator[int]
    repeats: int
    position: int = 0

    @property
    def is_at_end(self) -> bool:
        return self.position >= len(self.pattern)

    @property
    def _next(self) -> str:
        return self.pattern[self.position : self.position + 1]

    def alternatives(self) -> str:
        """Return a text for one of the alternatives that `|` separates."""
        texts = [self._sequence()]
        while self._next == "|":
            self.position += 1
            texts.append(self._sequence())
        return self.random.choice(texts)

    def _sequence(self) -> str:
        texts: list[str] = []
        while self._next not in {"", "|", ")"}:
            start = self.position
            text = self._atom()
            least, most = self._counts()
            count = self.random.randint(least, min(most, least + self.repeats))
            if count * max(len(text), 1) > MAX_LENGTH:
                raise _Unknown
            behind = self.position
            made = [text] if count else []
            for _ in range(count - 1):  # each repetition may choose other letters
                self.position = start
                made.append(self._atom())
            texts += made
            self.position = behind
        return "".join(texts)

    def _atom(self) -> str:
        if next(self.steps) > MAX_STEPS:
            raise _Unknown
        letter = self.pattern[self.position]
        self.position += 1
        if letter in "^$":
            return ""
        if letter == ".":
            return self.random.choice(_ANY)
        if letter == "[":
            return self.random.choice(self._class())
        if letter == "(":
            return self._group()
        if letter == "\\":
            found = self._escaped()
            return self.random.choice(found) if found else ""
        if letter in "*+?{":
            raise _Unknown
        return letter

    def _group(self) -> str:
        if self._next == "?":
            if self.pattern.startswith("?:", self.position):
                self.position += 2
            elif found := re.compile(r"\?P?<\w+>").match(self.pattern, self.position):
                self.position = found.end()
            else:
                raise _Unknown
        text = self.alternatives()
        if self._next != ")":
            raise _Unknown
        self.position += 1
        return text

    def _escaped(self) -> str:
        """Return the letters that an escape stands for; none for the edge of a word."""
        letter = self.pattern[self.position]
        self.position += 1
        if letter in {"b", "A", "Z", "z"}:
            return ""
        if letter in {"p", "P", "k", "B", "u", "x", "c"} or (letter.isdigit() and letter != "0"):
            raise _Unknown
        return _CLASSES.get(letter) or _ESCAPES.get(letter, letter)

    def _class(self) -> str:
        """Return the letters of a class in brackets, of which the position is behind the `[`."""
        is_negated = self._next == "^"
        self.position += is_negated
        letters: list[str] = []
        is_first = True
        while self._next != "]" or is_first:
            is_first = False
            letters += self._range()
        self.position += 1
        if is_negated:
            letters = [one for one in f"{_ANY}0123456789-_ " if one not in letters]
        if not letters:
            raise _Unknown
        return "".join(letters)

    def _range(self) -> str:
        letter = self.pattern[self.position]
        self.position += 1
        found = self._escaped() if letter == "\\" else letter
        is_range = self._next == "-" and self.pattern[self.position + 1] != "]"
        if not is_range or len(found) != 1:
            return found
        last = self.pattern[self.position + 1]
        self.position += 2
        if last == "\\":
            last = self._escaped()
        if len(last) != 1 or ord(last) < ord(found):
            raise _Unknown
        end = min(ord(last), ord(found) + 255)
        return "".join(map(chr, range(ord(found), end + 1)))

    def _counts(self) -> tuple[int, int]:
        """Return how often the atom before the position may stand: `*`, `+`, `?`, `{2,5}`."""
        simple = {"*": (0, MAX_LENGTH), "+": (1, MAX_LENGTH), "?": (0, 1)}
        if self._next in simple:
            found = simple[self._next]
            self.position += 1
        elif count := _COUNT.match(self.pattern, self.position):
            least = int(count[1])
            most = int(count[3]) if count[3] else MAX_LENGTH if count[2] else least
            found = (least, max(least, most))
            self.position = count.end()
        else:
            return 1, 1
        if self._next in {"?", "+"}:
            self.position += 1
        return found
