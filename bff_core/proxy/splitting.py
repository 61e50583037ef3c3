"""Which upstream a request goes to when a route has splits: the same for the same viewer."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b
from typing import Final, NamedTuple

from starlette.requests import cookie_parser
from starlette.types import Scope as ASGIScope

from bff_core.auth.viewer import Viewer
from bff_core.client_address import network_of
from bff_core.clock import Chance, chance
from bff_core.errors import ConfigurationError
from bff_core.events import Events, SplitChosen
from bff_core.http_exchange.request_context import SCOPE
from bff_core.proxy.traffic import Split
from bff_core.scope import Scope

READ: Final = "viewer, request, header:NAME, cookie:NAME"

_POINTS: Final = 2**64
_ROUNDING: Final = 1e-9
"""Percentages such as 33.3, 33.3 and 33.4 add up to a little more or less than 100."""

_is_name: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch

GetEvents = Callable[[], Events]
"""Returns the sinks of the gateway, which runs later than its routes are made."""

_NO_EVENTS: Final = Events()

Read = Callable[[ASGIScope], bytes | None]
"""Returns what identifies a request for a split; None if it has nothing of the kind."""


def no_events() -> Events:
    """Return events without a sink."""
    return _NO_EVENTS


class _Group(NamedTuple):
    """The splits by one value: `sides[i]` are the points below `bounds[i]` and not below others."""

    read: Read
    key: bytes
    bounds: Sequence[int]
    sides: Sequence[int]


class Splitter:
    """Chooses between a route's own upstream and those of its splits.

    The choice is a keyed hash of the route's id and a value of the request, so all processes make
    the same one, and no cookie is set. The value is the viewer (an anonymous one by the believed
    address of its client, for IPv6 the network /64), or that of a header or a cookie. A request
    without that header or cookie counts as its viewer: its share is the same, and it stays on one
    side. With "request", or without any of them, each request is drawn anew.

    A higher percentage only adds requests to a split. Of several splits by the same value the
    first begins at one end of the hashes and the others at the other end, in their order: to change
    the first or the last one moves no request between splits. `names` are those of the upstreams
    for `SplitChosen`, the route's own first; `events` returns the sinks: those that count get it.

    Raises `ConfigurationError` for splits of over 100 percent, and for a `by` that is not known.
    """

    __slots__ = ("_chance", "_events", "_groups", "_names", "_route_id")

    def __init__(
        self,
        route_id: str,
        splits: Sequence[Split],
        *,
        names: Sequence[str] = (),
        events: GetEvents = no_events,
        chance: Chance = chance,
    ) -> None:
        total = sum(split.percent for split in splits)
        if total > 100 + _ROUNDING:
            raise ConfigurationError(
                f"route {route_id!r}: its splits take {total:g} percent, which is more than 100"
            )
        self._route_id = route_id
        self._groups = _groups(route_id, splits)
        self._names = names or _names_of(splits)
        self._events = events
        self._chance = chance

    def choose(self, scope: ASGIScope) -> int:
        """Return 0 for the route's own upstream, n for that of the n-th split."""
        side = self._side(scope)
        events = self._events()
        if events.is_counted:
            events.count(SplitChosen(self._route_id, self._names[side]))
        return side

    def _side(self, scope: ASGIScope) -> int:
        for read, key, bounds, sides in self._groups:
            value = read(scope)
            if value is None:
                point = int(self._chance() * _POINTS)
            else:
                digest = blake2b(value, digest_size=8, key=key).digest()
                point = int.from_bytes(digest, "big")
            side = sides[bisect_right(bounds, point)]
            if side:
                return side
        return 0


def reader_of(by: str) -> Read:
    """Return the function that reads the value of a split's `by`.

    Raises `ConfigurationError` if it is not one of `READ`.
    """
    kind, _, name = by.partition(":")
    if by == "viewer":
        return _viewer
    if by == "request":
        return _nothing
    if kind in {"header", "cookie"} and _is_name(name):
        found = partial(_header, name.lower().encode()) if kind == "header" else _cookie_of(name)
        return partial(_value, f"{kind}:".encode(), found)
    raise ConfigurationError(f"Split(by={by!r}): it is one of {READ}")


def _groups(route_id: str, splits: Sequence[Split]) -> list[_Group]:
    """Return the splits by their values; a later group gets what the earlier ones leave."""
    found: dict[str, list[tuple[int, float]]] = {}
    for number, split in enumerate(splits, 1):
        found.setdefault(split.by, []).append((number, split.percent))
    groups, left = [], 100.0
    for by, members in found.items():
        key = blake2b(f"{route_id}\0{by}".encode(), digest_size=32).digest()
        groups.append(_Group(reader_of(by), key, *_intervals(members, left)))
        left -= sum(percent for _, percent in members)
    return groups


def _intervals(members: Sequence[tuple[int, float]], left: float) -> tuple[list[int], list[int]]:
    """Return the bounds and sides of splits that share `left` percent of the requests.

    Between the first split and the others is what the route's own upstream gets.
    """
    (first, percent), others = members[0], [one for one in members[1:] if one[1] > 0]
    taken, starts, sides = 0.0, list[int](), list[int]()
    for number, share in others:
        taken += share
        starts.insert(0, _POINTS - _point(taken, left))
        sides.insert(0, number)
    end = _point(percent, left)
    if starts and percent + taken > left - _ROUNDING:
        starts[0] = end
    return [end, *starts], [first, 0, *sides]


def _point(percent: float, left: float) -> int:
    if percent <= 0:
        return 0
    return _POINTS if percent >= left - _ROUNDING else int(percent / left * _POINTS)


def _names_of(splits: Sequence[Split]) -> list[str]:
    """Return the names of upstreams, "own" for the route's."""
    return ["own", *(to if isinstance(to := one.to, str) else to.name for one in splits)]


def _viewer(scope: ASGIScope) -> bytes | None:
    request: Scope | None = scope.get(SCOPE)
    if request is not None:
        viewer = Viewer.from_scope(request)
        if not viewer.is_anonymous:
            return b"viewer:" + viewer.identity.encode()
    client = scope.get("client")
    return network_of(client[0]).encode() if client and client[0] else None


def _nothing(_: ASGIScope) -> None:
    return None


def _value(prefix: bytes, find: Read, scope: ASGIScope) -> bytes | None:
    value = find(scope)
    return prefix + value if value else _viewer(scope)


def _header(name: bytes, scope: ASGIScope) -> bytes | None:
    values = [value for key, value in scope["headers"] if key == name]
    return b", ".join(values) if values else None


def _cookie_of(name: str) -> Read:
    def find(scope: ASGIScope) -> bytes | None:
        lines = [value for key, value in scope["headers"] if key == b"cookie"]
        cookies = cookie_parser(b"; ".join(lines).decode("latin-1")) if lines else {}
        return cookies.get(name, "").encode("latin-1", "replace")

    return find
