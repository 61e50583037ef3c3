"""Finds the operation of a request: by its method and the templates of paths."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bff_core.contracts.document import Document, HttpOperation

VARIABLE: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the contract, with its operations by method."""

    template: str
    pattern: re.Pattern[str]
    names: Sequence[str]
    operations: Mapping[str, HttpOperation]

    def match(self, path: str) -> dict[str, str] | None:
        """Return the texts of the parameters of a path, still encoded; None if it is another."""
        found = self.pattern.fullmatch(path)
        return None if found is None else dict(zip(self.names, found.groups(), strict=True))


@dataclass(frozen=True, slots=True)
class Found:
    """A route that a path has, the path below the server, and the texts of its parameters."""

    route: Route
    path: str
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Routes:
    """The paths of a contract. Requests may have the path of a server of the contract before it."""

    routes: Sequence[Route]
    prefixes: Sequence[str]

    def find(self, path: str) -> Found | None:
        """Return the route of an encoded path; None if there is none."""
        candidates = [path, *(path.removeprefix(one) for one in self.prefixes if _below(path, one))]
        for candidate in candidates:
            for one in self.routes:
                found = one.match(candidate)
                if found is not None:
                    return Found(one, candidate, found)
        return None

    def has_item(self, template: str) -> bool:
        """Whether the contract has the resources of a collection: `/pets/{id}` below `/pets`."""
        start = f"{template.rstrip('/')}/"
        rest = (
            one.template.removeprefix(start)
            for one in self.routes
            if one.template.startswith(start)
        )
        return any(VARIABLE.fullmatch(one) for one in rest)


def routes_of(document: Document) -> Routes:
    """Return the routes of a contract: those with fewer parameters first."""
    by_path: dict[str, dict[str, HttpOperation]] = {}
    for one in document.operations:
        by_path.setdefault(one.path, {})[one.method.upper()] = one
    routes = [_route(path, operations) for path, operations in by_path.items()]
    return Routes(sorted(routes, key=_order), _prefixes(document.servers))


def _route(template: str, operations: Mapping[str, HttpOperation]) -> Route:
    path = template.partition("?")[0].partition("#")[0]
    literals = VARIABLE.split(path)
    pattern = "".join(
        re.escape(part) if number % 2 == 0 else "([^/]+?)" for number, part in enumerate(literals)
    )
    return Route(template, re.compile(pattern), literals[1::2], operations)


def _order(route: Route) -> tuple[list[bool], int]:
    """Return the place of a route: literal segments before parameters, from left to right."""
    segments = route.template.split("/")
    return [VARIABLE.search(one) is not None for one in segments], -len(route.template)


def _prefixes(servers: Iterable[str]) -> list[str]:
    paths = (urlsplit(VARIABLE.sub("x", one)).path.rstrip("/") for one in servers)
    return [one for one in dict.fromkeys(paths) if one]


def _below(path: str, prefix: str) -> bool:
    return path.startswith(f"{prefix}/")
