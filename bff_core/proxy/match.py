"""Which requests a route takes: path, methods, host, headers, query, cookies and client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check
from bff_core.proxy.conditions import Condition


@checks_keywords
@dataclass(frozen=True, slots=True)
class Match:
    """The requests that a route takes: all conditions must hold.

    `path` is a template: "{id}" is one segment, "{n:int}" a number, "{rest:path}" all that follows.
    No `methods` are all of them; GET takes HEAD as well. `hosts` are exact or "*.example.com".
    `headers`, `query` and `cookies` map a name to a text that the value equals, or to a
    `Condition`. `client` is a kind of client, `app_version` a range such as ">=4.2,<5". A lower
    `order` wins before the path is compared; otherwise the more specific path does.
    """

    path: str
    methods: tuple[str, ...] = field(default=(), kw_only=True)
    hosts: tuple[str, ...] = field(default=(), kw_only=True)
    headers: Mapping[str, str | Condition] = field(default_factory=dict, kw_only=True)
    query: Mapping[str, str | Condition] = field(default_factory=dict, kw_only=True)
    cookies: Mapping[str, str | Condition] = field(default_factory=dict, kw_only=True)
    client: str = field(default="", kw_only=True)
    app_version: str = field(default="", kw_only=True)
    order: Annotated[int, Option("Which route wins before paths are compared", -10_000, 10_000)] = (
        field(default=0, kw_only=True)
    )

    def __post_init__(self) -> None:
        check(self)
