"""The private names of Starlette that the framework uses."""

from collections.abc import Callable
from re import Pattern
from typing import Any, Final

from starlette._utils import get_route_path, is_async_callable
from starlette.convertors import (
    Convertor,
    FloatConvertor,
    IntegerConvertor,
    StringConvertor,
    UUIDConvertor,
)
from starlette.routing import BaseRoute, Router, compile_path
from starlette.types import ASGIApp

__all__ = [
    "compile_path",
    "get_route_path",
    "is_async_callable",
    "is_in_one_segment",
    "path_pattern_of",
    "wrap_router",
]

_IN_ONE_SEGMENT: Final = (StringConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)


def is_in_one_segment(convertor: Convertor[Any]) -> bool:
    """Whether a parameter never has a slash; it may have one by `path` and by users' convertors."""
    return type(convertor) in _IN_ONE_SEGMENT


def path_pattern_of(route: BaseRoute) -> Pattern[str] | None:
    """Return the regular expression of the paths that a route matches; None if it has none."""
    return getattr(route, "path_regex", None)


def wrap_router(router: Router, wrapper: Callable[[ASGIApp], Any]) -> None:
    """Put a wrapper around a router, inside the middleware of its app."""
    router.middleware_stack = wrapper(router.middleware_stack)
