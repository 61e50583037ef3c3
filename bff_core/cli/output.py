"""How verbs print: tables for people, JSON for programs."""

import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

MAX_WIDTH: Final = 10_000
"""Columns of a line where there is no terminal."""


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    sys.stdout.write(f"{msgspec.json.format(msgspec.json.encode(value)).decode()}\n")


def console() -> Console:
    """Return a console as wide as the terminal; without one, lines are as long as they are."""
    out = Console(highlight=False, soft_wrap=False)
    if not out.is_terminal:
        out.width = MAX_WIDTH
    return out


def print_lines(out: Console, *shown: RenderableType) -> None:
    """Print to a console, without spaces at the ends of lines where there is no terminal."""
    if out.is_terminal:
        for one in shown:
            out.print(one)
        return
    with out.capture() as captured:
        for one in shown:
            out.print(one)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 route", "2 routes"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def columns(*names: str, fixed: Collection[str] = (), gap: int = 2) -> Table:
    """Return an empty table without lines; text of `fixed` columns is never broken."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, gap, 0, 0))
    for name in names:
        table.add_column(name, no_wrap=name in fixed, overflow="fold")
    return table


def first_that_fits(out: Console, *tables: Table) -> Table:
    """Return the first table that is not wider than the console, else the last one."""
    for one in tables[:-1]:
        wide = out.options.update(max_width=MAX_WIDTH, width=MAX_WIDTH)
        if out.measure(one, options=wide).maximum <= out.width:
            return one
    return tables[-1]


def print_table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of text under their headings."""
    table = columns(*names)
    for row in rows:
        table.add_row(*map(Text, row))
    print_lines(console(), table)
