"""Docstrings, annotations and files of the generated package."""

from collections.abc import Iterable

from bff_core.codegen.python_text import docstring, exploded, sentence


def documented(text: str, fallback: str, indent: int) -> list[str]:
    """Return a docstring with a text, or with another one if that has no sentence."""
    return docstring(text if sentence(text) else fallback, indent)


def assigned(start: str, value: str, end: str, indent: int) -> list[str]:
    """Return `start value end` on one line, or the value between parentheses on its own."""
    line = " " * indent + start + value + end
    if len(line) <= 100:
        return [line]
    return exploded(f"{start}(", [value], f"){end}", indent)


def joined(lines: Iterable[str]) -> str:
    """Return lines as the text of a file."""
    return "\n".join(lines).rstrip("\n") + "\n"
