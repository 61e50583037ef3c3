"""Where the routes of an app are: which requests each takes, and what stands behind it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from re import Pattern
from typing import Self

from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, WebSocketRoute, compile_path


@dataclass(frozen=True, slots=True)
class Place:
    """A route: its path, its methods, and the function or application behind it.

    One without methods is a mount, and goes on below its path, or a web socket.
    """

    path: str
    pattern: Pattern[str]
    methods: frozenset[str]
    behind: object
    is_socket: bool

    @classmethod
    def of(cls, context: RouteContext) -> Self:
        """Read a route."""
        path, methods = context.path or "", frozenset(context.methods or ())
        mounted: Pattern[str] | None = getattr(context.route, "path_regex", None)
        pattern = mounted if mounted and not methods else compile_path(path)[0]
        behind = context.endpoint or getattr(context.route, "app", None)
        return cls(path, pattern, methods, behind, isinstance(context.route, WebSocketRoute))

    def holds(self, method: str, path: str) -> bool:
        """Whether a request is for this route."""
        return (not self.methods or method in self.methods) and bool(self.pattern.match(path))


def places_of(routes: Sequence[BaseRoute]) -> Iterator[Place]:
    """Yield the places of all routes that have a path; the first that holds a request serves it."""
    for context in iter_route_contexts(routes):
        if context.path:
            yield Place.of(context)
