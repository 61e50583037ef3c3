"""Finds what a text such as `shop.app:make_app` names: a gateway, or a function that makes one."""

import importlib
import inspect
import os
import sysconfig
import traceback
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from bff_core.errors import ConfigurationError
from bff_core.gateway.app import Gateway

_NOT_OF_APPLICATION: Final = (
    f"{Path(__file__).parents[1]}{os.sep}",
    f"{sysconfig.get_path('stdlib')}{os.sep}",
    f"{sysconfig.get_path('purelib')}{os.sep}",
    "<",
)
"""Where the files begin that are not the application's."""

MAX_NAMES = 5
"""Names of a module that an error suggests."""


class NoSuchApp(Exception):
    """There is nothing with this name; the message is one line."""


def find(name: str) -> Any:
    """Import "module:attribute"; raise `NoSuchApp` if there is none.

    Exceptions of the module itself are passed on.
    """
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise NoSuchApp(
            f"{name!r} is not an application: write module:attribute, as in shop.app:app"
        )
    found: Any = _module(module_name, name)
    module = found
    for attribute in path.split("."):
        found = getattr(found, attribute, None)
        if found is None:
            raise NoSuchApp(f"module {module_name!r} has no {path!r}{_meant(module, path)}")
    return found


def is_of_application(file: str) -> bool:
    """Whether a file of a traceback is neither the framework's nor a library's."""
    return not file.startswith(_NOT_OF_APPLICATION)


def _module(module_name: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except ConfigurationError as error:
        if error.has_place:
            raise
        raise ConfigurationError(f"{error}{_place(error)}") from error
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if module_name != missing and not module_name.startswith(f"{missing}."):
            raise
        raise NoSuchApp(f"there is no module {missing!r} (in {name!r})") from None


def _place(error: Exception) -> str:
    """Return the line of the application at which an error was raised; empty if there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if is_of_application(one.filename)]
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""


def _meant(module: ModuleType, path: str) -> str:
    """Return the names of gateways and factories that a module has, the most similar one first."""
    names = list(_candidates(module))
    near = [*get_close_matches(path, names, n=MAX_NAMES, cutoff=0.4), *names]
    shown = ", ".join(dict.fromkeys(near[:MAX_NAMES]))
    return f": it has {shown}" if shown else ", and neither a gateway nor a factory of one"


def _candidates(module: ModuleType) -> Iterator[str]:
    """Yield the names of gateways, then those of functions of the module that return one."""
    members = [(name, one) for name, one in vars(module).items() if not name.startswith("_")]
    yield from (name for name, one in members if isinstance(one, Gateway))
    for name, one in members:
        is_own = inspect.isfunction(one) and one.__module__ == module.__name__
        if is_own and one.__annotations__.get("return") in (Gateway, "Gateway"):
            yield name
