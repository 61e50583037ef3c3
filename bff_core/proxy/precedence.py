"""Which route wins where several match, and which routes are in conflict.

The order of routes in code or in a file never counts.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Final, TypeVar

from bff_core.proxy.app_versions import VersionRange
from bff_core.proxy.conditions import Condition, condition_of
from bff_core.proxy.match import Match
from bff_core.proxy.path_templates import REST, can_overlap, rank_of_path, segments_of

MAX_CONFLICTS: Final = 100
"""How many pairs are found; who has more has one fault that is repeated."""

Rank = tuple[int, tuple[int, int], tuple[tuple[int, int], ...], int, int]
"""Order, host, path, methods and conditions of a match: the winner sorts first."""


Conditions = Mapping[str, str | Condition]


@dataclass(frozen=True, slots=True)
class PathMatch:
    """What a route in Python matches: a path of FastAPI, methods, and no further condition."""

    path: str
    methods: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    headers: Conditions = field(default_factory=dict)
    query: Conditions = field(default_factory=dict)
    cookies: Conditions = field(default_factory=dict)
    client: str = ""
    app_version: str = ""
    order: int = 0


AnyMatch = Match | PathMatch

M = TypeVar("M", bound=AnyMatch)


@dataclass(frozen=True, slots=True, eq=False)
class NamedMatch:
    """The requests that one route takes, and what errors call the route.

    `name` is an id, or the place and the name of a function: "desktop/views.py:41 put_file".
    Those that are not proxied are routes in Python, whose own order decides between them.
    """

    name: str
    match: AnyMatch
    is_proxied: bool = True


def per_host(match: M) -> tuple[M, ...]:
    """Return a match for each host, since the rank of a request depends on the host it has."""
    if len(match.hosts) < 2:
        return (match,)
    return tuple(replace(match, hosts=(host,)) for host in dict.fromkeys(match.hosts))


def rank_of(match: AnyMatch) -> Rank:
    """Return what sorts the winner first among all matches that hold for a request.

    It compares `order`; the host (exact, the longest wildcard, any); the path segment by segment
    (literal, typed value, value, `:path`); named methods before all; more conditions. A match with
    several hosts has the rank of the least specific one: split it by `per_host` first.
    """
    return (
        match.order,
        max(map(_rank_of_host, match.hosts), default=(2, 0)),
        rank_of_path(segments_of(match.path)),
        0 if match.methods else 1,
        -condition_count(match),
    )


def condition_count(match: AnyMatch) -> int:
    """Return how many conditions a match has beside host, path and methods."""
    named = len(match.headers) + len(match.query) + len(match.cookies)
    return named + bool(match.client) + bool(match.app_version)


def conflicts(matches: Iterable[NamedMatch]) -> list[tuple[NamedMatch, NamedMatch]]:
    """Return the pairs of equal rank whose conditions can hold for one request.

    At least one of a pair is proxied. Regexes count as able to hold together with each other. Two
    values of one name do not: a request that repeats the name with both goes to the route whose id
    sorts first. It stops after `MAX_CONFLICTS`.
    """
    groups: dict[object, list[tuple[NamedMatch, AnyMatch]]] = defaultdict(list)
    for named in matches:
        for match in per_host(named.match):
            groups[_group(match)].append((named, match))
    found: dict[tuple[NamedMatch, NamedMatch], None] = {}
    for group in groups.values():
        for (one, left), (other, right) in combinations(group, 2):
            if one is other or not (one.is_proxied or other.is_proxied):
                continue
            if can_hold_together(left, right):
                found[one, other] = None
            if len(found) == MAX_CONFLICTS:
                return list(found)
    return list(found)


def can_hold_together(one: AnyMatch, other: AnyMatch) -> bool:
    """Whether a request can meet two matches of equal rank, each with one host at most."""
    return (
        _lower(one.hosts) == _lower(other.hosts)
        and _values_meet(one.query, other.query)
        and _values_meet(one.cookies, other.cookies)
        and _values_meet(_by_lower_name(one.headers), _by_lower_name(other.headers))
        and _methods_meet(one.methods, other.methods)
        and can_overlap(segments_of(one.path), segments_of(other.path))
        and (not one.client or not other.client or one.client == other.client)
        and _versions_meet(one.app_version, other.app_version)
    )


def _group(match: AnyMatch) -> object:
    """Return what two matches in conflict have in common, so that few pairs are compared."""
    return rank_of(match), _lower(match.hosts), tuple(_leading_literals(match.path))


def _leading_literals(path: str) -> Iterator[str]:
    """Yield the literal segments up to the first `:path`; other segments as empty texts."""
    for segment in segments_of(path):
        if segment.kind == REST:
            return
        yield "" if segment.types else f"/{segment.literals[0]}"


def _rank_of_host(host: str) -> tuple[int, int]:
    return (1, -len(host)) if host.startswith("*.") else (0, 0)


def _lower(hosts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(str.lower, hosts))


def _methods_meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return not one or not other or bool(with_head(one) & with_head(other))


def with_head(methods: Iterable[str]) -> frozenset[str]:
    """Return methods, and HEAD with GET."""
    named = frozenset(map(str.upper, methods))
    return named | {"HEAD"} if "GET" in named else named


def _by_lower_name(conditions: Conditions) -> Conditions:
    return {name.lower(): condition for name, condition in conditions.items()}


def _values_meet(one: Conditions, other: Conditions) -> bool:
    return not (one and other) or all(
        _conditions_meet(one[name], other[name]) for name in one.keys() & other.keys()
    )


def _conditions_meet(one: str | Condition, other: str | Condition) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    return _meet(condition_of(one), condition_of(other))


def _meet(one: Condition, other: Condition) -> bool:
    if one.absent or other.absent:
        return one.absent and other.absent
    if one.equals is not None:
        return _is_met_by(other, one.equals)
    if other.equals is not None:
        return _is_met_by(one, other.equals)
    if one.prefix is not None and other.prefix is not None:
        return one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix)
    return True


def _is_met_by(condition: Condition, value: str) -> bool:
    if condition.equals is not None:
        return condition.equals == value
    return condition.prefix is None or value.startswith(condition.prefix)


def _versions_meet(one: str, other: str) -> bool:
    if not one or not other:
        return True
    return VersionRange.parse(one).overlaps(VersionRange.parse(other))
