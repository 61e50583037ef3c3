"""Finds the operation of a request: by its method and the templates of paths."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from bff_core.contracts.document import Document, HttpOperation

SIGNS: Final = ":@!$&'()*+,;=~-._"
"""What a segment of a path may have besides letters and digits (RFC 3986, section 3.3)."""

VARIABLE: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class MockRoute:
    """A path of the contract, with its operations by method."""

    template: str
    pattern: re.Pattern[str]
    names: Sequence[str]
    operations: Mapping[str, HttpOperation]

    @property
    def fragment(self) -> str:
        """What follows a `#` in the template, in lower case: "x-amz-target=shop.list"."""
        return self.template.partition("#")[2].lower()

    def has(self, method: str) -> bool:
        """Whether it has a method; a HEAD is that of GET."""
        return method in self.operations or (method == "HEAD" and "GET" in self.operations)

    def match(self, path: str) -> dict[str, str] | None:
        """Return the texts of the parameters of a path, still encoded; None if it is another."""
        found = self.pattern.fullmatch(path)
        return None if found is None else dict(zip(self.names, found.groups(), strict=True))


@dataclass(frozen=True, slots=True)
class Found:
    """A route that a path has, the path below the server, and the texts of its parameters."""

    route: MockRoute
    path: str
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Routes:
    """The paths of a contract. Requests may have the path of a server of the contract before it."""

    routes: Sequence[MockRoute]
    prefixes: Sequence[str]

    def find(self, path: str, method: str, pairs: Container[str] = ()) -> Found | None:
        """Return the route of an encoded path; None if there is none.

        Of paths that differ by the names of parameters only, it is the one with the method; of
        those that differ by what follows a `#` (`/#X-Amz-Target=Shop.List`), the one in `pairs`:
        the headers and query parameters of the request, in lower case.
        """
        path = _encoded(path)
        candidates = [path, *(path.removeprefix(one) for one in self.prefixes if _below(path, one))]
        for candidate in candidates:
            first = next((one for one in self.routes if one.match(candidate) is not None), None)
            if first is not None:
                equal = [one for one in self.routes if one.pattern == first.pattern]
                fitting = [one for one in equal if one.has(method)]
                named = (one for one in fitting if one.fragment and one.fragment in pairs)
                chosen = next(named, (fitting or [first])[0])
                return Found(chosen, candidate, chosen.match(candidate) or {})
        return None

    def reading(self, template: str) -> HttpOperation | None:
        """Return the GET of a template; None if the contract has none."""
        own = (one.operations.get("GET") for one in self.routes if one.template == template)
        return next((one for one in own if one is not None), None)

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


def _route(template: str, operations: Mapping[str, HttpOperation]) -> MockRoute:
    path = template.partition("?")[0].partition("#")[0]
    literals = VARIABLE.split(path)
    return MockRoute(template, re.compile(_pattern(literals)), literals[1::2], operations)


def _pattern(literals: Sequence[str]) -> str:
    """Return the pattern of literals and names in turn.

    A variable that a literal follows in its segment ends where the literal is first: its group
    never gives back what it has, so that no path makes the pattern try all ways to cut it.
    """
    pattern = ""
    for number, part in enumerate(literals):
        after = literals[number + 1].partition("/")[0] if number + 1 < len(literals) else ""
        is_last = number + 2 >= len(literals) or "/" in literals[number + 1]
        if number % 2 == 0:
            pattern += re.escape(_encoded(part))
        elif is_last and not after:
            pattern += "([^/]++)"
        elif is_last:
            pattern += "([^/]+)"  # one group that gives back: its literal is at the end
        elif after:
            sign = re.escape(_encoded(after))
            pattern += f"((?>[^/](?:(?!{sign})[^/])*+))"
        else:
            pattern += "([^/])"  # two variables with nothing between them
    return pattern


def _encoded(path: str) -> str:
    """Return a path in one encoding, as there are several: `/a%2Cb` is `/a,b`, but no `/a/b`."""
    return "/".join(quote(unquote(step), safe=SIGNS) for step in path.split("/"))


def _order(route: MockRoute) -> tuple[list[bool], int]:
    """Return the place of a route: literal segments before parameters, from left to right."""
    segments = route.template.split("/")
    return [VARIABLE.search(one) is not None for one in segments], -len(route.template)


def _prefixes(servers: Iterable[str]) -> list[str]:
    paths = (urlsplit(VARIABLE.sub("x", one)).path.rstrip("/") for one in servers)
    return [one for one in dict.fromkeys(paths) if one]


def _below(path: str, prefix: str) -> bool:
    return path.startswith(f"{prefix}/")
