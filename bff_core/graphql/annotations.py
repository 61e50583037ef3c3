"""Evaluates annotations one by one, so that one that can't be evaluated spoils no other."""

import sys
from collections.abc import Mapping
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from bff_core.composition.annotations import is_alias, value_of
from bff_core.errors import ConfigurationError


def evaluated(annotation: object, names: Mapping[str, object], what: str) -> Any:
    """Return an annotation, evaluated if it is (or holds) a string.

    Raise `ConfigurationError` for a name that is not defined; `what` says whose annotation it is.
    """
    holder = SimpleNamespace(__annotations__={"one": annotation})
    try:
        return get_type_hints(holder, dict(names), include_extras=True)["one"]
    except NameError as error:
        raise ConfigurationError(
            f"{what}: its annotation {annotation!r} can't be evaluated ({error}); define or "
            "import the name where it is there at run time"
        ) from error


def evaluated_in(kind: type, annotation: object, what: str) -> Any:
    """Return an annotation that the module of a class holds."""
    return evaluated(annotation, vars(sys.modules[kind.__module__]), what)


def bare(annotation: Any) -> Any:
    """Return an annotation without `Annotated`, and what an alias (`type Id = str`) stands for."""
    while is_alias(annotation):
        annotation = value_of(annotation)
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def split_none(annotation: Any) -> tuple[Any, bool]:
    """Return an annotation without None, and whether it allowed None."""
    annotation = bare(annotation)
    if get_origin(annotation) not in (Union, UnionType):
        return annotation, annotation is NoneType
    kinds = [one for one in get_args(annotation) if one is not NoneType]
    allows_none = len(kinds) < len(get_args(annotation))
    return (Union[tuple(kinds)] if kinds else NoneType), allows_none  # noqa: UP007 # at run time


def class_of_annotation(annotation: Any) -> type | None:
    """Return the class of an annotation such as `Page` or `Page[Item]`; None if it has none."""
    found = get_origin(annotation) or annotation
    return found if isinstance(found, type) and found not in (Union, UnionType, Any) else None
