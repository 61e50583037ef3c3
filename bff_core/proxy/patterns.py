"""Regexes of routes: their dialect is that of RE2, and matching takes linear time.

The engine for conditions, which have no use for groups, is the one that pydantic ships.
"""

from collections.abc import Callable
from typing import Final

from pydantic_core import SchemaError, SchemaValidator, core_schema

from bff_core.errors import ConfigurationError
from bff_core.extras import needs

MAX_PATTERN: Final = 256
"""The longest regex, in characters."""

MAX_VALUE: Final = 1024
"""The longest value that a regex is matched against, in characters; a longer one does not match."""

_DIALECT: Final = "the dialect is RE2's, without look-around and back-references"


def value_pattern(pattern: str) -> Callable[[str], bool]:
    """Return a function that is true of a value that a regex matches as a whole.

    Raises `ConfigurationError` for a regex that is too long, or that the engine refuses.
    """
    check_length(pattern)
    try:
        # By itself first: "a)|(b" would be a regex within the group.
        _compiled(pattern)
        matches = _compiled(rf"\A(?:{pattern})\z")
    except SchemaError as error:
        raise ConfigurationError(_complaint(str(error))) from None
    return lambda value: len(value) <= MAX_VALUE and matches(value)


def path_rewriter(pattern: str, replacement: str) -> Callable[[str], str]:
    r"""Return a function that replaces what a regex matches in a path; `\1` is the first group.

    Raises `ConfigurationError` for a wrong regex or replacement, and `MissingExtra` without the
    extra `proxy`.
    """
    with needs("proxy", "PathRewrite(regex=...)"):
        from bff_core.proxy.path_regex import rewriter  # noqa: PLC0415 # only with a regex
    check_length(pattern)
    check_length(replacement)
    return rewriter(pattern, replacement)


def check_length(text: str) -> None:
    """Raise `ConfigurationError` for a text that is longer than a regex may be."""
    if len(text) > MAX_PATTERN:
        raise ConfigurationError(f"has {len(text)} characters, {MAX_PATTERN} at most")


def _compiled(pattern: str) -> Callable[[object], bool]:
    schema = core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
    return SchemaValidator(schema).isinstance_python


def _complaint(message: str) -> str:
    reason = message.rpartition("error: ")[2] if "error: " in message else message
    reason = reason.strip().splitlines()[-1].strip().rstrip(".")
    return f"is no regex that is accepted: {reason} ({_DIALECT})"
