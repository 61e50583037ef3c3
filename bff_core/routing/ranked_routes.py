"""Finds the best route by rank among those whose path and conditions hold."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from re import Match, Pattern
from typing import Generic, NamedTuple, Protocol, TypeVar

from starlette.types import Scope as ASGIScope

from bff_core.routing.matching import Holds, Matching, Rank


class Entry(Protocol):
    """A route of the table, as far as the search by rank knows it."""

    @property
    def path(self) -> str:
        """The template without convertors."""
        ...

    @property
    def pattern(self) -> Pattern[str]:
        """The regular expression of its paths."""
        ...

    @property
    def methods(self) -> frozenset[str]:
        """The methods; empty for all of them."""
        ...


E = TypeVar("E", bound=Entry)


class RankedCandidate(NamedTuple, Generic[E]):
    """One way to match a route, at its place among all of them."""

    place: int
    rank: Rank
    entry: E
    holds: Holds | None
    is_fallback: bool


class RankedRoutes(Generic[E]):
    """The routes that compete by rank, by method; the best comes first.

    `plain` are the routes without conditions of their own, ranked by `rank_of`: among themselves
    the table decides, and here only whether a ranked route is better than the one that it found.
    """

    __slots__ = ("_any_method", "_by_method", "_named", "_places", "_size", "_sockets")

    def __init__(
        self,
        ranked: Sequence[tuple[E, Matching]],
        plain: Sequence[E],
        rank_of: Callable[[E], Rank],
    ) -> None:
        found = _candidates(ranked)
        ranks = [one.rank for one in found]
        self._size = len(found)
        self._places = {id(one): bisect_left(ranks, rank_of(one)) for one in plain}
        sockets = {id(entry) for entry, matching in ranked if matching.takes_sockets}
        self._sockets = _BySegment([one for one in found if id(one.entry) in sockets])
        self._any_method = _BySegment([one for one in found if not one.entry.methods])
        self._named = _BySegment([one for one in found if one.entry.methods])
        self._by_method = {
            method: _BySegment(
                [one for one in found if not one.entry.methods or method in one.entry.methods]
            )
            for method in frozenset[str]().union(*(entry.methods for entry, _ in ranked))
        }

    def find(
        self, method: str, path: str, scope: ASGIScope | None, plain: E | None
    ) -> tuple[RankedCandidate[E], Match[str]] | None:
        """Return the best route; None if there is none, or `plain` is better.

        An empty method is the handshake of a web socket. Without a `scope` no condition holds.
        """
        routes = self._by_method.get(method, self._any_method) if method else self._sockets
        end = self._size if plain is None else self._places.get(id(plain), 0)
        for one in routes.of(path):
            if one.place >= end:
                return None
            match = one.entry.pattern.fullmatch(path)
            if match is not None and _holds(one, scope):
                return one, match
        return None

    def names_methods_of(self, path: str, scope: ASGIScope | None) -> bool:
        """Whether a route that names its methods, and is no fallback, takes a path."""
        return any(
            not one.is_fallback and one.entry.pattern.fullmatch(path) and _holds(one, scope)
            for one in self._named.of(path)
        )

    def methods_of(self, path: str, scope: ASGIScope | None) -> frozenset[str]:
        """Return the methods of the routes that match a path and whose conditions hold."""
        found = [
            one.entry.methods
            for one in self._named.of(path)
            if one.entry.pattern.fullmatch(path) and _holds(one, scope)
        ]
        return frozenset[str]().union(*found)


class _BySegment(Generic[E]):
    """Candidates by the first segment of their paths, so that few patterns are tried."""

    __slots__ = ("_by_segment", "_others")

    def __init__(self, candidates: Sequence[RankedCandidate[E]]) -> None:
        firsts = {segment for one in candidates if (segment := _first_literal(one.entry.path))}
        self._by_segment: Mapping[str, Sequence[RankedCandidate[E]]] = {
            first: [one for one in candidates if _first_literal(one.entry.path) in {first, ""}]
            for first in firsts
        }
        self._others = [one for one in candidates if not _first_literal(one.entry.path)]

    def of(self, path: str) -> Sequence[RankedCandidate[E]]:
        """Return the candidates for a path, the best first."""
        return self._by_segment.get(path[1:].partition("/")[0], self._others)


def _candidates(ranked: Iterable[tuple[E, Matching]]) -> list[RankedCandidate[E]]:
    ways = [
        (way.rank, matching.name, number, entry, way.holds, matching.is_fallback)
        for number, (entry, matching) in enumerate(ranked)
        for way in matching.ways
    ]
    ways.sort(key=lambda way: way[:3])
    return [
        RankedCandidate(place, rank, entry, holds, is_fallback)
        for place, (rank, _, _, entry, holds, is_fallback) in enumerate(ways)
    ]


def _holds(one: RankedCandidate[E], scope: ASGIScope | None) -> bool:
    return one.holds is None or (scope is not None and one.holds(scope))


def _first_literal(template: str) -> str:
    first = template[1:].partition("/")[0]
    return "" if "{" in first else first
