"""How verbs print: tables for people, JSON for programs."""

import sys
from collections.abc import Iterable, Sequence

import msgspec
from rich.console import Console
from rich.table import Table


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    sys.stdout.write(f"{msgspec.json.format(msgspec.json.encode(value)).decode()}\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of text under their headings; lines are not cut where there is no terminal."""
    table = Table(*columns, box=None, pad_edge=False, header_style="dim")
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = max(console.width, console.measure(table).maximum)
    console.print(table)
