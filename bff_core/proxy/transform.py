"""What a route changes in a request before it is sent, and in its reply."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from fastapi import Request, Response

from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option
from bff_core.proxy.option_faults import OptionFault, refuse
from bff_core.proxy.option_types import type_faults
from bff_core.proxy.path_checks import forwarded_path_complaint, prefix_complaint
from bff_core.proxy.patterns import path_rewriter
from bff_core.proxy.placeholders import placeholder_complaint
from bff_core.proxy.value_checks import (
    Check,
    error_of,
    faults_in,
    key_faults,
    method_complaint,
    parameter_complaint,
    set_request_header_complaint,
    set_response_header_complaint,
    set_trailer_complaint,
    text_complaint,
    token_complaint,
)
from bff_core.upstream.client import Upstream


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class PathRewrite:
    r"""A new path made from the old one.

    `strip` is a prefix that is removed, `prefix` one that is added, `regex` a pattern and its
    replacement (`\1` is the first group). They apply in this order. Encoded characters stay as
    the client sent them.
    """

    strip: Annotated[str, Option("A prefix that is removed from the path")] = ""
    prefix: Annotated[str, Option("A prefix that is added to the path")] = ""
    regex: Annotated[
        tuple[str, str] | None,
        Option("A regex of RE2 and a replacement, where \\1 is the first group (extra `proxy`)"),
    ] = None

    def __post_init__(self) -> None:
        refuse(self, type_faults(self))
        refuse(self, self._faults())

    def _faults(self) -> Iterator[OptionFault]:
        if not (self.strip or self.prefix or self.regex):
            yield OptionFault((), "needs strip, prefix or regex")
        if complaint := prefix_complaint(self.strip):
            yield OptionFault(("strip",), complaint)
        if complaint := prefix_complaint(self.prefix):
            yield OptionFault(("prefix",), complaint)
        if self.regex is not None:
            pattern, replacement = self.regex
            if complaint := error_of(lambda: path_rewriter(pattern, replacement)):
                yield OptionFault(("regex",), complaint)


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """Changes of header fields, in this order: allow, remove, set, append.

    `allow` is the full list of those that pass; None lets all pass. Values may have the
    placeholders "{route.id}", "{claims.tenant}" and "{headers.accept}".
    """

    allow: Annotated[
        tuple[str, ...] | None, Option("The full list of names that pass; without it all pass")
    ] = None
    remove: Annotated[tuple[str, ...], Option("Names that are removed")] = ()
    set: Annotated[
        Mapping[str, str], Option("Values by name that replace those of the client or the service")
    ] = field(default_factory=dict)
    append: Annotated[Mapping[str, str], Option("Values by name that are added")] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        refuse(self, type_faults(self))
        refuse(self, _change_faults(self, token_complaint))


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Changes of query parameters, in the order allow, remove, set, append; see `Headers`."""

    allow: Annotated[
        tuple[str, ...] | None, Option("The full list of names that pass; without it all pass")
    ] = None
    remove: Annotated[tuple[str, ...], Option("Names that are removed")] = ()
    set: Annotated[
        Mapping[str, str], Option("Values by name that replace those of the client or the service")
    ] = field(default_factory=dict)
    append: Annotated[Mapping[str, str], Option("Values by name that are added")] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        refuse(self, type_faults(self))
        refuse(self, _change_faults(self, parameter_complaint, is_case_sensitive=True))


def _change_faults(
    changes: "Headers | Query", check: Check, *, is_case_sensitive: bool = False
) -> Iterator[OptionFault]:
    cased = is_case_sensitive
    yield from faults_in(("allow",), changes.allow or (), check, is_case_sensitive=cased)
    yield from faults_in(("remove",), changes.remove, check, is_case_sensitive=cased)
    for name, values in (("set", changes.set), ("append", changes.append)):
        yield from key_faults((name,), values, check, is_case_sensitive=is_case_sensitive)
        for key, value in values.items():
            if complaint := text_complaint(value) or placeholder_complaint(value):
                yield OptionFault((name, key), complaint)


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """Changes of a proxied request and its reply.

    `path` is a template that the values of the route fill, or a `PathRewrite`; None forwards the
    path as it came. `cookies` are the names of those that pass, in both directions: their domain
    and path are rewritten. `host` is the Host that the service gets: its own, or the client's.
    With `redirects`, a Location of the service becomes our address. `forwarded` is how the service
    learns of the client: "x-forwarded", "forwarded" (RFC 7239), or "off".
    """

    path: Annotated[
        str | PathRewrite | None,
        Option("The path at the service: a template of the values of the route, or a rewrite"),
    ] = None
    method: Annotated[str, Option("The method at the service, in place of that of the client")] = ""
    query: Annotated[Query | None, Option("Changes of query parameters")] = None
    request_headers: Annotated[
        Headers | None, Option("Changes of the header fields that the service gets")
    ] = None
    response_headers: Annotated[
        Headers | None, Option("Changes of the header fields that the client gets")
    ] = None
    trailers: Annotated[Headers | None, Option("Changes of the trailers that the client gets")] = (
        None
    )
    cookies: Annotated[
        tuple[str, ...], Option("Names of the cookies that pass, in both directions")
    ] = ()
    host: Annotated[
        Literal["upstream", "client"],
        Option("The Host that the service gets: its own, or that of the client"),
    ] = "upstream"
    redirects: Annotated[
        bool, Option("Whether a Location of the service becomes an address of the gateway")
    ] = True
    forwarded: Annotated[
        Literal["x-forwarded", "forwarded", "off"], Option("How the service learns of the client")
    ] = "x-forwarded"

    def __post_init__(self) -> None:
        refuse(self, type_faults(self))
        refuse(self, self._faults())

    def forward(self, upstream: Upstream, request: Request, /) -> Awaitable[Response]:
        """Forward a request, as `Upstream.forward(request, transforms=...)` does."""
        return _forwarders[-1](self, upstream, request)

    def _faults(self) -> Iterator[OptionFault]:
        if isinstance(self.path, str) and (complaint := forwarded_path_complaint(self.path)):
            yield OptionFault(("path",), complaint)
        if self.method and (complaint := method_complaint(self.method)):
            yield OptionFault(("method",), complaint)
        yield from faults_in(("cookies",), self.cookies, token_complaint, is_case_sensitive=True)
        for name, check in _CHECKS_OF_SET.items():
            yield from _set_faults(name, getattr(self, name), check)


DirectForward = Callable[[Transform, Upstream, Request], Awaitable[Response]]
"""Forwards a request of a route in Python."""

_forwarders: list[DirectForward] = []


def forward_with(forward: DirectForward) -> None:
    """Set what `Transform.forwarded` calls: it compiles transforms, so it knows them."""
    _forwarders.append(forward)


_CHECKS_OF_SET: Final[Mapping[str, Check]] = {
    "request_headers": set_request_header_complaint,
    "response_headers": set_response_header_complaint,
    "trailers": set_trailer_complaint,
}


def _set_faults(name: str, headers: Headers | None, check: Check) -> Iterator[OptionFault]:
    """Yield the headers that a route must not set; `Headers` itself does not know its place."""
    if headers is None:
        return
    for change, values in (("set", headers.set), ("append", headers.append)):
        for key in values:
            if complaint := check(key):
                yield OptionFault((name, change, key), complaint, is_key=True)
