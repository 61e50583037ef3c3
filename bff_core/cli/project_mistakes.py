"""Says what is wrong in the table `[tool.bff]` of a pyproject.toml: where, and what is meant."""

import re
from difflib import get_close_matches
from pathlib import Path

import msgspec

_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]*)`")
_MISSING = re.compile(r"required field `(?P<key>[^`]*)`")
_AT = re.compile(r" - at `\$(?P<path>[^`]*)`")


def mistake_in(path: Path, table: str, error: Exception, kind: type[msgspec.Struct]) -> str:
    """Return the message for a table, such as `tool.bff.services.ratings`, of a type `kind`."""
    text = str(error).replace("'", "`")
    unknown, absent, at = _UNKNOWN.search(text), _MISSING.search(text), _AT.search(text)
    key = unknown["key"] if unknown else at["path"].lstrip(".").split(".")[0] if at else ""
    place = f"{path}{_line_of(path, table, key)}, [{table}]"
    if unknown:
        close = get_close_matches(key, kind.__struct_fields__, 1)
        known = f"did you mean {close[0]}?" if close else f"it has {_listed(kind)}"
        return f"{place}: unknown key {key!r} ({known})"
    if absent:
        return f"{place}: the key {absent['key']!r} is missing"
    return f"{place}{f', {key}' if key else ''}: {_AT.sub('', str(error))}"


def _listed(kind: type[msgspec.Struct]) -> str:
    return ", ".join(kind.__struct_fields__)


def _line_of(path: Path, table: str, key: str) -> str:
    """Return `, line N` of a key in a table, or of its header; empty if it is written otherwise."""
    header = r"\s*\.\s*".join(rf"""["']?{re.escape(one)}["']?""" for one in table.split("."))
    found, is_inside = 0, False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if re.match(r"\s*\[", line):
            is_inside = bool(re.match(rf"\s*\[\s*{header}\s*\]", line))
            found = number if is_inside else found
        elif is_inside and key and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""", line):
            return f", line {number}"
    return f", line {found}" if found else ""
