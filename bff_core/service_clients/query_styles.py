"""Query styles of OpenAPI that `query=` does not have: separated lists, deepObject, JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass

import msgspec

from bff_core.parameter_values import text_of, texts_of
from bff_core.upstream.request_bodies import FilePart, json_of

OptionalFiles = dict[str, FilePart | list[FilePart]]


def joined(values: object, separator: str = ",") -> str | None:
    """Return a list as one text, or the names and values of an object; None for None.

    The styles `form` and `simple` without explode, `spaceDelimited`, `pipeDelimited`.
    """
    if values is None:
        return None
    if isinstance(values, str) or not isinstance(values, Iterable):
        if _is_object(values):
            values = [one for pair in properties(values).items() for one in pair]
        else:
            return text_of(values, "a parameter")
    elif isinstance(values, Mapping):
        values = [one for pair in properties(values).items() for one in pair]
    elif not isinstance(values, list | tuple | set | frozenset):
        values = list(values)
    return separator.join(texts_of(values, "a parameter"))


def properties(value: object) -> Mapping[str, object]:
    """Return the properties of an object as parameters of their own; those that are None are left.

    The style `form` with explode.
    """
    plain = msgspec.to_builtins(value, str_keys=True)
    return {name: one for name, one in plain.items() if one is not None} if plain else {}


def deep_object(name: str, value: object) -> Mapping[str, object]:
    """Return the properties of an object as `name[property]`, those of objects in it as well."""
    found: dict[str, object] = {}
    for inner, one in properties(value).items():
        path = f"{name}[{inner}]"
        found |= deep_object(path, one) if isinstance(one, Mapping) else {path: one}
    return found


def as_json(value: object) -> str | None:
    """Return a value as JSON text; None for None."""
    return None if value is None else json_of(value).decode()


def cookies(values: Mapping[str, object]) -> str | None:
    """Return the value of the header `Cookie`; None if there is none."""
    pairs = [f"{name}={text_of(one, name)}" for name, one in values.items() if one is not None]
    return "; ".join(pairs) or None


def given(values: Mapping[str, FilePart | list[FilePart] | None]) -> OptionalFiles:
    """Return the files that are not None."""
    return {name: one for name, one in values.items() if one is not None}


def _is_object(value: object) -> bool:
    return isinstance(value, msgspec.Struct) or is_dataclass(value)
