"""What a route changes in a request before it is sent, and in its reply."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bff_core.keywords import checks_keywords


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class PathRewrite:
    r"""A new path made from the old one.

    `strip` is a prefix that is removed, `prefix` one that is added, `regex` a pattern and its
    replacement (`\1` is the first group). They apply in this order. Encoded characters stay as
    the client sent them.
    """

    strip: str = ""
    prefix: str = ""
    regex: tuple[str, str] | None = None


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """Changes of header fields, in this order: allow, remove, set, append.

    `allow` is the full list of those that pass; None lets all pass. Values may have the
    placeholders "{route.id}", "{claims.tenant}" and "{headers.accept}".
    """

    allow: tuple[str, ...] | None = None
    remove: tuple[str, ...] = ()
    set: Mapping[str, str] = field(default_factory=dict)
    append: Mapping[str, str] = field(default_factory=dict)


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Changes of query parameters, in the order allow, remove, set, append; see `Headers`."""

    allow: tuple[str, ...] | None = None
    remove: tuple[str, ...] = ()
    set: Mapping[str, str] = field(default_factory=dict)
    append: Mapping[str, str] = field(default_factory=dict)


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

    path: str | PathRewrite | None = None
    method: str = ""
    query: Query | None = None
    request_headers: Headers | None = None
    response_headers: Headers | None = None
    trailers: Headers | None = None
    cookies: tuple[str, ...] = ()
    host: Literal["upstream", "client"] = "upstream"
    redirects: bool = True
    forwarded: Literal["x-forwarded", "forwarded", "off"] = "x-forwarded"
