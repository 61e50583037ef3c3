r"""Reads a `.env` file: variables for development, one per line.

    # a comment
    BFF_UPSTREAM_CATALOG=http://127.0.0.1:9002   # another
    export BFF_SECRET_MAPS='as it is, with $ and #'
    GREETING="two lines:\nwith \"quotes\""

A value without quotes ends at its line, or before a comment. One in quotes may have several lines;
in double quotes `\n`, `\r`, `\t`, `\"`, `\$` and `\\` stand for one character. Nothing is
expanded: `$HOME` is text.
"""

import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Final

from bff_core.errors import ConfigurationError

DEFAULT: Final = Path(".env")
"""The file in the working directory that is read in development."""

_assignment: Final = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*").match
_quoted: Final = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)\"""", re.DOTALL).match
_comment: Final = re.compile(r"(?:^|[ \t])#.*").sub
_escape: Final = re.compile(r"\\(.)", re.DOTALL).sub
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t"}


def add_env_file(environ: MutableMapping[str, str], named: str | None = None) -> str:
    """Add the variables of a file to `environ`, whose own variables take precedence.

    Without a name it is `.env` in the working directory, if that exists and `BFF_ENV` is
    development. Returns a hint for the log if `.env` was not read because `BFF_ENV` is not set;
    otherwise an empty text. Raises `ConfigurationError`, which shows no values, for a file that
    can't be read.
    """
    if named is None:
        if environ.get("BFF_ENV") != "development":
            is_expected = not environ.get("BFF_ENV") and DEFAULT.is_file()
            return _UNREAD if is_expected else ""
        if not DEFAULT.is_file():
            return ""
    for name, value in read_env_file(DEFAULT if named is None else Path(named)).items():
        environ.setdefault(name, value)
    return ""


_UNREAD: Final = (
    ".env is not read, since BFF_ENV is not set, which means production: set "
    "BFF_ENV=development, or name the file: --env-file .env"
)


def read_env_file(path: Path) -> Mapping[str, str]:
    """Return the variables of a file; raise `ConfigurationError` if it can't be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"{path} can't be read: {reason}") from None
    if "\0" in text:
        raise ConfigurationError(f"{path} can't be read: it has null characters")
    return parse(text, str(path))


def parse(text: str, name: str) -> dict[str, str]:
    """Return the variables of a text; raise `ConfigurationError` with its name and the line."""
    found: dict[str, str] = {}
    lines: dict[str, int] = {}
    rest, number = text, 1
    while rest:
        line, _, below = rest.partition("\n")
        if not line.strip() or line.lstrip().startswith("#"):
            rest, number = below, number + 1
            continue
        where = f"{name}, line {number}"
        assigned = _assignment(rest.lstrip(" \t"))
        if assigned is None:
            raise ConfigurationError(f"{where}: write NAME=value, a name of letters, digits and _")
        variable, behind = assigned[1], rest.lstrip(" \t")[assigned.end() :]
        if variable in found:
            raise ConfigurationError(
                f"{where}: {variable} is set in line {lines[variable]} already"
            )
        lines[variable] = number
        found[variable], used, rest = _value(behind, f"{where}: {variable}")
        number += used
    return found


def _value(text: str, where: str) -> tuple[str, int, str]:
    """Return the value at the start of a text, the number of its lines, and what is below."""
    if not text.startswith(("'", '"')):
        line, _, below = text.partition("\n")
        return _comment("", line).strip(), 1, below
    quoted = _quoted(text)
    if quoted is None:
        raise ConfigurationError(f"{where} has an opening quote and no closing one")
    behind, _, below = text[quoted.end() :].partition("\n")
    if _comment("", behind).strip():
        raise ConfigurationError(f"{where} has text behind the closing quote")
    literal, escaped = quoted.groups()
    value = literal if literal is not None else _escape(_unescaped, escaped)
    return value, quoted[0].count("\n") + 1, below


def _unescaped(match: re.Match[str]) -> str:
    """Return the character of an escape; others than the known ones stay as they are."""
    one = match[1]
    return _ESCAPED.get(one, one if one in '"$\\' else match[0])
