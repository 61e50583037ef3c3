"""Checks that the options of routes have the types that their dataclass declares."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from bff_core.policy.options import described, members_of
from bff_core.proxy.option_faults import FieldPath, OptionFault


def type_faults(options: object) -> Iterator[OptionFault]:
    """Yield the fields of a wrong type, and those that are out of their range."""
    kind: type = type(options)
    for option in described(kind):
        value = getattr(options, option.name)
        found = list(_faults((option.name,), value, declared_types(kind)[option.name]))
        yield from found
        if not found and (complaint := option.complaint(value)):
            yield OptionFault((option.name,), complaint)


@cache
def declared_types(kind: type) -> Mapping[str, Any]:
    """Return the types of the fields by name, without their ranges."""
    return get_type_hints(kind)


def _faults(path: FieldPath, value: object, hint: Any) -> Iterator[OptionFault]:
    if _fits(value, hint):
        return
    inner = _inner_of(value, hint)
    if inner is None:
        yield OptionFault(path, f"must be {' or '.join(map(_wanted, _members(hint)))}")
        return
    for part, one, kind in inner:
        yield from _faults((*path, part), one, kind)


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) is Union else members_of(hint)


def _inner_of(value: object, hint: Any) -> list[tuple[str | int, object, Any]] | None:
    """Return the members of a value with their types, where the value itself is of its type."""
    for kind in _members(hint):
        origin, inner = get_origin(kind), get_args(kind)
        if origin is tuple and inner[-1] is ... and isinstance(value, tuple):
            return [(place, one, inner[0]) for place, one in enumerate(value)]
        if origin is _MAPPING and isinstance(value, Mapping):
            return [(str(key), one, inner[1]) for key, one in value.items()]
    return None


_MAPPING: Final = get_origin(Mapping[str, str])


def _fits(value: object, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return any(_fits(value, one) for one in inner)
    check = _FITS.get(origin)
    return _is_of(value, hint) if check is None else check(value, inner)


def _is_of(value: object, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _is_tuple(value: object, inner: tuple[Any, ...]) -> bool:
    if not isinstance(value, tuple):
        return False
    if inner[-1] is ...:
        return all(_fits(one, inner[0]) for one in value)
    return len(value) == len(inner) and all(map(_fits, value, inner))


def _is_mapping(value: object, inner: tuple[Any, ...]) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(key, str) and _fits(one, inner[1]) for key, one in value.items()
    )


_FITS: Final[Mapping[Any, Callable[[object, tuple[Any, ...]], bool]]] = {
    tuple: _is_tuple,
    _MAPPING: _is_mapping,
    Literal: lambda value, inner: isinstance(value, str) and value in inner,
    type: lambda value, inner: isinstance(value, type) and issubclass(value, inner[0]),
}


def _wanted(hint: Any) -> str:
    """Return what a value must be, for people who write Python."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple:
        is_any = inner[-1] is ...
        return f"a tuple of {_wanted(inner[0])}" if is_any else f"a tuple of {len(inner)} texts"
    if origin is Literal:
        return " or ".join(map(repr, inner))
    if origin is _MAPPING:
        return f"a dictionary with {_wanted(inner[1])} by name"
    if origin is type:
        return f"a subclass of {inner[0].__name__}"
    if origin in {Union, UnionType}:
        return " or ".join(map(_wanted, inner))
    return _NAMES.get(hint, f"{hint.__name__}(...)")


_NAMES: Final[Mapping[Any, str]] = {
    NoneType: "None",
    bool: "True or False",
    float: "a number",
    int: "a whole number",
    str: "text",
}
