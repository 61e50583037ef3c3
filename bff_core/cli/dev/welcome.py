"""The first text of a run: addresses, programs with their ports, and requests to try."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Final

from bff_core.cli.dev.program import Program
from bff_core.cli.dev.style import BOLD, DIM, GREEN, RED, UNDERLINED, Style
from bff_core.cli.dev.view import Serving, StartedRun

SERVICES_PER_COLUMN: Final = 5
ABOUT_CONSOLE: Final = "all gateways and services, live"

Cell = tuple[int, str]
"""The width of a text, and the text with its colours."""


def welcome(style: Style, run: StartedRun, *, console: str = "", columns: int) -> str:
    """Return the text; `console` is its address, `columns` the width of the terminal."""
    programs, serving = run.programs, run.serving
    gateways = [one for one in programs if one.is_gateway]
    services = [one for one in programs if not one.is_gateway]
    left = [*_gateways(style, gateways, serving), (0, "")]
    failed = [one.name for one in programs if one.name not in serving]
    if not failed:
        left.append(_cell((f"ready in {run.seconds:.1f} s", (DIM,)), style=style))
    right = _services(style, services, run.elsewhere, serving)
    width = max(size for size, _ in left) + 3
    if width + max((size for size, _ in right), default=0) + 2 > columns:
        end = left[len(gateways) :]
        below = [*left[: len(gateways)], (0, ""), *right, *end]
        rows = [f"  {text}".rstrip() for _, text in below]
    else:
        rows = [
            f"  {text}{'':{width - size}}{behind}".rstrip()
            for (size, text), (_, behind) in zip_longest(left, right, fillvalue=(0, ""))
        ]
    examples = [
        f"  {style.paint('try', DIM)}  {one.example}"
        for one in gateways
        if one.example and one.name not in failed
    ]
    addresses = list(_addresses(style, [one for one in gateways if one.name in serving], console))
    blocks = [addresses, rows, list(_failed(style, failed, len(programs))), examples]
    return "\n".join(line for block in blocks if block for line in ("", *block)) + "\n"


def _addresses(style: Style, gateways: Sequence[Program], console: str) -> Iterator[str]:
    """Yield the address of the console, then those of the gateways' pages."""
    rows = [("console", console, ABOUT_CONSOLE)] if console else []
    rows += [(one.name, f"{one.url}{one.page}", "") for one in gateways if one.page]
    names = max((len(name) for name, _, _ in rows), default=0)
    width = max((len(address) for _, address, _ in rows), default=0)
    for name, address, about in rows:
        space = f"{'':{width - len(address)}}   " if about else ""
        shown = f"{style.paint(address, UNDERLINED)}{space}{style.paint(about, DIM)}"
        yield f"  {style.paint(f'{name:<{names}}', BOLD)}   {shown}"


def _gateways(
    style: Style, gateways: Sequence[Program], serving: Mapping[str, Serving]
) -> list[Cell]:
    names = max(len(one.name) for one in gateways)
    about = max(len(one.about) for one in gateways)
    return [
        _cell(
            (_mark(style, one.name in serving)),
            (f" {one.name:<{names}}  ", ()),
            (f":{one.port.number:<5} ", ()),
            (f"{one.about:<{about}}  ", (DIM,)),
            (f"{serving[one.name].seconds:.1f} s" if one.name in serving else "failed", (DIM,)),
            style=style,
        )
        for one in gateways
    ]


def _services(
    style: Style,
    services: Sequence[Program],
    elsewhere: Mapping[str, str],
    serving: Mapping[str, Serving],
) -> list[Cell]:
    """Return the services in columns of five."""
    cells = [
        (_mark(style, one.name in serving), one.name, f":{one.port.number}") for one in services
    ]
    sign = style.sign("elsewhere") if style.has_signs else "->"
    cells += [((sign, (DIM,)), name, address) for name, address in elsewhere.items()]
    chunks = [
        cells[start : start + SERVICES_PER_COLUMN]
        for start in range(0, len(cells), SERVICES_PER_COLUMN)
    ]
    chunked = [_column(style, chunk) for chunk in chunks]
    rows = zip_longest(*chunked, fillvalue=(0, ""))
    return [(sum(size for size, _ in row), "".join(text for _, text in row)) for row in rows]


def _column(
    style: Style, chunk: Sequence[tuple[tuple[str, tuple[int, ...]], str, str]]
) -> list[Cell]:
    names = max(len(name) for _, name, _ in chunk)
    places = max(len(place) for _, _, place in chunk)
    return [
        _cell(mark, (f" {name:<{names}} {place:<{places}}   ", ()), style=style)
        for mark, name, place in chunk
    ]


def _failed(style: Style, names: Sequence[str], count: int) -> Iterator[str]:
    """Yield how many programs serve, and what to do about those that failed."""
    if names:
        what = f"{', '.join(names)} failed; the reason is above. Save a file of it, or press b."
        yield f"  {style.paint(f'{count - len(names)} of {count} programs serve:', RED)} {what}"


def _mark(style: Style, is_ready: bool) -> tuple[str, tuple[int, ...]]:
    sign = style.sign("ok" if is_ready else "failed")
    return (sign if style.has_signs else f"{sign:<6}", (GREEN if is_ready else RED,))


def _cell(*parts: tuple[str, tuple[int, ...]], style: Style) -> Cell:
    size = sum(len(text) for text, _ in parts)
    return size, "".join(style.paint(text, *colours) for text, colours in parts)
