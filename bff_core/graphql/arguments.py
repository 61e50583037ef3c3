"""The arguments of a field that come from a part's arguments or from the inputs of a screen."""

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, is_dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import cached_property
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from uuid import UUID

import strawberry
from pydantic import BaseModel, TypeAdapter

from bff_core.compat.fastapi import Depends
from bff_core.compat.strawberry import (
    ArgumentMetadata,
    camel_case,
    get_object_definition,
    is_input_class,
)
from bff_core.composition.annotations import without_aliases
from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.composition.wiring import shape_of
from bff_core.errors import ConfigurationError, InvalidInput
from bff_core.graphql.annotations import bare, evaluated, split_none
from bff_core.graphql.inputs import checked_value
from bff_core.graphql.sizes import CONVENTIONAL_ARGUMENTS

NO_DEFAULT: Final = inspect.Parameter.empty

LISTS: Final = (list, tuple, set, frozenset, Sequence, Collection, Iterable)
"""What a list is declared as in Python; a part gets a tuple, or a frozenset for a set."""

SETS: Final = (set, frozenset)

PLAIN: Final = (bool, int, float, str, Enum, date, datetime, time, Decimal, UUID)
"""Classes of arguments that graphql-core coerces, so that Strawberry need not convert them."""

WITHOUT_TYPE: Final = (Union, UnionType, Literal, Callable, dict, tuple, Mapping)
"""Kinds of annotations that GraphQL has no input type for."""


@dataclass(frozen=True)
class FieldArgument:
    """An argument of a field: its name in Python, its annotation and its default.

    `declared` is the annotation of the part or the screen; `most` bounds a number, or the length of
    a list. If it `has_factory`, the screen makes the value where a client passes none, or null that
    the screen does not take.
    """

    name: str
    annotation: Any
    declared: Any
    default: object = NO_DEFAULT
    most: int | None = None
    has_factory: bool = False

    @cached_property
    def graphql_name(self) -> str:
        """Its name in GraphQL."""
        metadata = [one for one in _metadata(self.annotation) if isinstance(one, ArgumentMetadata)]
        given = metadata[0].name if metadata else None
        return given or camel_case(self.name)

    @cached_property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return get_origin(split_none(self.annotation)[0]) in LISTS

    @cached_property
    def leaves(self) -> Sequence[Any]:
        """The types in its annotation: those in its lists, and without None."""
        return tuple(_leaves(self.annotation))

    @cached_property
    def is_plain(self) -> bool:
        """Whether it is of a class that graphql-core coerces and that is hashable, or a list."""
        return all(
            kind is strawberry.ID or (isinstance(kind, type) and issubclass(kind, PLAIN))
            for kind in self.leaves
        )

    @property
    def is_left_out_as_none(self) -> bool:
        """Whether a client may leave it out, but Python may not."""
        return self.default is NO_DEFAULT and self.is_nullable

    @cached_property
    def is_nullable(self) -> bool:
        """Whether a client may send null."""
        return split_none(self.annotation)[1]

    @property
    def parameter(self) -> inspect.Parameter:
        """The parameter from which Strawberry makes the argument."""
        annotation = _with_lists(self.annotation)
        return inspect.Parameter(
            self.name, inspect.Parameter.KEYWORD_ONLY, default=self.default, annotation=annotation
        )

    def is_given(self, given: Mapping[str, object]) -> bool:
        """Whether the screen or the part gets a value: that of the client, or None."""
        if self.has_factory and given.get(self.name) is None:
            return self.name in given and split_none(self.declared)[1]
        return self.name in given or self.is_left_out_as_none

    def checked(self, value: object) -> object:
        """Return a hashable value; raise `InvalidInput` for one that is out of bounds."""
        if isinstance(value, list):
            value = _as_declared(value, self.declared)
        if self.most is not None and value is not None:
            self._check_most(value, self.most)
        if self._adapter is None:
            return value
        return checked_value(self.name, value, self._adapter, self.graphql_name)

    @cached_property
    def _adapter(self) -> TypeAdapter[Any] | None:
        is_bounded = any(not isinstance(one, ArgumentMetadata) for one in _metadata(self.declared))
        return TypeAdapter(self.declared) if is_bounded and self.is_plain else None

    def _check_most(self, value: Any, most: int) -> None:
        if not self.is_list and not 1 <= value <= most:
            raise InvalidInput(f"{self.graphql_name} must be 1 to {most}, not {value}.")
        items = _count(value) if self.is_list else 0
        if items > most:
            raise InvalidInput(f"{self.graphql_name} takes at most {most} items, not {items}.")


def _count(value: object) -> int:
    """Return how many items a list has, with those of the lists in it; an empty one is an item."""
    if not isinstance(value, tuple | frozenset):
        return 1
    return sum(max(1, _count(one)) for one in value)


def _as_declared(value: object, annotation: Any) -> object:
    """Return a list, and the lists in it, as a frozenset where a set is declared, else a tuple."""
    if not isinstance(value, list):
        return value
    kind, _ = split_none(annotation)
    inner = next(iter(get_args(kind)), Any)
    items = (_as_declared(one, inner) for one in value)
    return frozenset(items) if get_origin(kind) in SETS else tuple(items)


def arguments_of_part(part: PartMethod[..., Any], where: str) -> Iterator[FieldArgument]:
    """Yield the arguments of a part."""
    parameters = [*inspect.signature(part.body).parameters.values()][1:]
    for one in parameters:
        if one.annotation is NO_DEFAULT:
            raise ConfigurationError(f"{where}: annotate its argument {one.name}")
        names = getattr(part.body, "__globals__", {})
        annotation = evaluated(one.annotation, names, f"{where}, argument {one.name}")
        yield FieldArgument(one.name, annotation, annotation, one.default)


def arguments_of_screen(screen: type[Composition]) -> Iterator[FieldArgument]:
    """Yield the inputs of a composition.

    Raise `ConfigurationError` for one that a dependency fills, which a client could send.
    """
    for one in shape_of(screen).inputs:
        _, metadata = without_aliases(one.annotation)
        if any(isinstance(given, Depends) for given in (one.default, *metadata)):
            raise ConfigurationError(
                f"screen({screen.__name__}): a dependency of FastAPI fills the input {one.name}, "
                "and GraphQL runs none, so that clients would send it as an argument; make it a "
                "class with from_scope, or write a resolver that passes it to compose(...)"
            )
        declared = bare(one.annotation)  # bounds are checked where the screen is composed
        if one.factory is not None:
            hint = _or_none(one.annotation)
            yield FieldArgument(one.name, hint, declared, strawberry.UNSET, has_factory=True)
        else:
            default = NO_DEFAULT if one.is_required else one.default
            yield FieldArgument(one.name, one.annotation, declared, default)


def _or_none(annotation: Any) -> Any:
    """Return an annotation that allows None, so that clients may leave the argument out."""
    metadata = _metadata(annotation)
    optional = bare(annotation) | None
    return Annotated[(optional, *metadata)] if metadata else optional


def with_overrides(
    arguments: Sequence[FieldArgument], overrides: Mapping[str, Any], where: str
) -> list[FieldArgument]:
    """Return arguments with other names or annotations in GraphQL; those come first."""
    known = {one.name: one for one in arguments}
    unknown = sorted(overrides.keys() - known.keys())
    if unknown:
        names = ", ".join(known) or "none"
        raise ConfigurationError(f"{where}: it has no argument {unknown[0]!r}; it has {names}")
    changed = [_overridden(known[name], given) for name, given in overrides.items()]
    return [*changed, *(one for one in arguments if one.name not in overrides)]


def _overridden(argument: FieldArgument, given: Any) -> FieldArgument:
    if isinstance(given, str):
        given = Annotated[argument.annotation, strawberry.argument(name=given)]
    return replace(argument, annotation=given)


def with_most(
    arguments: Sequence[FieldArgument], most: int | None, where: str
) -> Sequence[FieldArgument]:
    """Return arguments of which those that limit the list are bounded.

    These are `first`, `last` and `limit`; without them the only number or the only list.
    """
    if most is None:
        return arguments
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise ConfigurationError(f"{where}: most is a whole number from 1 up, not {most!r}")
    limiting = _limiting(arguments)
    if not limiting:
        raise ConfigurationError(
            f"{where}: most={most} bounds an argument named first, last or limit, or else the only "
            "number or the only list; the part has no such argument"
        )
    for one in limiting:
        _check_default(one, most, where)
    return [replace(one, most=most) if one in limiting else one for one in arguments]


def _check_default(argument: FieldArgument, most: int, where: str) -> None:
    default, name = argument.default, argument.name
    if argument.is_list and (default is None or split_none(argument.declared)[1]):
        raise ConfigurationError(
            f"{where}: its argument {name} may be None, which most={most} can't bound: declare it "
            "without None, or with an empty list as its default"
        )
    size = len(default) if argument.is_list and isinstance(default, Sized) else default
    if isinstance(size, int) and size > most:
        raise ConfigurationError(f"{where}: {name} is {default} by default: over most")
    if isinstance(size, int) and size < 1 and not argument.is_list:
        raise ConfigurationError(f"{where}: {name} is {default} by default: at least 1, with most")


def _limiting(arguments: Sequence[FieldArgument]) -> list[FieldArgument]:
    numbers = [one for one in arguments if split_none(one.declared)[0] is int]
    named = [one for one in numbers if one.graphql_name in CONVENTIONAL_ARGUMENTS]
    lists = [one for one in arguments if one.is_list]
    return named or next((one for one in (numbers, lists) if len(one) == 1), [])


def check_types(arguments: Iterable[FieldArgument], where: str) -> None:
    """Raise `ConfigurationError` for an argument that GraphQL has no type for."""
    for one in arguments:
        unfit = next((kind for kind in one.leaves if not _has_type(kind)), None)
        if unfit is not None:
            name = unfit.__name__ if isinstance(unfit, type) else str(unfit)
            raise ConfigurationError(
                f"{where}: GraphQL has no type for its argument {one.name} ({name}); "
                "give an Enum or a class with @strawberry.input, or write a resolver"
            )
        if any(getattr(kind, "__hash__", None) is None for kind in _set_items(one.declared)):
            raise ConfigurationError(
                f"{where}: its argument {one.name} is a set of a class that is not hashable: "
                "declare it as a tuple, or the class with @strawberry.input and frozen=True"
            )


def _set_items(annotation: Any) -> Sequence[Any]:
    kind, _ = split_none(annotation)
    return tuple(_leaves(kind)) if get_origin(kind) in SETS else ()


def _leaves(annotation: Any) -> Iterator[Any]:
    kind, _ = split_none(annotation)
    inner = get_args(kind)
    if get_origin(kind) in LISTS and (len(inner) == 1 or inner[1:] == (Ellipsis,)):
        yield from _leaves(inner[0])
    else:
        yield kind


def _has_type(kind: Any) -> bool:
    """Whether GraphQL may have a type: an unknown class may be a scalar of the schema."""
    definition = get_object_definition(kind)
    if definition is not None:
        return is_input_class(kind)
    if kind in (Any, object) or get_origin(kind) in WITHOUT_TYPE:
        return False
    refused = (dict, tuple, Mapping, BaseModel, Composition)
    return not isinstance(kind, type) or not (is_dataclass(kind) or issubclass(kind, refused))


def _with_lists(annotation: Any) -> Any:
    """Return an annotation in which all kinds of lists are `list`, which Strawberry knows."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        return Annotated[(_with_lists(inner), *metadata)]
    kind, allows_none = split_none(annotation)
    if get_origin(kind) in LISTS:
        kind = list[_with_lists(get_args(kind)[0])]  # type: ignore[misc]  # made at run time
    return kind | None if allows_none else kind


def _metadata(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
