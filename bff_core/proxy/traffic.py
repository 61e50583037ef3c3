"""Traffic that goes elsewhere: a canary gets a share of the requests, a mirror gets copies."""

from dataclasses import dataclass, field
from typing import Annotated

from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check
from bff_core.upstream.client import Upstream


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A share of the requests goes to another upstream: a canary.

    `by` says what stays on one side: "viewer" (an anonymous one by address), "request" (a new
    choice each time), "header:NAME" or "cookie:NAME" (all requests with the same value).
    """

    to: type[Upstream] | str
    percent: Annotated[float, Option("The share of the requests, in percent", 0, 100)]
    by: str = "viewer"

    def __post_init__(self) -> None:
        check(self)


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A copy of the requests goes to another upstream; its replies are compared and dropped.

    No client waits for it. `compare` names what is compared: "status", "json". `ignore` are JSON
    paths that may differ, such as "$.servedAt".
    """

    to: type[Upstream] | str
    percent: Annotated[float, Option("The share of the requests, in percent", 0, 100)] = 100.0
    methods: tuple[str, ...] = ("GET", "HEAD", "OPTIONS")
    compare: tuple[str, ...] = ("status", "json")
    ignore: tuple[str, ...] = ()
    max_body: Annotated[
        int, Option("The largest body that is compared, in bytes", 0, 16 * 1024 * 1024)
    ] = field(default=64 * 1024)
    concurrent: Annotated[int, Option("Copies under way at most; others are dropped", 1, 1000)] = 20

    def __post_init__(self) -> None:
        check(self)
