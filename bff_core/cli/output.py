"""How verbs print: tables for people, JSON for programs."""

import sys
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

MAX_WIDTH: Final = 10_000
"""Columns of a line where there is no terminal."""


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    sys.stdout.write(f"{msgspec.json.format(msgspec.json.encode(value)).decode()}\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of text under their headings; lines are not cut where there is no terminal."""
    table = Table(*columns, box=None, pad_edge=False, header_style="dim")
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, soft_wrap=False)
    if console.is_terminal:
        console.print(table)
        return
    console.width = MAX_WIDTH
    console.width = console.measure(table).maximum
    with console.capture() as captured:
        console.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())
