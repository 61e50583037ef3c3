"""The source of a function as a syntax tree, and what the names in it stand for."""

import ast
import builtins
import inspect
import linecache
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import FunctionType
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

MISSING: Final = object()


@lru_cache(maxsize=512)
def _functions_of(file: str) -> Mapping[tuple[int, str], list[AnyFunction]]:
    """Return the functions of a file by the line at which their code begins, and their name."""
    found: dict[tuple[int, str], list[AnyFunction]] = {}
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return found
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            decorators = [one.lineno for one in node.decorator_list]
            found.setdefault((min([node.lineno, *decorators]), node.name), []).append(node)
        elif isinstance(node, ast.Lambda):
            found.setdefault((node.lineno, "<lambda>"), []).append(node)
    return found


def tree_of(function: FunctionType) -> AnyFunction | None:
    """Return the syntax tree of a function; None if its source is not available, or ambiguous."""
    code = function.__code__
    linecache.lazycache(code.co_filename, function.__globals__)
    nodes = _functions_of(code.co_filename).get((code.co_firstlineno, code.co_name), [])
    return nodes[0] if len(nodes) == 1 else None


def plain_function(one: object) -> FunctionType | None:
    """Return the function behind decorators that follow `functools.wraps`; None for others."""
    found = inspect.unwrap(one) if callable(one) else one
    return found if isinstance(found, FunctionType) else None


def wrappers_of(one: object) -> tuple[FunctionType, ...]:
    """Return the functions of decorators around a function, the outermost first."""
    found: list[FunctionType] = []
    while isinstance(one, FunctionType) and hasattr(one, "__wrapped__"):
        found.append(one)
        one = one.__wrapped__
    return tuple(found)


def named(function: FunctionType, name: str) -> object:
    """Return what a name of a function stands for; `MISSING` if it is bound at run time."""
    code = function.__code__
    if name in code.co_freevars and function.__closure__ is not None:
        try:
            return function.__closure__[code.co_freevars.index(name)].cell_contents
        except ValueError:  # not assigned yet
            return MISSING
    return function.__globals__.get(name, getattr(builtins, name, MISSING))


def hints_of(one: object) -> Mapping[str, object]:
    """Return the annotations of a function or a class; none if they can't be evaluated."""
    try:
        return get_type_hints(one)
    except (NameError, TypeError, AttributeError):
        return {}


def class_in(hint: object) -> type | None:
    """Return the class that an annotation stands for: `Home`, `Home | None`, `Annotated[Home]`."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if isinstance(hint, type):
        return hint
    classes = [one for one in get_args(hint) if isinstance(one, type) and one is not type(None)]
    is_union = get_origin(hint) is not None and type(None) in get_args(hint)
    return classes[0] if is_union and len(classes) == 1 else None


def place_of(function: Callable[..., Any] | FunctionType, line: int = 0) -> str:
    """Return file and line of a function, or of a line in it."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ""
    return f"{code.co_filename}:{line or code.co_firstlineno}"


def shown_place(place: str) -> str:
    """Return a file and a line, relative to the working directory if it is below that."""
    if not place:
        return ""
    file, colon, line = place.partition(":")
    here = Path.cwd()
    path = Path(file)
    return f"{path.relative_to(here) if path.is_relative_to(here) else path}{colon}{line}"
