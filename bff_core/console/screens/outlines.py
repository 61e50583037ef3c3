"""Outlines the JSON that a client gets of a part: its fields, and how many items lists have."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from bff_core.console.origins.json_places import ANY, Json, Place, pattern

MAX_NAMES: Final = 4
"""Names of fields that an outline lists."""

TIMES: Final = "\u00d7"
"""Stands between the number of items and their fields."""

MAX_TEXT_LENGTH: Final = 24
"""Characters of a text that an outline quotes."""

MAX_FIELDS: Final = 3
"""Fields of the answer that the outline of a part describes."""


def outline(found: Sequence[tuple[Place, Json]], parts: Mapping[str, str]) -> str:
    """Return the outline of the outermost values of a part; `parts` are those of all patterns.

    Fields of other parts are left out. Values of list items are described once.
    """
    by_pattern: dict[str, list[tuple[Place, Json]]] = {}
    for place, value in found:
        by_pattern.setdefault(pattern(place), []).append((place, value))
    single = {one: values for one, values in by_pattern.items() if ANY not in one.split("/")}
    texts = [_field(one, values, parts) for one, values in list(single.items())[:MAX_FIELDS]]
    repeated = {one: values for one, values in by_pattern.items() if one not in single}
    names = list(dict.fromkeys(_name(one) for one in repeated))
    if len(names) == 1:
        first = next(iter(repeated))
        values = [one for values in repeated.values() for one in values]
        texts.append(_field(first, values, parts))
    elif names:
        texts.append(f"{{ {_listed(names)} }}")
    more = ", …" if len(single) > MAX_FIELDS else ""
    return ", ".join(texts) + more


def _name(of: str) -> str:
    names = [one for one in of.split("/") if one != ANY]
    return names[-1].replace("~1", "/").replace("~0", "~")


def _field(of: str, values: Sequence[tuple[Place, Json]], parts: Mapping[str, str]) -> str:
    value = next((one for _, one in values if one is not None), None)
    return f'"{_name(of)}": {_described(value, of, parts)}'


def _described(value: Json, at: str, parts: Mapping[str, str]) -> str:
    if isinstance(value, dict):
        names = _own_names(value, at, parts)
        return f"{{ {_listed(names)} }}" if names else "{}"
    if isinstance(value, list):
        below = f"{at}/{ANY}"
        first = next((one for one in value if isinstance(one, dict)), None)
        names = [] if first is None else _own_names(first, below, parts)
        return f"[ {len(value)} {TIMES} {_listed(names)} ]" if names else f"[ {len(value)} ]"
    if isinstance(value, str) and len(value) > MAX_TEXT_LENGTH:
        value = f"{value[:MAX_TEXT_LENGTH]}…"
    return msgspec.json.encode(value).decode()


def _own_names(value: Mapping[str, Json], at: str, parts: Mapping[str, str]) -> list[str]:
    return [name for name in value if f"{at}/{name}" not in parts]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MAX_NAMES])
    return f"{shown} …" if len(names) > MAX_NAMES else shown
