"""Keywords of public classes and functions: a wrong one is refused, with what may be meant."""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from functools import wraps
from typing import Any, Final, TypeVar, get_args, get_type_hints

from bff_core.errors import ConfigurationError

F = TypeVar("F", bound=Callable[..., Any])

MAX_LISTED: Final = 8
"""Up to this many keywords are listed if none of them is similar."""

_BY_NAME: Final = {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}


def keywords_of(function: Callable[..., object]) -> set[str]:
    """Return the names of the keywords that a function has in the installed version."""
    parameters = inspect.signature(function).parameters.items()
    return {name for name, one in parameters if one.kind in _BY_NAME}


def check_keywords(
    call: str, given: Iterable[str], known: Collection[str], meant: Mapping[str, str] | None = None
) -> None:
    """Raise `ConfigurationError` for a keyword that is not `known`; suggest one that is.

    `meant` has names that users may expect, each with what to write instead.
    """
    unknown = next((one for one in given if one not in known), None)
    if unknown is None:
        return
    meant = meant or {}
    near = next(iter(get_close_matches(unknown, [*known, *meant])), None)
    name = meant.get(unknown) or meant.get(near or "", near)
    hint = f": is {name} meant?" if name else ""
    if not hint and len(known) <= MAX_LISTED:
        hint = f"; it has {', '.join(known)}" if known else "; it has no keywords"
    raise ConfigurationError(f"{call} has no {unknown}={hint}")


def check_async(body: object, kind: str) -> None:
    """Raise `ConfigurationError` unless what a decorator gets is an `async` function."""
    if not inspect.iscoroutinefunction(body):
        hint = "" if callable(body) else "; options of a decorator are given by name"
        name = getattr(body, "__qualname__", repr(body))
        raise ConfigurationError(f"{kind} {name}: declare it with `async def`{hint}")


def checks_keywords(target: F) -> F:
    """Explain a call that does not fit the signature: a decorator for classes and functions.

    Raises `ConfigurationError` in place of a `TypeError`. It is for what users call at import: a
    call that fits costs one more frame.
    """
    if isinstance(target, type):
        target.__init__ = _explained(target.__init__)  # type: ignore[misc]  # of this class itself
        return target
    return _explained(target)


def _explained(function: F) -> F:
    @wraps(function)
    def call(*args: Any, **keywords: Any) -> Any:
        try:
            return function(*args, **keywords)
        except TypeError as error:
            wrong = _mismatch(function, args, keywords)
            if wrong is None:
                raise
            raise wrong from error

    return call  # type: ignore[return-value]  # it has the signature of the function


def check_class_keywords(cls: type, given: Iterable[str]) -> None:
    """Raise `ConfigurationError` for a keyword of a class: `class Shop(Upstream, policy=...)`."""
    for name in given:
        raise ConfigurationError(
            f"class {cls.__name__}({cls.__bases__[0].__name__}, {name}=...): write it in the body "
            f"of the class, as in {name} = ..."
        )


def check_attribute(cls: type, name: str, kind: type) -> None:
    """Raise `ConfigurationError` for a value of this kind whose name is a misspelt `name`."""
    for given, value in vars(cls).items():
        if isinstance(value, kind) and given != name and get_close_matches(given, [name]):
            raise ConfigurationError(
                f"{cls.__name__}.{given} = {kind.__name__}(...) has no effect: is {name} meant?"
            )


def _mismatch(
    function: Callable[..., object], args: tuple[Any, ...], keywords: Mapping[str, Any]
) -> ConfigurationError | None:
    """Return what is wrong with the arguments of a call; None if they fit the signature."""
    is_method = function.__name__ == "__init__"
    name = type(args[0]).__name__ if is_method else function.__name__
    parameters = list(inspect.signature(function).parameters.values())[is_method:]
    known = [one.name for one in parameters if one.kind in _BY_NAME]
    required = [one.name for one in parameters if one.kind in _BY_NAME and one.default is one.empty]
    missing = [one for one in required[len(args) - is_method :] if one not in keywords]
    takes_others = any(one.kind is one.VAR_KEYWORD for one in parameters)
    try:
        if not takes_others:
            check_keywords(f"{name}(...)", keywords, known, _nested_options(function))
        inspect.Signature(parameters).bind(*args[is_method:], **keywords)
    except ConfigurationError as error:
        return error
    except TypeError as error:
        if missing:
            return ConfigurationError(f"{name}(...) needs {missing[0]}=")
        if known and len(args) - is_method > len(parameters) - len(known):
            return ConfigurationError(f"{name}(...) has options by name only, such as {known[0]}=")
        return ConfigurationError(f"{name}(...): {error}")
    return None


def _nested_options(function: Callable[..., object]) -> dict[str, str]:
    """Return the options of a function's options, such as `retry=Retry(attempts=...)`."""
    hints = get_type_hints(function)
    return {
        one.name: f"{name}={kind.__name__}({one.name}=...)"
        for name, hint in hints.items()
        for kind in (hint, *get_args(hint))
        if isinstance(kind, type) and is_dataclass(kind)
        for one in fields(kind)
        if one.name not in hints
    }
