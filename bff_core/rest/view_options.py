"""The options of views: their types, their defaults in `Views`, and the check of their names."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter

from bff_core.auth.access import Access
from bff_core.edge.shedding.criticality import criticality as ranked
from bff_core.errors import ConfigurationError, wired_in
from bff_core.keywords import check_keywords, keywords_of
from bff_core.policy.edge.shedding import Criticality
from bff_core.rest.idempotency import KeyRule, key_rule
from bff_core.rest.route_options import REFUSED
from bff_core.rest.value_limit import values_limited
from bff_core.routing.fastapi_options import (
    RouteOptions,
    RouterOptions,
    keys_of,
)


class StreamOptions(RouteOptions, total=False):
    """The options of `Views.stream`."""

    access: Access | None
    criticality: Criticality


class ReadOptions(StreamOptions, total=False):
    """The options of `Views.get`, beside those of its signature."""

    cache: bool
    max_values: int
    meta: bool
    objective: str


class WriteOptions(StreamOptions, total=False):
    """The options of `Views.post`, `put`, `patch` and `delete`, beside those of their signature."""

    idempotency: KeyRule
    max_values: int
    meta: bool
    objective: str


_KINDS: Final[Mapping[str, object]] = {
    "get": ReadOptions,
    "post": WriteOptions,
    "put": WriteOptions,
    "patch": WriteOptions,
    "delete": WriteOptions,
    "stream": StreamOptions,
}
"""The options of each decorator, beside those of its signature."""

_MEANT: Final[Mapping[str, str]] = {
    "auth": "access",
    "idempotent": "idempotency",
    "priority": "criticality",
    "slo": "objective",
    "timeout": "the timeout of a part, of a Policy or BFF_TIMEOUT",
    "title": "summary",
}
"""Names that users may expect, each with what to write instead."""


@dataclass(frozen=True, slots=True)
class ViewDefaults:
    """The options of `Views`; raises `ConfigurationError` for a wrong value."""

    criticality: Criticality
    idempotency: KeyRule
    max_values: int
    meta: bool
    cache: bool

    def __post_init__(self) -> None:
        with wired_in("Views(...)"):
            ranked(self.criticality)
            key_rule(self.idempotency, "POST")
            values_limited(self.max_values)
            check_flags(meta=self.meta, cache=self.cache)

    def idempotency_of(self, method: str) -> KeyRule:
        """Return the option for the views of a method; reading needs no key."""
        return "optional" if method == "GET" else self.idempotency


def check_flags(**given: object) -> None:
    """Raise `ConfigurationError` for an option that is neither True nor False."""
    for name, value in given.items():
        if not isinstance(value, bool):
            raise ConfigurationError(f"{name}={value!r}: give True or False")


def check_views_options(given: Iterable[str], views: type) -> None:
    """Raise `ConfigurationError` for a keyword that `Views(...)` does not have."""
    known = keywords_of(views) | keys_of(RouterOptions)
    check_keywords("Views(...)", given, known, _MEANT)


def check_view_options(verb: str, given: Collection[str], views: type) -> None:
    """Raise `ConfigurationError` for an option that a decorator of `Views` does not have."""
    own = _own_options(verb, views)
    known = own | keywords_of(APIRouter.add_api_route) | REFUSED.keys()
    for name in given:
        others = [other for other in _KINDS if name in _own_options(other, views)]
        if name not in known and others:
            raise ConfigurationError(f"@views.{verb} has no {name}=: @views.{others[0]} has it")
    check_keywords(f"@views.{verb}", given, known, _MEANT)


def _own_options(verb: str, views: type) -> set[str]:
    return keywords_of(getattr(views, verb)) | keys_of(_KINDS[verb])
