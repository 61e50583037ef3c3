"""What annotations stand for: aliases, `NewType`, `Annotated` and arguments of generic bases."""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, NewType, Protocol, TypeVar, get_args, get_origin

Arguments = Mapping[object, object]
"""The types that a class gives the type variables of one of its bases."""


def without_aliases(hint: Any) -> tuple[Any, tuple[object, ...]]:
    """Return the type that an annotation stands for, and the metadata of all its `Annotated`."""
    metadata: tuple[object, ...] = ()
    while True:
        if get_origin(hint) is Annotated:
            hint, *inner = get_args(hint)
            metadata = (*inner, *metadata)
        elif isinstance(hint, NewType):
            hint = hint.__supertype__
        elif is_alias(hint):
            hint = value_of(hint)
        else:
            return hint, metadata


def is_alias(hint: Any) -> bool:
    """Whether an annotation is an alias (`type Id = str`), or a generic one with arguments."""
    return not isinstance(hint, type) and hasattr(hint, "__value__")


def value_of(alias: Any) -> Any:
    """Return what an alias stands for; in `Maybe[User]` the type variable of `Maybe` is `User`."""
    variables = getattr(get_origin(alias), "__type_params__", ())
    return with_arguments(alias.__value__, dict(zip(variables, get_args(alias), strict=False)))


def arguments_of_bases(cls: type, own: Arguments | None = None) -> dict[type, Arguments]:
    """Return the types that a class gives the type variables of each of its bases.

    For `class Mine(Base[SignedIn])` it has `{Base: {V: SignedIn}}`, and so on upwards.
    """
    own = own or {}
    found: dict[type, Arguments] = {cls: own}
    for base in vars(cls).get("__orig_bases__", cls.__bases__):
        kind = get_origin(base) or base
        if kind in {Generic, Protocol, object}:
            continue
        given = [with_arguments(one, own) for one in get_args(base)]
        of_base = dict(zip(getattr(kind, "__parameters__", ()), given, strict=False))
        found = arguments_of_bases(kind, of_base) | found
    return found


def with_arguments(hint: Any, arguments: Arguments) -> Any:
    """Return an annotation with types in place of its type variables."""
    if isinstance(hint, TypeVar):
        return arguments.get(hint, hint)
    variables = getattr(hint, "__parameters__", ())
    if not arguments or not variables or isinstance(hint, type):
        return hint
    return hint[tuple(arguments.get(one, one) for one in variables)]
