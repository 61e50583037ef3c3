"""The views of screens: which routes and fields of a gateway serve a screen, and their requests."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from bff_core.composition.composition import Composition
from bff_core.composition.wiring import shape_of
from bff_core.gateway.app import Gateway
from bff_core.inspection.routes import RouteDescription, routes_of

MAX_DEPTH: Final = 6
"""Levels of objects that a generated query has at most."""

PLACEHOLDER: Final = "1"
"""The value of a required input that was not given."""

ROOTS: Final = ("Query.", "Mutation.")
"""How the coordinates of root fields begin."""

COMMENT: Final = "# sent by the console\n"
"""The beginning of generated queries, which distinguishes them from those of clients."""


@dataclass(frozen=True, slots=True)
class ScreenView:
    """A route or a field that serves a screen; `title` is how clients call it."""

    route: RouteDescription

    @property
    def title(self) -> str:
        """`GET /v1/home`, or the name of the field."""
        if self.route.kind == "field":
            return self.route.path.rpartition(".")[2]
        return self.route.title.replace("GET HEAD", "GET")

    @property
    def reads(self) -> bool:
        """Whether a request changes nothing, so that it can be repeated."""
        if self.route.kind == "field":
            return self.route.path.startswith("Query.")
        return self.route.kind == "view" and "GET" in self.route.methods

    @property
    def explain(self) -> str:
        """The command that explains it."""
        name = self.route.path if self.route.kind == "field" else self.title
        return f"bff explain '{name}'"


def views_of(app: Gateway) -> Iterator[tuple[type[Composition], ScreenView]]:
    """Yield the screens that views, streams and fields of a gateway build."""
    for route in routes_of(app):
        is_inner = route.kind == "field" and not route.path.startswith(ROOTS)
        if route.kind in {"view", "stream", "field"} and not is_inner:
            for screen in route.screens:
                yield screen, ScreenView(route)


def views_of_screen(app: Gateway, name: str) -> tuple[type[Composition] | None, list[ScreenView]]:
    """Return a screen by its name, and its views; None if the gateway does not use it."""
    found = [(screen, view) for screen, view in views_of(app) if screen.__name__ == name]
    return (found[0][0] if found else None), [view for _, view in found]


def target_of(route: RouteDescription, inputs: Mapping[str, str]) -> tuple[str, str]:
    """Return path and query of a request, and a note on inputs that have a made-up value."""
    names = re.findall(r"\{(\w+)(?::\w+)?\}", route.path)
    shapes = [shape_of(screen) for screen in route.screens]
    required = [one.name for shape in shapes for one in shape.inputs if one.is_required]
    made_up = [name for name in dict.fromkeys([*names, *required]) if name not in inputs]
    values = {**dict.fromkeys(made_up, PLACEHOLDER), **inputs}

    def filled(found: re.Match[str]) -> str:
        return quote(values[found[1]], safe="")

    path = re.sub(r"\{(\w+)(?::\w+)?\}", filled, route.path)
    known = {one.name for shape in shapes for one in shape.inputs} - set(names)
    query = {name: value for name, value in values.items() if name in known}
    note = ", ".join(f"{name}={PLACEHOLDER}" for name in made_up)
    return (f"{path}?{urlencode(query)}" if query else path), note and f"with {note}"
