"""Shows classes and functions under the public package that users import them from.

`repr`, tracebacks, pickles and documentation show `__module__`. The packages set it when they are
imported, so that they show `bff_core.NotFound`.
"""

import sys
from collections.abc import Iterable
from inspect import get_annotations
from types import FunctionType
from typing import Final, ForwardRef, Literal, get_args, get_origin, get_type_hints

_defining_modules: Final[dict[type | FunctionType, str]] = {}


def publish(package: str, names: Iterable[str]) -> None:
    """Show the names of a package as its own, unless a shorter package has shown them before."""
    members = vars(sys.modules[package])
    for name in names:
        one = members.get(name)
        if not isinstance(one, type | FunctionType) or one.__qualname__ != name:
            continue
        shown = one.__module__
        is_public = one in _defining_modules
        if shown.partition(".")[0] != "bff_core" or (is_public and len(shown) <= len(package)):
            continue
        if isinstance(one, type):
            _resolve_annotations(one)
        _defining_modules.setdefault(one, shown)
        one.__module__ = package
        if "__firstlineno__" in vars(one):  # Python 3.13: `inspect` would read the wrong file
            del one.__firstlineno__  # type: ignore[union-attr]


def _resolve_annotations(one: type) -> None:
    """Replace names in annotations by what they name, since they are looked up in `__module__`."""
    own = get_annotations(one)
    if any(map(_is_unresolved, own.values())):
        hints = get_type_hints(one, include_extras=True)
        one.__annotations__ = {name: hints[name] for name in own}


def _is_unresolved(hint: object) -> bool:
    if get_origin(hint) is Literal:
        return False
    return isinstance(hint, str | ForwardRef) or any(map(_is_unresolved, get_args(hint)))


def defining_module(one: type) -> str:
    """Return the module in which a class is defined, for keys that are stored."""
    return _defining_modules.get(one, one.__module__)
