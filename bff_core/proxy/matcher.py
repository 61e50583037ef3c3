"""Compiles the conditions of a route: whether they hold for the head of a request."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import Scope as ASGIScope

from bff_core.client_kinds import MAX_AGENT_BYTES, client_kind
from bff_core.proxy.app_versions import VersionRange, app_version_of
from bff_core.proxy.conditions import Condition, condition_of
from bff_core.proxy.match import Match
from bff_core.proxy.patterns import value_pattern
from bff_core.routing.matching import Holds

_HOST: Final = re.compile(r"(\[[^\]]*\]|[^:]*)(?::\d*)?")

Meets = Callable[[Sequence[str]], bool]
"""Whether the values of one name meet a condition."""


def holds_of(match: Match) -> Holds | None:
    """Return whether all conditions of a match hold for a request; None if it has none."""
    checks = list(_checks(match))
    if not checks:
        return None
    if len(checks) == 1:
        return checks[0]
    return lambda scope: all(check(scope) for check in checks)


def _checks(match: Match) -> Iterator[Holds]:
    """Yield a check for each condition, the cheap ones first."""
    if match.hosts:
        yield _host_check(match.hosts)
    if match.client:
        yield _client_check(match.client)
    if match.app_version:
        yield _version_check(VersionRange.parse(match.app_version))
    for name, one in match.headers.items():
        yield _header_check(name.lower().encode("latin-1"), meets(condition_of(one)))
    for name, one in match.query.items():
        yield _query_check(name, meets(condition_of(one)))
    for name, one in match.cookies.items():
        yield _cookie_check(name, meets(condition_of(one)))


def meets(condition: Condition) -> Meets:
    """Return whether the values of one name meet a condition: one of them does."""
    if condition.absent:
        return lambda values: not values
    if condition.exists:
        return bool
    if condition.equals is not None:
        wanted = condition.equals
        return lambda values: wanted in values
    if condition.prefix is not None:
        prefix = condition.prefix
        return lambda values: any(one.startswith(prefix) for one in values)
    matches = value_pattern(condition.regex or "")
    return lambda values: any(map(matches, values))


def _host_check(hosts: Sequence[str]) -> Holds:
    names = frozenset(host.lower() for host in hosts if not host.startswith("*."))
    suffixes = tuple(host[1:].lower() for host in hosts if host.startswith("*."))

    @lru_cache(maxsize=256)
    def is_one_of(field: bytes) -> bool:
        found = _HOST.fullmatch(field.decode("latin-1"))
        name = "" if found is None else found[1].lower().removesuffix(".")
        return name in names or (bool(suffixes) and name.endswith(suffixes))

    return lambda scope: is_one_of(_first(scope, b"host"))


def _client_check(kind: str) -> Holds:
    return lambda scope: client_kind(_first(scope, b"user-agent")[:MAX_AGENT_BYTES]) == kind


def _version_check(accepted: VersionRange) -> Holds:
    def check(scope: ASGIScope) -> bool:
        version = app_version_of(_first(scope, b"x-app-version").decode("latin-1"))
        return version is not None and accepted.holds(version)

    return check


def _header_check(name: bytes, is_met: Meets) -> Holds:
    def check(scope: ASGIScope) -> bool:
        return is_met(
            [value.decode("latin-1") for field, value in scope["headers"] if field == name]
        )

    return check


def _query_check(name: str, is_met: Meets) -> Holds:
    def check(scope: ASGIScope) -> bool:
        return is_met([value for key, value in _pairs(scope["query_string"]) if key == name])

    return check


@lru_cache(maxsize=64)
def _pairs(query: bytes) -> Sequence[tuple[str, str]]:
    return parse_qsl(query.decode("latin-1"), keep_blank_values=True)


def _cookie_check(name: str, is_met: Meets) -> Holds:
    wanted = name.encode("latin-1")

    def check(scope: ASGIScope) -> bool:
        pairs = [
            pair.strip().partition(b"=")
            for field, value in scope["headers"]
            if field == b"cookie"
            for pair in value.split(b";")
        ]
        return is_met(
            [value.strip(b' "').decode("latin-1") for key, _, value in pairs if key == wanted]
        )

    return check


def _first(scope: ASGIScope, name: bytes) -> bytes:
    found: bytes = next((value for field, value in scope["headers"] if field == name), b"")
    return found
