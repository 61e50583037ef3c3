"""Finds the application that a command names: `module:attribute`, a gateway or a factory of one."""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

from bff_core.errors import ConfigurationError
from bff_core.gateway.named_app import NoSuchApp, find
from bff_core.server.load_errors import reason_of, traceback_of
from bff_core.server.server_state import App


class CannotServe(Exception):
    """The application can't be served; the message is one line."""

    status: ClassVar[int] = 2

    @property
    def report(self) -> list[str]:
        """The lines to print."""
        return [f"bff: {line}" for line in str(self).splitlines()]


class AppFailed(CannotServe):
    """The application's own code raises an exception when it is loaded.

    The message has the file and the line; `traceback` has the last lines of the traceback.
    """

    status = 1

    def __init__(self, name: str, error: BaseException) -> None:
        super().__init__(f"{name} can't be loaded: {reason_of(error)}")
        self.traceback = traceback_of(error)

    @property
    def report(self) -> list[str]:
        """The lines to print, those of the traceback below."""
        return [*super().report, *self.traceback]


def load(name: str) -> App:
    """Import the application "module:attribute"; a factory is called without arguments.

    Raises CannotServe if there is none, AppFailed for an exception of its own code, and
    ConfigurationError if it is configured wrongly.
    """
    try:
        return _found(name)
    except (CannotServe, ConfigurationError, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit, too: no module ends the command without a word
        raise AppFailed(name, error) from error


def _found(name: str) -> App:
    try:
        found = find(name)
    except NoSuchApp as error:
        raise CannotServe(str(error)) from None
    if not callable(found):
        kind = type(found).__name__
        raise CannotServe(f"{name!r} is not an application: it is a {kind}{_instead(found)}")
    app: App = _made(found, name)
    return app


def _instead(found: object) -> str:
    if isinstance(found, ModuleType):
        return f": name its gateway, as in {found.__name__}:app"
    if hasattr(found, "install"):
        return ": serve the gateway that has it, gateway(..., faces=[...])"
    return ""


def _made(found: Callable[..., Any], name: str) -> Any:
    """Return an ASGI application, which takes three arguments, or call a factory, which takes none.

    Raises CannotServe for anything else.
    """
    if _takes(found, 3):
        return found
    if not _takes(found, 0):
        raise CannotServe(
            f"{name!r} takes arguments, {inspect.signature(found)}: a factory of an application "
            "takes none"
        )
    app = found()
    if inspect.isawaitable(app):
        if inspect.iscoroutine(app):
            app.close()
        raise CannotServe(f"{name!r} is a factory with `async def`: write it with `def`")
    if not callable(app) or not _takes(app, 3):
        kind = "None" if app is None else f"an object of {type(app).__name__}"
        raise CannotServe(
            f"{name!r} returned {kind}, not an application: end it with `return gateway(...)`"
        )
    return app


def _takes(found: Callable[..., Any], count: int) -> bool:
    """Whether a callable takes so many arguments; True for compiled code without a signature."""
    try:
        inspect.signature(found).bind(*range(count))
    except ValueError:
        return True
    except TypeError:
        return False
    return True
