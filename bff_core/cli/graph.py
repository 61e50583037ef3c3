"""`bff graph`: screens, their parts, and the calls of services, as a tree or for Mermaid."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from rich.text import Text
from rich.tree import Tree

from bff_core.cli.errors import CannotRun
from bff_core.cli.gateways import LoadedGateway, load_gateways
from bff_core.cli.output import console, print_json, print_lines
from bff_core.cli.part_rows import call_text, part_fields
from bff_core.cli.project import find_project
from bff_core.cli.source_places import place_of
from bff_core.composition.composition import Composition
from bff_core.inspection.explanation import (
    awaited_by,
    own_calls,
    own_requests,
    plan_of,
    requests_of,
    unknowns_of,
)
from bff_core.inspection.reader import parts_of
from bff_core.inspection.routes import routes_of
from bff_core.inspection.steps import PartRef

Screen = type[Composition]


@dataclass(frozen=True, slots=True)
class ScreenUse:
    """A screen, and the routes that build it: gateway and title."""

    screen: Screen
    routes: Sequence[tuple[str, str]]

    @property
    def parts(self) -> list[PartRef]:
        """Its parts, those of base classes first."""
        return [PartRef(self.screen, one.name, one.kind) for one in parts_of(self.screen).values()]


def show_graph(named: str, form: str, *, as_json: bool) -> None:
    """Print the screens of one gateway, of all, or one screen by its name."""
    is_gateway = not named or ":" in named or named in find_project().gateways
    used = screens_used(load_gateways(named if is_gateway else ""))
    if not is_gateway:
        used = _one(named, used)
    if as_json:
        print_json([_fields(one) for one in used])
    elif form == "mermaid":
        sys.stdout.writelines(f"{line}\n" for line in mermaid(used))
    else:
        print_lines(console(), *map(_tree, used))


def screens_used(loaded: Iterable[LoadedGateway]) -> list[ScreenUse]:
    """Return the screens that routes build, each with its routes."""
    found: dict[Screen, list[tuple[str, str]]] = {}
    for one in loaded:
        for route in routes_of(one.app):
            title = route.title.replace("GET HEAD", "GET")
            for screen in route.screens:
                found.setdefault(screen, []).append((one.name, title))
    return [ScreenUse(screen, routes) for screen, routes in found.items()]


def _one(named: str, used: Sequence[ScreenUse]) -> list[ScreenUse]:
    found = [one for one in used if one.screen.__name__ == named]
    if found:
        return found
    names = [*(one.screen.__name__ for one in used), *find_project().gateways]
    near = get_close_matches(named, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(dict.fromkeys(names))}"
    raise CannotRun(f"there is no gateway and no screen {named!r}: {hint}")


def _tree(one: ScreenUse) -> Tree:
    heading = Text.assemble((one.screen.__name__, "bold"), ("  " + place_of(one.screen), "dim"))
    for gateway, title in one.routes:
        heading.append(f"\n{gateway}: {title}", "dim")
    tree = Tree(heading, guide_style="dim")
    for part in one.parts:
        plan = plan_of(part)
        kind = f"{part.kind}, else {plan.fallback}" if plan.fallback else part.kind
        timeout = "" if plan.timeout is None else f", {plan.timeout:g} s"
        label = Text.assemble((part.name, "bold" if part.kind == "critical" else ""))
        label.append(f"  {kind}{timeout}", "dim")
        branch = tree.add(label)
        for line in _lines_of(part):
            branch.add(line)
    return tree


def _lines_of(part: PartRef) -> Iterator[Text]:
    for awaited in awaited_by(part):
        yield Text(f"waits for {awaited.name}", "cyan")
    for request, times in own_calls(part):
        yield Text(call_text(request, times))
    undo = plan_of(part).undo
    for request in [] if undo is None else requests_of(undo):
        yield Text(f"undo: {call_text(request)}", "dim")
    for unknown in unknowns_of(plan_of(part).step):
        yield Text(f"unknown: {unknown.reason}", "yellow")


def mermaid(used: Sequence[ScreenUse]) -> Iterator[str]:
    """Yield the lines of a flowchart of Mermaid: routes, screens, parts, services."""
    yield "flowchart LR"
    for one in used:
        name = one.screen.__name__
        yield f'  subgraph {name}["{name}"]'
        for part in one.parts:
            yield f'    {_part_id(part)}["{part.name}<br/><i>{part.kind}</i>"]'
        yield "  end"
        for gateway, title in one.routes:
            shown = f"{gateway}<br/>{_quoted(title)}"
            yield f'  {_id("route", gateway, title)}(["{shown}"]) --> {name}'
    parts = [part for one in used for part in one.parts]
    for part in parts:
        for awaited in awaited_by(part):
            yield f"  {_part_id(part)} -. waits for .-> {_part_id(awaited)}"
        for request in own_requests(part):
            service = _id("service", request.service.name)
            yield f'  {_part_id(part)} -- "{_quoted(str(request))}" --> {service}'
    for name in dict.fromkeys(one.service.name for part in parts for one in own_requests(part)):
        yield f'  {_id("service", name)}[("{_quoted(name)}")]'


def _part_id(part: PartRef) -> str:
    return _id("part", part.screen.__name__, part.name)


def _id(*names: str) -> str:
    """Return an identifier of Mermaid, of letters, digits and underscores."""
    return "__".join("".join(one if one.isalnum() else "_" for one in name) for name in names)


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")


def _fields(one: ScreenUse) -> Mapping[str, object]:
    return {
        "screen": one.screen.__name__,
        "module": one.screen.__module__,
        "routes": [{"gateway": gateway, "route": title} for gateway, title in one.routes],
        "parts": [part_fields(part) for part in one.parts],
    }
