"""Pieces of the generated modules: imports in the order of ruff, and its exceptions."""

import ast
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from bff_core.codegen.names import BUILTINS
from bff_core.codegen.python_text import LINE_LENGTH, exploded

_is_secret: Final = re.compile(
    r"^ *(?:\w+_)?(?:pas+wo?r?d|pass(?:phrase)?|pwd|token|secrete?)(?:_\w+)?(?:: Final)? = r?[\"']",
    re.IGNORECASE,
).search
"""An assignment of a text to a name that ruff takes for a secret (S105)."""

MAX_PARAMETERS: Final = 5


def without_text(code: str) -> str:
    """Return code without docstrings, literals and comments, whose words are no names."""
    code = re.sub(r'(?s)r?"""(?:\\.|(?!""").)*"""', "", code)
    code = re.sub(r"""(["'])(?:(?!\1)[^\\\n]|\\.)*\1""", "''", code)
    return re.sub(r"#.*", "", code)


def imported(module: str, names: Iterable[str], code: str) -> list[str]:
    """Return the import of those names of a module that code uses."""
    used = [one for one in names if re.search(rf"(?<![\w.]){re.escape(one)}\b", code)]
    if not used:
        return []
    used.sort(key=_member_order)
    line = f"from {module} import {', '.join(used)}"
    if len(line) <= LINE_LENGTH:
        return [line]
    return exploded(f"from {module} import (", used, ")", 0)


def _member_order(name: str) -> tuple[int, list[tuple[int, int, str]], str]:
    """Return the order of names in an import: constants, classes, functions, each natural."""
    is_constant = len(name) > 1 and name == name.upper()
    rank = 0 if is_constant else 1 if name[:1].isupper() else 2
    parts = re.findall(r"\d+|\D+", name.lower())
    natural = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
    return rank, natural, name


def custom_imports(scalars: Iterable[str], code: str) -> tuple[list[str], list[str]]:
    """Return the imports of custom types: those of the standard library, and the others."""
    modules = {one.rpartition(".")[0] for one in scalars if "." in one}
    used = sorted(one for one in modules if re.search(rf"(?<![\w.]){re.escape(one)}\.", code))
    standard = [one for one in used if one.partition(".")[0] in sys.stdlib_module_names]
    others = [one for one in used if one not in standard]
    return [f"import {one}" for one in standard], [f"import {one}" for one in others]


def exceptions(lines: Sequence[str]) -> list[str]:
    """Return the line that names the rules of ruff which generated code can't follow."""
    code = "\n".join(lines)
    rules = []
    signatures = re.findall(r"(?s)    (?:async )?def \w+\((.*?)\) ->", code)
    parameters = [re.findall(r"(\w+):", without_text(one)) for one in signatures]
    if any(name in BUILTINS for one in parameters for name in one):
        rules.append("A002")
    if any(_has_long_summary(node) for node in ast.walk(ast.parse(code))):
        rules.append("D205")
    if any(len(line) > LINE_LENGTH for line in lines):
        rules.append("E501")
    if any(len(one) > MAX_PARAMETERS for one in parameters):
        rules.append("PLR0913")
    if any(_is_secret(line) for line in lines):
        rules.append("S105")
    return [f"# ruff: noqa: {', '.join(rules)}"] if rules else []


def _has_long_summary(node: ast.AST) -> bool:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    lines = (ast.get_docstring(node) or "").splitlines()
    return len(lines) > 1 and bool(lines[1].strip())


def grouped(*groups: Sequence[str]) -> list[str]:
    """Return groups of imports with an empty line between them."""
    lines: list[str] = []
    for group in groups:
        if group:
            lines += [*([""] if lines else []), *group]
    return lines
