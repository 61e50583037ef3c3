"""JSON paths that a mirror ignores: a small part of RFC 9535."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from bff_core.errors import ConfigurationError

MAX_PATHS: Final = 100
MAX_STEPS: Final = 32

Key = str | int
"""The name of a member of an object, or the index of an element of an array."""


class PathStep(NamedTuple):
    """One step of a path: `key` is None for all members and elements.

    With `is_deep` it is taken at any depth below the step before.
    """

    key: Key | None
    is_deep: bool = False


JsonPath = tuple[PathStep, ...]
JsonPaths = tuple[JsonPath, ...]

_STEP: Final = re.compile(
    r"""(?P<dots>\.\.?)(?P<name>[^\W\d][\w-]*)"""
    r"""|\.(?P<every>\*)"""
    r"""|\[(?:(?P<all>\*)|(?P<index>0|[1-9][0-9]{0,8})|(?P<text>'[^'\\]+'|"[^"\\]+"))\]"""
)


def json_path(text: str) -> JsonPath:
    """Return the steps of a path.

    There are `.name`, `['name']`, `[3]`, `.*` and `[*]` for all members and elements, and `..name`
    for a name at any depth. Filters, slices, unions and negative indexes are not.

    Raises `ConfigurationError` with the reason for any other path.
    """
    steps: list[PathStep] = []
    place = 1
    while place < len(text) and text[0] == "$":
        match = _STEP.match(text, place)
        if match is None:
            break
        steps.append(_step(match))
        place = match.end()
    if not steps or place < len(text):
        raise ConfigurationError(f"Mirror(ignore={text!r}): {_reason(text, place)}")
    if len(steps) > MAX_STEPS:
        raise ConfigurationError(f"Mirror(ignore={text!r}): it has more than {MAX_STEPS} steps")
    return tuple(steps)


def json_paths(texts: Sequence[str]) -> JsonPaths:
    """Return the steps of several paths; raise `ConfigurationError` for a wrong one."""
    if len(texts) > MAX_PATHS:
        raise ConfigurationError(f"Mirror(ignore=...): {len(texts)} are more than {MAX_PATHS}")
    return tuple(dict.fromkeys(map(json_path, texts)))


def _step(match: re.Match[str]) -> PathStep:
    if match["name"]:
        return PathStep(match["name"], is_deep=match["dots"] == "..")
    if match["index"]:
        return PathStep(int(match["index"]))
    return PathStep(match["text"][1:-1] if match["text"] else None)


def _reason(text: str, place: int) -> str:
    if not text.startswith("$"):
        return "a JSON path begins with $, as in $.items[*].price"
    rest = text[place:]
    if not rest:
        return "it would ignore the whole body: leave json out of compare="
    if rest.startswith("["):
        return f"{rest!r}: brackets have *, an index or one quoted name: [*], [3], ['a.b']"
    return f"{rest!r}: a step is .name, ..name, .*, [*], [3] or ['a.b']"


def followed(paths: JsonPaths, key: Key) -> JsonPaths | None:
    """Return what is left of paths below a member or an element; None if one of them ends there."""
    found: list[JsonPath] = []
    for path in paths:
        step = path[0]
        if step.is_deep:
            found.append(path)
        if step.key is None or step.key == key:
            if len(path) == 1:
                return None
            found.append(path[1:])
    return tuple(found)
