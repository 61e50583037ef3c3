"""Writes the imports of the standard library that annotations in generated code need."""

import re
from collections.abc import Iterator
from typing import Final

_TEXTS: Final = re.compile(
    r'"""(?:.|\n)*?"""|"(?:[^"\\\n]|\\.)*"'
    r"|'(?:[^'\\\n]|\\.)*'"
)
"""Docstrings and literals; a literal may have the quotes of a docstring in it, and the reverse."""


def names_in(code: str) -> set[str]:
    """Return the names of code, those of attributes, docstrings and literals aside."""
    return set(re.findall(r"(?<![.\w])[A-Za-z_]\w*", without_text(code)))


def without_text(code: str) -> str:
    """Return code without docstrings and literals, whose words are no names."""
    return _TEXTS.sub("''", code)


def standard_imports(used: set[str]) -> Iterator[str]:
    """Yield the import lines for the names that are used, and an empty line after them."""
    lines = ["import datetime as dt"] if "dt" in used else []
    abstract = [name for name in ("AsyncIterator", "Mapping", "Sequence") if name in used]
    lines += [f"from collections.abc import {', '.join(abstract)}"] if abstract else []
    lines += ["from decimal import Decimal"] if "Decimal" in used else []
    typing = [name for name in ("Any", "ClassVar", "Literal") if name in used]
    lines += [f"from typing import {', '.join(typing)}"] if typing else []
    lines += ["from uuid import UUID"] if "UUID" in used else []
    yield from [*lines, ""] if lines else []
