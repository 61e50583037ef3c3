"""JSON pointers in fragments of URLs: `#/paths/~1pets/get`."""

import re
from difflib import get_close_matches
from typing import Any
from urllib.parse import unquote

Node = dict[str, Any]
"""An object of a document; the checks have verified the kinds of its members."""


class PointerError(Exception):
    """A pointer leads nowhere; the message says where it ends, and what was probably meant."""


def child(pointer: str, key: object) -> str:
    """Return the pointer of a member or an item."""
    text = str(key)
    if "~" in text or "/" in text:
        text = text.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{text}"


def segments(fragment: str) -> list[str]:
    """Return the keys of a fragment without its `#`."""
    parts = unquote(fragment).split("/")[1:]
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]


def last_segment(pointer: str) -> str:
    """Return the last key of a pointer, or an empty text."""
    return (segments(pointer.removeprefix("#")) or [""])[-1]


def step(node: object, key: str) -> object:
    """Return the member or item of a node; raise LookupError if there is none."""
    if isinstance(node, dict):
        return node[key]
    if isinstance(node, list) and re.fullmatch(r"[0-9]{1,9}", key):
        return node[int(key)]
    raise LookupError(key)


def near_miss(node: object, key: str, pointer: str, *, search: bool) -> str:
    """Return what to say of a key that a node lacks; search for the one that was meant."""
    if not isinstance(node, dict | list):
        return f"{pointer} has no members"
    if not search:
        return f"{pointer} has no member {key!r}"
    keys = [str(one) for one in (node if isinstance(node, dict) else range(len(node)))]
    close = get_close_matches(key, keys, 1, 0.6)
    folded = [one for one in keys if one.casefold() == key.casefold()]
    hint = f"; did you mean {child(pointer, (folded + close)[0])}?" if folded + close else ""
    return f"{pointer} has no member {key!r}{hint}"
