"""Names for schemas that have none in the document."""

import re
from collections.abc import Container
from typing import Final

from bff_core.contracts.openapi.pointers import segments

_STRUCTURE: Final = frozenset(
    {
        *("components", "schemas", "properties", "schema", "content", "responses", "paths"),
        *("$defs", "definitions", "allOf", "anyOf", "oneOf", "additionalProperties"),
        *("parameters", "requestBody", "requestBodies", "headers", "x-bundled"),
    }
)
"""Segments of pointers that say nothing of what a schema describes."""

_WORDS: Final = 3


def suggested_name(pointer: str) -> str:
    """Return a name for the schema at a pointer: `#/components/schemas/Pet/properties/owner`.

    That one is PetOwner.
    """
    parts = segments(pointer.removeprefix("#"))
    if len(parts) > 1 and parts[-2] in {"$defs", "definitions"}:
        parts = parts[-1:]
    words = [
        "Item" if part == "items" else part
        for part in parts
        if part not in _STRUCTURE and not re.match(r"[a-z*]+/[\w.*+-]+", part)
    ]
    joined = [word for part in words[-_WORDS:] for word in re.split(r"[^0-9A-Za-z]+", part) if word]
    name = "".join(word[0].upper() + word[1:] for word in joined)
    return name if name and not name[0].isdigit() else f"Type{name}"


def unique_name(wanted: str, taken: Container[str]) -> str:
    """Return a name that is not taken: Pet, Pet2, Pet3."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}{number}", number + 1
    return name
