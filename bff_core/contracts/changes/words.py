"""How values, types and places of a contract are written in a sentence.

Contracts come from others: whatever they contain is shown without control characters.
"""

import json
from typing import Final

from bff_core.contracts.change import Change
from bff_core.contracts.types import (
    Array,
    Enum,
    Json,
    Map,
    Nullable,
    ObjectType,
    Ref,
    Scalar,
    Tuple,
    Type,
    Union,
)

_MAX_SHOWN: Final = 80


def shown(value: Json) -> str:
    """Return a JSON value in printable ASCII, cut if it is long."""
    text = json.dumps(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def type_words(of: Type) -> str:
    """Return a type in a few words: list of string, Pet or null."""
    match of:
        case Scalar(kind, form):
            return f"{kind} ({plain(form)})" if form else kind
        case Enum(values):
            return f"one of {shown(list(values))}"
        case Tuple(items):
            return f"list of {len(items)} values"
        case Union(options):
            return f"one of {len(options)} types"
        case Ref(name):
            return plain(name)
        case _:
            return _other_words(of)


def _other_words(of: Type) -> str:
    match of:
        case Array(items):
            return f"list of {type_words(items)}"
        case Map(values):
            return f"map of {type_words(values)}"
        case Nullable(inner):
            return f"{type_words(inner)} or null"
        case ObjectType():
            return "object"
        case _:
            return "any value"


def plain(text: str) -> str:
    """Return a name in printable ASCII: as it is, or in quotes with escapes."""
    if text.isascii() and text.isprintable():
        return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
    return shown(text)


def change_location(change: Change) -> str:
    """Return where a change is, in a line: GET /pets, response 200, items[].price."""
    words = [plain(change.operation)] if change.operation else []
    if change.place == "response":
        words.append(f"response {plain(change.status)}".rstrip())
    elif change.place in {"parameter", "request"}:
        words.append(change.place)
    if change.field:
        separator = "." if change.place == "type" else ", "
        return separator.join([", ".join(words), field_path(change.field)]).removeprefix(", ")
    return ", ".join(words)


def field_path(field: tuple[str, ...]) -> str:
    """Return the path of a field as it is written in prose: items[].price."""
    path = ""
    for step in field:
        path += step if step in {"[]", "{}"} else f".{plain(step)}"
    return path.removeprefix(".")
