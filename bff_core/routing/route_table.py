"""Where the routes of an app are: which requests each takes, and what stands behind it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from re import Pattern
from typing import Self

from starlette.routing import BaseRoute, WebSocketRoute

from bff_core.compat.fastapi import Form, RouteContext, iter_route_contexts
from bff_core.compat.starlette import compile_path, path_pattern_of
from bff_core.routing.body_types import Kind, is_json


@dataclass(frozen=True, slots=True)
class RouteBody:
    """What a route says of the body that it takes.

    `limit` in bytes; without a Content-Type it is JSON all the same, unless that `needs_type`.
    """

    kind: Kind
    limit: float
    needs_type: bool

    @classmethod
    def of(cls, context: RouteContext) -> Self | None:
        """Read a route; None for one that takes no body, or one of a media type of its own."""
        field = getattr(context, "body_field", None)
        if field is None:
            return None
        info, strict = field.field_info, context.strict_content_type
        kind: Kind = "form" if isinstance(info, Form) else "json"
        if kind == "json" and not is_json(info.media_type):
            return None
        limit = inf if context.max_body_size is None else context.max_body_size
        return cls(kind, limit, getattr(strict, "value", strict))


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A route: its path, its methods, and the function or application behind it.

    One without methods is a mount, and goes on below its path, or a web socket.
    """

    path: str
    pattern: Pattern[str]
    methods: frozenset[str]
    behind: object
    is_socket: bool
    body: RouteBody | None

    @classmethod
    def of(cls, context: RouteContext) -> Self:
        """Read a route."""
        path, methods = context.path or "", frozenset(context.methods or ())
        mounted = path_pattern_of(context.route)
        pattern = mounted if mounted and not methods else compile_path(path)[0]
        behind = context.endpoint or getattr(context.route, "app", None)
        is_socket = isinstance(context.route, WebSocketRoute)
        return cls(path, pattern, methods, behind, is_socket, RouteBody.of(context))

    def holds(self, method: str, path: str) -> bool:
        """Whether a request is for this route."""
        return (not self.methods or method in self.methods) and bool(self.pattern.match(path))


def places_of(routes: Sequence[BaseRoute]) -> Iterator[RouteEntry]:
    """Yield the places of all routes that have a path; the first that holds a request serves it."""
    for context in iter_route_contexts(routes):
        if context.path:
            yield RouteEntry.of(context)
