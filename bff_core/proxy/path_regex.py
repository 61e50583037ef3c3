"""Rewrites paths by regexes of RE2, in time linear in the path."""

import re
from collections.abc import Callable
from typing import Any, Final

import re2  # type: ignore[import-untyped]  # it ships no types

from bff_core.errors import ConfigurationError

MAX_MEMORY: Final = 1024 * 1024
"""Bytes that a compiled regex may have."""

_group_of: Final = re.compile(r"\\(\\|[0-9]|.|$)", re.DOTALL)


def rewriter(pattern: str, replacement: str) -> Callable[[str], str]:
    r"""Return a function that replaces each match; `\0` is all of it, `\\` a backslash."""
    compiled = _compiled(pattern)
    parts = _parts(replacement, compiled.groups)

    def replaced(match: Any) -> str:
        return "".join(one if isinstance(one, str) else match.group(one) or "" for one in parts)

    def rewrite(path: str) -> str:
        return str(compiled.sub(replaced, path))

    return rewrite


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors, options.max_mem = False, MAX_MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ConfigurationError(f"is no regex of RE2: {text}") from None


def _parts(replacement: str, groups: int) -> list[str | int]:
    """Return texts and numbers of groups."""
    parts: list[str | int] = []
    end = 0
    for found in _group_of.finditer(replacement):
        parts.append(replacement[end : found.start()])
        end = found.end()
        if found[1].isdigit() and int(found[1]) <= groups:
            parts.append(int(found[1]))
        elif found[1] == "\\":
            parts.append("\\")
        else:
            known = r"\0" if not groups else rf"\0 to \{groups}"
            raise ConfigurationError(
                rf"has {found[0]}: the regex has {groups} groups, so write {known}, or \\"
            )
    return [*parts, replacement[end:]]
