"""Lays out calls and dictionaries over lines, as `ruff format` does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bff_core.codegen.python_text import LINE_LENGTH

_INDENT: Final = 4


@dataclass(frozen=True, slots=True)
class Group:
    """Code in brackets: what opens it, its items, what closes it."""

    start: str
    items: "Sequence[str | Group | Expression]" = field(default_factory=tuple)
    end: str = ")"

    def on_one_line(self) -> str:
        """Return the code without line breaks."""
        return f"{self.start}{', '.join(map(flat, self.items))}{self.end}"


@dataclass(frozen=True, slots=True)
class Expression:
    """Code that gets parentheses of its own if it does not fit its line."""

    start: str
    inner: str

    def on_one_line(self) -> str:
        """Return the code without line breaks."""
        return self.start + self.inner


def assigned(name: str, value: Group, indent: int) -> list[str]:
    """Return the lines of an assignment; a value whose first line is too long gets parentheses."""
    pad = " " * indent
    is_long = len(f"{pad}{name} = {value.start}") > LINE_LENGTH
    if not is_long or len(f"{pad}    {value.start}") > LINE_LENGTH:
        return laid_out(Group(f"{name} = {value.start}", value.items, value.end), indent)
    return [f"{pad}{name} = (", *laid_out(value, indent + _INDENT), f"{pad})"]


def flat(node: str | Group | Expression) -> str:
    """Return code without line breaks."""
    return node if isinstance(node, str) else node.on_one_line()


def laid_out(node: str | Group | Expression, indent: int, after: str = "") -> list[str]:
    """Return the lines of code; `after` follows its last bracket."""
    pad = " " * indent
    line = f"{pad}{flat(node)}{after}"
    if isinstance(node, str) or len(line) <= LINE_LENGTH:
        return [line]
    if isinstance(node, Expression):
        inner = " " * (indent + _INDENT)
        return [f"{pad}{node.start}(", f"{inner}{node.inner}", f"{pad}){after}"]
    if not node.items:
        return [line]
    lines = [f"{pad}{node.start}"]
    for item in node.items:
        lines += laid_out(item, indent + _INDENT, ",")
    return [*lines, f"{pad}{node.end}{after}"]
