"""The private names of Starlette that the framework uses."""

from collections.abc import Callable
from re import Pattern
from typing import Any, Final

from starlette._utils import get_route_path, is_async_callable
from starlette.applications import Starlette
from starlette.convertors import (
    Convertor,
    FloatConvertor,
    IntegerConvertor,
    PathConvertor,
    StringConvertor,
    UUIDConvertor,
)
from starlette.middleware import Middleware
from starlette.routing import Match, Router, compile_path
from starlette.types import ASGIApp
from starlette.types import Scope as ASGIScope

__all__ = [
    "Middleware",
    "Starlette",
    "compile_path",
    "converts",
    "get_route_path",
    "is_async_callable",
    "is_in_one_segment",
    "is_late_failure",
    "mounted_app",
    "name_of_convertor",
    "path_pattern_of",
    "serves",
    "wrap_router",
]

_BARE: Final = "bff_bare_router"
"""The attribute of a router that holds its application without our wrapper."""

_LATE: Final = "Caught handled exception, but response already started."

_NAMES: Final = {
    FloatConvertor: "float",
    IntegerConvertor: "int",
    PathConvertor: "path",
    UUIDConvertor: "uuid",
}

_IN_ONE_SEGMENT: Final = (StringConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)


def is_late_failure(error: BaseException) -> bool:
    """Whether Starlette raised an error because a response had begun when another was raised."""
    return type(error) is RuntimeError and str(error) == _LATE


def is_in_one_segment(convertor: Convertor[Any]) -> bool:
    """Whether a parameter never has a slash; it may have one by `path` and by users' convertors."""
    return type(convertor) in _IN_ONE_SEGMENT


def name_of_convertor(convertor: Convertor[Any]) -> str:
    """Return the type of a parameter in a template; empty for text in one segment."""
    return "" if type(convertor) is StringConvertor else _NAMES.get(type(convertor), "typed")


def converts(convertor: Convertor[Any]) -> bool:
    """Whether a parameter may be something else than text: a number by `int`."""
    return type(convertor) not in {StringConvertor, PathConvertor}


def path_pattern_of(route: object) -> Pattern[str] | None:
    """Return the regular expression of the paths that a route matches; None if it has none."""
    return getattr(route, "path_regex", None)


def mounted_app(route: object) -> object:
    """Return the application of a mount or a host, without the middleware of the mount."""
    app = getattr(route, "app", None)
    return getattr(route, "_base_app", app)


def serves(route: Any, scope: ASGIScope) -> bool:
    """Whether a route serves a request, by all that it looks at."""
    return bool(route.matches(scope)[0] is Match.FULL)


def wrap_router(router: Router, wrapper: Callable[[ASGIApp], Any]) -> None:
    """Put a wrapper around a router, inside the middleware of its app; replace an earlier one."""
    bare = vars(router).setdefault(_BARE, router.middleware_stack)
    router.middleware_stack = wrapper(bare)
