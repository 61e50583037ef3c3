"""Which requests a route takes: path, methods, host, headers, query, cookies and client."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option
from bff_core.proxy.app_versions import VersionRange
from bff_core.proxy.conditions import Condition
from bff_core.proxy.option_faults import OptionFault, refuse
from bff_core.proxy.option_types import type_faults
from bff_core.proxy.path_checks import match_path_complaint
from bff_core.proxy.value_checks import (
    client_complaint,
    error_of,
    faults_in,
    key_faults,
    matched_header_complaint,
    method_complaint,
    parameter_complaint,
    route_host_complaint,
    text_complaint,
    token_complaint,
)

MAX_CONDITIONS = 32
"""How many conditions a match may have on headers, query and cookies."""


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

    path: Annotated[
        str,
        Option(
            "The template of the path, such as /orders/{id}, /items/{n:int} or /files/{rest:path}"
        ),
    ]
    methods: Annotated[
        tuple[str, ...], Option("The methods; GET takes HEAD as well; none are all of them")
    ] = field(default=(), kw_only=True)
    hosts: Annotated[
        tuple[str, ...], Option("The hosts, exact or *.example.com; none are all of them")
    ] = field(default=(), kw_only=True)
    headers: Annotated[
        Mapping[str, str | Condition], Option("Header fields by name: the value, or a condition")
    ] = field(default_factory=dict, kw_only=True)
    query: Annotated[
        Mapping[str, str | Condition], Option("Query parameters by name: the value, or a condition")
    ] = field(default_factory=dict, kw_only=True)
    cookies: Annotated[
        Mapping[str, str | Condition], Option("Cookies by name: the value, or a condition")
    ] = field(default_factory=dict, kw_only=True)
    client: Annotated[
        str, Option("The kind of client, by its User-Agent: android, ios, browser, script or other")
    ] = field(default="", kw_only=True)
    app_version: Annotated[
        str, Option("A range of versions of the client app, such as >=4.2,<5, from X-App-Version")
    ] = field(default="", kw_only=True)
    order: Annotated[int, Option("Which route wins before paths are compared", -10_000, 10_000)] = (
        field(default=0, kw_only=True)
    )

    def __post_init__(self) -> None:
        refuse(self, type_faults(self))
        refuse(self, self._faults())

    def _faults(self) -> Iterator[OptionFault]:
        if complaint := match_path_complaint(self.path):
            yield OptionFault(("path",), complaint)
        yield from faults_in(("methods",), self.methods, method_complaint)
        yield from faults_in(("hosts",), self.hosts, route_host_complaint)
        yield from key_faults(("headers",), self.headers, matched_header_complaint)
        yield from key_faults(("query",), self.query, parameter_complaint, is_case_sensitive=True)
        yield from key_faults(("cookies",), self.cookies, token_complaint, is_case_sensitive=True)
        yield from self._value_faults()
        if self.client and (complaint := client_complaint(self.client)):
            yield OptionFault(("client",), complaint)
        versions = self.app_version
        if versions and (complaint := error_of(lambda: VersionRange.parse(versions))):
            yield OptionFault(("app_version",), complaint)

    def _value_faults(self) -> Iterator[OptionFault]:
        conditions = {"headers": self.headers, "query": self.query, "cookies": self.cookies}
        for field_name, by_name in conditions.items():
            for name, value in by_name.items():
                if isinstance(value, str) and (complaint := text_complaint(value)):
                    yield OptionFault((field_name, name), complaint)
        if sum(map(len, conditions.values())) > MAX_CONDITIONS:
            yield OptionFault((), f"has more than {MAX_CONDITIONS} conditions")
