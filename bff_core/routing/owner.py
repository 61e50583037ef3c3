"""Owners of routes: the teams of one gateway, and the check that their routes do not conflict."""

from collections.abc import Iterator
from itertools import combinations
from typing import TypeVar

from bff_core.errors import ConfigurationError
from bff_core.routing.route_table import OWNER, RouteEntry, RouteTable

E = TypeVar("E")


def checked_owner(owner: object) -> str:
    """Return the name of an owner; raise `ConfigurationError` for one that is no text."""
    if not isinstance(owner, str) or owner != owner.strip() or not owner.isprintable():
        raise ConfigurationError(f"Views(owner={owner!r}): give the name of a team")
    return owner


def owned(endpoint: E, owner: str) -> E:
    """Mark an endpoint as one that a team owns, and return it."""
    if owner:
        setattr(endpoint, OWNER, owner)
    return endpoint


def check_owners(table: RouteTable) -> None:
    """Raise `ConfigurationError` if a route that has an owner conflicts with another one.

    Routes conflict if they have the same method and path, whatever the parameters are called, or if
    a route is never reached because one before it matches its path.
    """
    if any(entry.owner for entry in table.entries):
        found = list(_conflicts(table))
        if found:
            raise ConfigurationError("\n".join(found))


def _conflicts(table: RouteTable) -> Iterator[str]:
    routes = [one for one in table.entries if one.methods and one.matching is None]
    for first, second in combinations(routes, 2):
        methods = sorted((first.methods & second.methods) - {"HEAD"})
        if not methods or not (first.owner or second.owner):
            continue
        if first.pattern.pattern == second.pattern.pattern or _shape(first) == _shape(second):
            yield (
                f"{methods[0]} {second.path} is declared by {_owner(first)} and by "
                f"{_owner(second)}: change one of the paths"
            )
        elif second.is_literal and first.pattern.match(second.path):
            yield (
                f"{methods[0]} {second.path} of {_owner(second)} is never reached, since "
                f"{first.path} of {_owner(first)} is before it: list its Views first"
            )


def _shape(entry: RouteEntry) -> list[object]:
    """Return the segments of a path, with the kind of each parameter in place of its name."""
    kinds = {f"{{{name}}}": type(one) for name, one in entry.convertors.items()}
    return [kinds.get(segment, segment) for segment in entry.path.split("/")]


def _owner(entry: RouteEntry) -> str:
    return entry.owner or "a route without owner"
