"""Traffic that goes elsewhere: a canary gets a share of the requests, a mirror gets copies."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option
from bff_core.proxy.option_faults import OptionFault, refuse
from bff_core.proxy.option_types import type_faults
from bff_core.proxy.value_checks import (
    faults_in,
    json_path_complaint,
    safe_method_complaint,
    split_key_complaint,
    upstream_complaint,
)
from bff_core.upstream.client import Upstream


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A share of the requests goes to another upstream: a canary.

    `by` says what stays on one side: "viewer" (an anonymous one by address), "request" (a new
    choice each time), "header:NAME" or "cookie:NAME" (all requests with the same value).
    """

    to: Annotated[type[Upstream] | str, Option("The upstream that gets this share")]
    percent: Annotated[float, Option("The share of the requests, in percent", 0, 100)]
    by: Annotated[
        str, Option("What stays on one side: viewer, request, header:NAME or cookie:NAME")
    ] = "viewer"

    def __post_init__(self) -> None:
        refuse(self, type_faults(self))
        refuse(self, self._faults())

    def _faults(self) -> Iterator[OptionFault]:
        if isinstance(self.to, str) and (complaint := upstream_complaint(self.to)):
            yield OptionFault(("to",), complaint)
        if complaint := split_key_complaint(self.by):
            yield OptionFault(("by",), complaint)


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A copy of the requests goes to another upstream; its replies are compared and dropped.

    No client waits for it. `compare` names what is compared: "status", "json". `ignore` are JSON
    paths that may differ, such as "$.servedAt".
    """

    to: Annotated[type[Upstream] | str, Option("The upstream that gets this share")]
    percent: Annotated[float, Option("The share of the requests, in percent", 0, 100)] = 100.0
    methods: Annotated[
        tuple[str, ...], Option("The methods that are copied, which must be safe")
    ] = ("GET", "HEAD", "OPTIONS")
    compare: Annotated[tuple[str, ...], Option("What is compared: status, json")] = (
        "status",
        "json",
    )
    ignore: Annotated[
        tuple[str, ...], Option("JSON paths that may differ, such as $.servedAt")
    ] = ()
    max_body: Annotated[
        int, Option("The largest body that is compared, in bytes", 0, 16 * 1024 * 1024)
    ] = field(default=64 * 1024)
    concurrent: Annotated[int, Option("Copies under way at most; others are dropped", 1, 1000)] = 20

    def __post_init__(self) -> None:
        refuse(self, type_faults(self))
        refuse(self, self._faults())

    def _faults(self) -> Iterator[OptionFault]:
        if isinstance(self.to, str) and (complaint := upstream_complaint(self.to)):
            yield OptionFault(("to",), complaint)
        if not self.methods:
            yield OptionFault(("methods",), "is empty: name the methods that are copied")
        yield from faults_in(("methods",), self.methods, safe_method_complaint)
        yield from faults_in(("compare",), self.compare, _comparison_complaint)
        yield from faults_in(("ignore",), self.ignore, json_path_complaint)


def _comparison_complaint(text: str) -> str:
    return "" if text in {"status", "json"} else "is not compared: write 'status' or 'json'"
