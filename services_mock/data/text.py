"""Reads the word lists under `texts/`: columns between bars, underscores for spaces in lists."""

import functools
import itertools
from pathlib import Path

LOCALES = ("en", "de", "fr")

Localized = tuple[str, str, str]
"""One text in the order of `LOCALES`."""

_FOLDER = Path(__file__).parent / "texts"


@functools.cache
def lines(name: str) -> tuple[str, ...]:
    """Return a list's lines without comments, with their indentation."""
    text = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


@functools.cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """Return a list's lines as stripped columns."""
    return tuple(tuple(cell.strip() for cell in line.split("|")) for line in lines(name))


def spaced(word: str) -> str:
    """Give a word of a list its spaces back."""
    return word.replace("_", " ")


def words(cell: str, separator: str | None = None) -> tuple[str, ...]:
    """Split a cell that is itself a list."""
    return tuple(spaced(word) for word in cell.split(separator))


@functools.cache
def by_first(name: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Group a list's rows, without their first column, by that column."""
    ordered = sorted(rows(name), key=lambda row: row[0])
    groups = itertools.groupby(ordered, key=lambda row: row[0])
    return {first: tuple(row[1:] for row in group) for first, group in groups}


@functools.cache
def pairs(name: str) -> dict[str, str]:
    """Return a list of `id | text` as a table."""
    return {row[0]: row[1] for row in rows(name)}


@functools.cache
def localized(name: str) -> dict[str, Localized]:
    """Return a list of `id | en | de | fr` as a table."""
    return {row[0]: (row[1], row[2], row[3]) for row in rows(name)}
