"""`bff diff`: what each of two clients gets of the same screen."""

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from rich.table import Table
from rich.text import Text

from bff_core.cli.errors import CannotRun
from bff_core.cli.gateways import LoadedGateway, load_gateway
from bff_core.cli.output import columns, console, print_json, print_lines
from bff_core.cli.part_rows import call_text
from bff_core.cli.screen_answers import (
    ScreenAnswer,
    answer_of,
    in_process,
    services_down,
    to_running,
)
from bff_core.composition.composition import Composition
from bff_core.inspection.explanation import requests_of
from bff_core.inspection.routes import RouteDescription, routes_of

Screens = Mapping[type[Composition], RouteDescription]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffOptions:
    """How to compare: by gateways that run (`is_live`), as which viewer, with which inputs."""

    screen: str
    is_live: bool
    viewer: str
    given: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Side:
    """A gateway and the routes by which its clients read each screen."""

    loaded: LoadedGateway
    screens: Screens


def show_diff(one: str, other: str, options: DiffOptions, *, as_json: bool) -> int:
    """Print what two gateways answer for the screens that both have; 1 if an answer is missing."""
    sides = [_side(name, options) for name in (one, other)]
    shared = _shared(sides, options.screen)
    answers = asyncio.run(_answers(sides, shared, options))
    if as_json:
        print_json([_fields(screen, found) for screen, found in zip(shared, answers, strict=True)])
    else:
        out = console()
        for screen, found in zip(shared, answers, strict=True):
            print_lines(out, Text(screen.__name__, "bold"), _table(found), "")
        print_lines(out, *_only(sides))
    problems = [one for found in answers for one in found if one.problem]
    for each in problems:
        sys.stderr.write(f"bff: {each.gateway}: {each.title}: {each.problem}\n")
    # A screen that needs inputs is a failure only if it was named.
    return 1 if any(options.screen or not each.missing for each in problems) else 0


def _side(name: str, options: DiffOptions) -> Side:
    """Load a gateway whose viewers need no sign-in, and which writes no file."""
    more = {"BFF_JOURNAL_URL": "sqlite://", "BFF_API_KEYS_URL": "sqlite://"}
    if not options.is_live:
        more["BFF_AUTH"] = "demo"
    loaded = load_gateway(name, **more)
    found: dict[type[Composition], RouteDescription] = {}
    for route in routes_of(loaded.app):
        is_read = route.path.startswith("Query.") if route.kind == "field" else False
        if is_read or (route.kind == "view" and "GET" in route.methods):
            for screen in route.screens:
                found.setdefault(screen, route)
    return Side(loaded, found)


def _shared(sides: Sequence[Side], named: str) -> list[type[Composition]]:
    """Return the screens that both gateways have, or the one with this name."""
    shared = [screen for screen in sides[0].screens if screen in sides[1].screens]
    names = [screen.__name__ for screen in shared]
    gateways = " and ".join(one.loaded.name for one in sides)
    if named and named not in names:
        near = get_close_matches(named, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"both read {', '.join(names) or 'none'}"
        raise CannotRun(f"{gateways} do not both read a screen {named!r}: {hint}")
    if not shared:
        raise CannotRun(f"{gateways} read no screen in common: compare them by bff routes")
    return [screen for screen in shared if named in {"", screen.__name__}]


async def _answers(
    sides: Sequence[Side], shared: Sequence[type[Composition]], options: DiffOptions
) -> list[list[ScreenAnswer]]:
    """Return the answers for each screen, of each side."""
    headers = {"authorization": f"Bearer demo-{options.viewer}", **options.headers}
    return [
        [await _answer(one.loaded, one.screens[screen], headers, options) for one in sides]
        for screen in shared
    ]


async def _answer(
    loaded: LoadedGateway,
    route: RouteDescription,
    headers: Mapping[str, str],
    options: DiffOptions,
) -> ScreenAnswer:
    """Return the answer of one gateway, whose cache is empty unless it runs already."""
    if options.is_live:
        return await answer_of(loaded, route, to_running(loaded, headers), options.given, None)
    down = services_down(loaded, route)
    if down:
        return _without_services(loaded, route, down)
    async with in_process(loaded, headers) as (send, calls):
        return await answer_of(loaded, route, send, options.given, calls)


def _without_services(
    loaded: LoadedGateway, route: RouteDescription, down: Sequence[str]
) -> ScreenAnswer:
    problem = (
        f"sizes come from real answers, and {', '.join(down)} can't be reached: start the services "
        "with bff dev"
    )
    calls = tuple(map(call_text, requests_of(route.find_step())))
    return ScreenAnswer(gateway=loaded.name, title=route.title, calls=calls, problem=problem)


def _table(found: Sequence[ScreenAnswer]) -> Table:
    """Return the requests and sizes, then the bytes of each field, then the calls."""
    table = columns("", *(one.gateway for one in found), fixed={""})
    table.add_row("request", *(one.title for one in found))
    table.add_row("answer", *(_bytes(one.size) for one in found), style="bold")
    table.add_row("  in gzip", *(_bytes(one.compressed) for one in found))
    table.add_row("fields", *(str(one.leaves or "—") for one in found))
    for name, sizes in _sizes(found):
        table.add_row(Text(f"  {name}", "dim"), *map(_bytes, sizes))
    table.add_row("calls", *("—" if one.calls is None else str(len(one.calls)) for one in found))
    for call in dict.fromkeys(call for one in found for call in one.calls or ()):
        marks = [Text("—", "dim") if call not in (one.calls or ()) else "✓" for one in found]
        table.add_row(Text(f"  {call}", "dim"), *marks)
    if any(one.degraded for one in found):
        table.add_row(Text("degraded", "yellow"), *(one.degraded or "—" for one in found))
    return table


def _bytes(size: int) -> Text:
    return Text(f"{size:,} B") if size else Text("—", "dim")


def _sizes(found: Sequence[ScreenAnswer]) -> Iterator[tuple[str, list[int]]]:
    """Yield each field of the answers, and its size in each; `cartCount` is also `cart_count`."""
    spelled = [{_plain(name): name for name in one.fields} for one in found]
    for plain in dict.fromkeys(plain for one in spelled for plain in one):
        names = dict.fromkeys(one[plain] for one in spelled if plain in one)
        sizes = [
            answer.fields.get(one.get(plain, ""), 0)
            for answer, one in zip(found, spelled, strict=True)
        ]
        yield ", ".join(names), sizes


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _only(sides: Sequence[Side]) -> Iterator[Text]:
    """Yield the screens that only one of the gateways reads."""
    for side, other in (sides, [*reversed(sides)]):
        names = [one.__name__ for one in side.screens if one not in other.screens]
        if names:
            yield Text(f"only {side.loaded.name} reads: {', '.join(names)}", "dim")


def _fields(screen: type[Composition], found: Sequence[ScreenAnswer]) -> dict[str, object]:
    return {"screen": screen.__name__, "answers": found}


def parsed(given: Sequence[str], separator: str, option: str) -> dict[str, str]:
    """Return the pairs of a repeated option; raise `CannotRun` for one without separator."""
    found = {}
    for one in given:
        name, found_separator, value = one.partition(separator)
        if not found_separator or not name.strip():
            raise CannotRun(f"{option} {one!r}: write NAME{separator}VALUE")
        found[name.strip()] = value.strip()
    return found
