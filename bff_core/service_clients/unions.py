"""Unions that have no tags: a value becomes the option that fits it best."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

import msgspec
from msgspec import inspect

Options = Callable[[], tuple[Any, ...]]
Values = Callable[[], Mapping[str, type]]

_NO_VALUES: Final[Mapping[str, type]] = {}


class _OneOf(type):
    """The class of unions; a value of one of the options is an instance."""

    __from_json__: "_Decoder"

    def __instancecheck__(cls, value: object) -> bool:
        return any(_holds(option, value) for option in cls.__from_json__.options)


def one_of(name: str, options: Options, *, by: str = "", values: Values | None = None) -> Any:
    """Return a type for annotations whose values are decoded as one of several types.

    For unions that msgspec can't decode, such as that of two dataclasses. An object becomes the
    type that `values` has for its property `by`. Without one, the options are tried: of those that
    fit, the one that has fields for most of the object's properties; of equals the first. Both are
    functions because the types may refer to the union. A value that fits none is `BadPayload`.
    """
    made = _OneOf(name, (), {"__doc__": f"One of the types of `{name}`.", "__slots__": ()})
    made.__from_json__ = _Decoder(name, options, by, values)
    return made


class _Decoder:
    """Decodes plain JSON values as one of several types."""

    def __init__(self, name: str, options: Options, by: str, values: Values | None) -> None:
        self._name = name
        self._options = options
        self._by = by
        self._values = values

    @cached_property
    def options(self) -> tuple[Any, ...]:
        """The types."""
        return self._options()

    @cached_property
    def values(self) -> Mapping[str, type]:
        """The types by the values of the discriminator."""
        return _NO_VALUES if self._values is None else self._values()

    @cached_property
    def names(self) -> tuple[frozenset[str], ...]:
        """The properties that each type knows."""
        return tuple(_names(option) for option in self.options)

    def __call__(self, value: object) -> object:
        """Return the typed value; raise `ValueError` without content of the value."""
        if self._by and isinstance(value, dict):
            selected = value.get(self._by)
            kind = self.values.get(selected) if isinstance(selected, str) else None
            if kind is not None:
                return msgspec.convert(value, kind, dec_hook=decode_union)
        found = list(self._fitting(value))
        if not found:
            raise ValueError(f"the value fits no type of {self._name}")
        return max(found, key=lambda pair: pair[0])[1]  # of equals the first

    def _fitting(self, value: object) -> Iterator[tuple[int, object]]:
        """Yield the value as each type that it fits, with the number of properties it has for."""
        for option, names in zip(self.options, self.names, strict=True):
            try:
                made = msgspec.convert(value, option, dec_hook=decode_union)
            except (ValueError, TypeError):
                continue
            yield len(names & value.keys()) if isinstance(value, dict) else 0, made


def union_options(kind: object) -> tuple[Any, ...]:
    """Return the types of a union that `one_of` made; nothing for any other type."""
    return kind.__from_json__.options if isinstance(kind, _OneOf) else ()


def decode_union(kind: type, value: object) -> object:
    """Return a plain JSON value as one of the types of a union: msgspec's `dec_hook`."""
    if isinstance(kind, _OneOf):
        return kind.__from_json__(value)
    raise ValueError(f"{kind.__name__} has no decoder")


def _names(option: Any) -> frozenset[str]:
    info = inspect.type_info(option)
    if isinstance(info, inspect.StructType):
        tag = {info.tag_field} if info.tag_field else set()
        return frozenset({field.encode_name for field in info.fields} | tag)
    if isinstance(info, inspect.DataclassType):
        return frozenset(field.encode_name for field in info.fields)
    return frozenset()


def _holds(option: Any, value: object) -> bool:
    """Whether a value is of a type, as far as `isinstance` can say it."""
    origin = get_origin(option)
    if origin is Literal:
        return value in get_args(option)
    if origin in {Union, UnionType}:
        return any(_holds(one, value) for one in get_args(option))
    if option is Any:
        return True
    if option is None:
        return value is None
    kind = origin or option
    is_whole = kind is float and type(value) is int
    return isinstance(kind, type) and (is_whole or isinstance(value, kind))
