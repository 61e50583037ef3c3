"""Text of a document as TypeScript: literals and comments that it can't end."""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

IDENTIFIER: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*\Z")

_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode that change how a line is read: control, direction, line separators."""


def literal(value: object) -> str:
    """Return a JSON value as a literal, in ASCII."""
    return json.dumps(value, ensure_ascii=True)


def property_name(name: str) -> str:
    """Return the name of a property, in quotes unless it is an identifier."""
    return name if IDENTIFIER.match(name) and name != "__proto__" else literal(name)


def comment(text: str, tags: Iterable[str] = (), indent: str = "") -> str:
    """Return a JSDoc comment with a line break at its end; nothing if it would be empty.

    `tags` are lines of ours, such as `@deprecated`; in `text` such a line is plain text.
    """
    lines = [*_lines(text), *tags]
    if not lines:
        return ""
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def one_line(text: str) -> str:
    """Return a text as one line that may stand in any comment."""
    return " ".join(_lines(text))


def _lines(text: str) -> Sequence[str]:
    lines = [_safe(line) for line in re.split(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", text)]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return lines


def _safe(line: str) -> str:
    shown = "".join(one for one in line if unicodedata.category(one) not in _INVISIBLE)
    shown = shown.replace("*/", "*\\/").replace("/*", "/\\*").rstrip()
    return re.sub(r"^([\s*/]*)@", r"\1\\@", shown)
