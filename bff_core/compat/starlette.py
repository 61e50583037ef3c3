"""The private names of Starlette that the framework uses."""

from collections.abc import Callable
from re import Pattern
from typing import Any

from starlette._utils import get_route_path, is_async_callable
from starlette.routing import BaseRoute, Router, compile_path
from starlette.types import ASGIApp

__all__ = [
    "compile_path",
    "get_route_path",
    "is_async_callable",
    "path_pattern_of",
    "wrap_router",
]


def path_pattern_of(route: BaseRoute) -> Pattern[str] | None:
    """Return the pattern of the paths that a route matches; None for a route without one."""
    return getattr(route, "path_regex", None)


def wrap_router(router: Router, wrapper: Callable[[ASGIApp], Any]) -> None:
    """Put an application in front of a router, inside the middleware of its app."""
    router.middleware_stack = wrapper(router.middleware_stack)
