"""`ShapeOf`: a GraphQL type whose fields are attributes of another value, which is not copied."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from inspect import get_annotations
from operator import attrgetter
from typing import Any, Final, Generic, Self, TypeVar, get_origin, overload

import strawberry

from bff_core.compat.strawberry import (
    attribute_types,
    get_object_definition,
    item_type,
    non_null_type,
    possible_types,
)
from bff_core.errors import ConfigurationError
from bff_core.graphql.annotations import class_of_annotation, evaluated_in

V = TypeVar("V")
T = TypeVar("T")
R = TypeVar("R")

Convert = Callable[[Any], Any]

READERS: Final = "__readers__"
"""The attribute in which a class holds the readers of its fields."""

NAMED: Final = "__named_definition__"
"""The attribute in which a class with `name=` holds its definition."""


class ShapeOf(Generic[V]):
    """Base class of GraphQL types that select from a value of another class.

        class WebUser(ShapeOf[User], name="User"):
            email: str
            avatar: WebImage

            @strawberry.field
            def name(self) -> str:
                return self.source.name.full

    `WebUser.of(user)` is a `WebUser` whose fields are read from `user` when a query selects them.
    A field whose type is another `ShapeOf`, or a list of one, shapes the value that it reads.
    `GraphQL(schema)` checks that the class of the source has each attribute, and that types fit.

    `name` is that of the type in the schema. Without it, use the decorator: `@strawberry.type`,
    `@strawberry.interface`, or one with more options.
    """

    source: V

    def __init_subclass__(cls, *, name: str | None = None) -> None:
        super().__init_subclass__()
        if "source" in get_annotations(cls) or "source" in vars(cls):
            raise ConfigurationError(
                f"{cls.__name__}.source: ShapeOf takes this name; give the attribute another one, "
                'and the field its name by strawberry.field(name="source")'
            )
        if name is not None:
            strawberry.type(cls, name=name)
            setattr(cls, NAMED, get_object_definition(cls))

    @classmethod
    def of(cls, source: V) -> Self:
        """Return the shape of a value."""
        made = cls.__new__(cls)
        made.source = source
        return made


def _read(shape: ShapeOf[Any], name: str) -> object:
    """Read a field from the source; called for attributes that an instance does not have."""
    read = readers(type(shape)).get(name)
    if read is None:
        raise AttributeError(f"{type(shape).__name__!r} object has no attribute {name!r}")
    return read(shape.source)


# Not in the class, where it would make type checkers accept any attribute.
ShapeOf.__getattr__ = _read  # type: ignore[attr-defined]


class Each(Generic[T, R]):
    """A shape of each item of a list; `each(...)` makes it. An item that is None stays None."""

    __slots__ = ("of_item",)

    def __init__(self, shape: Callable[[T], R]) -> None:
        self.of_item = shape

    @overload
    def __call__(self, items: Iterable[T], /) -> list[R]: ...
    @overload
    def __call__(self, items: Iterable[T | None], /) -> list[R | None]: ...
    def __call__(self, items: Iterable[T | None], /) -> Any:
        """Return the shapes of the items."""
        shape = self.of_item
        return [None if item is None else shape(item) for item in items]


def each(shape: Callable[[T], R]) -> Each[T, R]:
    """Return a shape of lists from the shape of one item: `each(WebReview.of)`."""
    return Each(shape)


def source_type(kind: type) -> Any:
    """Return what a type is a shape of; None if it is no `ShapeOf`."""
    for base in kind.__mro__:
        for alias in vars(base).get("__orig_bases__", ()):
            if get_origin(alias) is ShapeOf:
                return evaluated_in(base, alias.__args__[0], f"the source of {base.__name__}")
    return None


def readers(kind: type) -> Mapping[str, Convert]:
    """Return functions that read the fields of a shape from its source; made at the first call."""
    found: Mapping[str, Convert] | None = vars(kind).get(READERS)
    if found is None:
        found = {name: _reader(name, one) for name, one in attribute_types(kind).items()}
        setattr(kind, READERS, found)
    return found


def _reader(name: str, kind: object) -> Convert:
    read: Convert = attrgetter(name)
    convert = conversion(kind)
    if convert is None:
        return read
    return lambda source: convert(read(source))


def conversion(kind: object) -> Convert | None:
    """Return the function that makes a value of a type of Strawberry; None if it is used as it is.

    The function passes None on.
    """
    kind = non_null_type(kind)
    item = item_type(kind)
    if item is not None:
        convert = conversion(item)
        return None if convert is None else partial(_all, convert)
    kinds = [non_null_type(one) for one in possible_types(kind)]
    shapes = {
        one: _source_class(one) if len(kinds) > 1 else object
        for one in kinds
        if isinstance(one, type) and issubclass(one, ShapeOf)
    }
    # A subclass comes before its bases, since its values are instances of those as well.
    specific_first = sorted(shapes.items(), key=lambda one: -len(one[1].__mro__))
    others = [one for one in kinds if isinstance(one, type) and one not in shapes]
    made = (ShapeOf, *others) if others else ShapeOf  # one class is checked faster than a tuple
    return partial(_shaped, dict(specific_first), made) if shapes else None


def _source_class(kind: type) -> type:
    """Return the class by whose values a shape is chosen; `object` if there are none of it."""
    source = class_of_annotation(source_type(kind)) or object
    try:
        isinstance(None, source)
    except TypeError:  # a protocol, or a dictionary of fields
        return object
    return source


def _all(convert: Convert, items: Iterable[object] | None) -> list[object] | None:
    return None if items is None else [convert(item) for item in items]


def _shaped(
    shapes: Mapping[type[ShapeOf[Any]], type], made: type | tuple[type, ...], value: object
) -> object:
    """Return the shape of a value by its class; one that is of a GraphQL type stays as it is."""
    if value is None or isinstance(value, made):
        return value
    for shape, source in shapes.items():
        if isinstance(value, source):
            return shape.of(value)
    return value
