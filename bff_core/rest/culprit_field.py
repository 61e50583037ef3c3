"""Finds the field because of which a declared type has no JSON form."""

import dataclasses
from collections.abc import Callable, Iterator
from types import UnionType
from typing import Annotated, Final, Union, get_args, get_origin, get_type_hints, is_typeddict

from bff_core.rest.exact_types import fields_of, is_struct
from bff_core.service_clients.unions import union_options

_SAME_VALUE: Final = (Annotated, Union, UnionType)
"""What holds types of the value itself, and not of its items."""


def culprit_in(declared: object, is_unknown: Callable[[object], bool]) -> str:
    """Return the path and the type of the innermost unknown field: `$.items[].price is Money`.

    Empty if the declared type itself is unknown, and nothing in it. `is_unknown` returns whether a
    type is, or holds, one that has no JSON form.
    """
    path, known = "$", [declared]
    while True:
        held = (one for one in _held_in(known[-1]) if one[1] not in known and is_unknown(one[1]))
        found = next(held, None)
        if found is None:
            break
        path += found[0]
        known.append(found[1])
    kind = known[-1]
    name = kind.__qualname__ if isinstance(kind, type) and not get_args(kind) else str(kind)
    return "" if len(known) == 1 else f"{path} is {name}"


def _held_in(kind: object) -> Iterator[tuple[str, object]]:
    """Yield the types that a type holds, each with its step in a path."""
    origin = get_origin(kind) or kind
    is_record = is_struct(origin) or (isinstance(origin, type) and dataclasses.is_dataclass(origin))
    is_typed_dict = is_typeddict(origin)
    hints = fields_of(origin) if is_record else get_type_hints(origin) if is_typed_dict else {}
    for name, one in hints.items():
        yield f".{name}", one
    is_same = origin in _SAME_VALUE or is_record or is_typed_dict
    for one in get_args(kind):
        yield "" if is_same else "[]", one
    for one in union_options(origin):
        yield "", one
