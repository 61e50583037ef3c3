"""Checks that the fields of a `ShapeOf` fit the attributes of its source; reports mistakes early.

A field is refused only if it certainly does not fit: a source that is not annotated, or whose
annotations can't be evaluated, is accepted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from inspect import get_annotations
from typing import Any, Final, get_args, get_type_hints

from pydantic import BaseModel

from bff_core.compat.strawberry import (
    attribute_types,
    get_object_definition,
    is_interface,
    is_nullable,
    item_type,
    non_null_type,
    possible_types,
)
from bff_core.composition.annotations import with_arguments
from bff_core.composition.decorators import PartMethod
from bff_core.composition.loader import LoaderMethod
from bff_core.errors import ConfigurationError
from bff_core.graphql.annotations import bare, class_of_annotation, split_none
from bff_core.graphql.shape import NAMED, ShapeOf, source_type

UNKNOWN: Final = Any

FITTING: Final[Mapping[object, tuple[type, ...]]] = {
    str: (str,),
    int: (int,),
    float: (float, int),
    bool: (bool,),
}
"""The classes of values that fit a scalar."""


def check_shape(kind: type[ShapeOf[Any]]) -> None:
    """Raise `ConfigurationError` for a field that the source lacks, or has with another type."""
    source = source_type(kind)
    if source is None:
        raise ConfigurationError(f"{kind.__name__}: write ShapeOf[C], with the class of the source")
    named = vars(kind).get(NAMED)
    if named is not None and named is not get_object_definition(kind):
        raise ConfigurationError(
            f"{kind.__name__} has a name= and a decorator of Strawberry: remove one of them"
        )
    for name, wanted in attribute_types(kind).items():
        where = f"{kind.__name__}.{name}"
        if name in vars(kind):
            raise ConfigurationError(f"{where}: a default would hide the source's; remove it")
        advice = f"declare it by value({name_of(source)}, ...), or give it a resolver"
        found = attribute_of(source, name, where, advice)
        problem = misfit(found, wanted)
        if problem:
            owner = name_of(source)
            raise ConfigurationError(
                f"{where}: {owner}.{name} {problem}; or declare it by value({owner}, ...)"
            )


def attribute_of(source: Any, name: str, where: str, advice: str) -> Any:
    """Return the annotation of an attribute; `Any` if it can't be found out.

    Raise `ConfigurationError`, with an advice, for an attribute that a class does not have.
    """
    kind = class_of_annotation(source)
    if kind is None:
        return UNKNOWN
    declared = getattr(kind, name, None)
    if isinstance(declared, PartMethod | LoaderMethod):
        raise ConfigurationError(
            f"{where}: {kind.__name__}.{name} is a part; write part({kind.__name__}.{name}, ...)"
        )
    annotated = any(name in get_annotations(base) for base in kind.__mro__)
    is_dynamic = hasattr(kind, "__getattr__") and not issubclass(kind, BaseModel)
    if not annotated and declared is None and not is_dynamic:
        raise ConfigurationError(f"{where}: {kind.__name__} has no attribute {name!r}; {advice}")
    if isinstance(declared, property) and declared.fget is not None:
        return hints_of(declared.fget).get("return", UNKNOWN)
    given = dict(zip(getattr(kind, "__parameters__", ()), get_args(source), strict=False))
    return with_arguments(hints_of(kind).get(name, UNKNOWN), given)


def hints_of(annotated: Any) -> Mapping[str, Any]:
    """Return the evaluated annotations of a class or function; none if one can't be evaluated."""
    try:
        return get_type_hints(annotated)
    except (NameError, TypeError, AttributeError):
        return {}


def misfit(hint: Any, wanted: object) -> str:
    """Return why a value of an annotation certainly does not fit a type; empty if it may fit."""
    found, allows_none = split_none(hint)
    if allows_none and not is_nullable(wanted):
        return "may be None: allow it by `| None`"
    kind = non_null_type(wanted)
    item = item_type(kind)
    if item is not None:
        return _list_misfit(found, item)
    if found is UNKNOWN or class_of_annotation(found) is None or len(possible_types(kind)) != 1:
        return ""
    (kind,) = possible_types(kind)
    return _class_misfit(found, kind)


def _list_misfit(found: Any, item: object) -> str:
    items = items_of(found)
    if items is None:
        return f"is {name_of(found)}, no list"
    problem = misfit(items, item)
    return f"has items of another type: each {problem}" if problem else ""


def items_of(annotation: Any) -> Any:
    """Return the annotation of the items of a list; None for what is certainly no list."""
    kind = class_of_annotation(annotation)
    if kind is None or kind is object:
        return UNKNOWN
    if not issubclass(kind, Iterable) or issubclass(kind, str | bytes):
        return None
    arguments = [one for one in get_args(annotation) if one is not Ellipsis]
    return arguments[0] if len(arguments) == 1 else UNKNOWN


def _class_misfit(found: Any, kind: object) -> str:
    given = class_of_annotation(found)
    fitting = FITTING.get(kind)
    if given is None or given is object:
        return ""
    if fitting is not None:
        is_known = is_dataclass(given) or issubclass(given, str | int | float | list | tuple)
        return f"is {name_of(found)}" if is_known and not issubclass(given, fitting) else ""
    if not isinstance(kind, type) or get_object_definition(kind) is None:
        return ""
    return "" if issubclass(given, kind) else _type_misfit(found, kind)


def _type_misfit(found: Any, kind: type) -> str:
    """Return why a type of Strawberry can't shape a value; empty if it may."""
    if is_interface(kind) and issubclass(kind, ShapeOf):
        return (
            f"is {name_of(found)}, which {kind.__name__} can't shape, since it is an interface: "
            "give a function that returns an implementation, or write a union of implementations"
        )
    source = source_type(kind)
    if source is None:
        return f"is {name_of(found)}: make {kind.__name__} a ShapeOf[{name_of(found)}]"
    return "" if may_be(found, source) else f"is {name_of(found)}, not {name_of(source)}"


def may_be(found: Any, source: Any) -> bool:
    """Whether values of an annotation may be ones of the source of a shape."""
    given, wanted = class_of_annotation(found), class_of_annotation(source)
    if given is None or wanted is None or given is object:
        return True
    try:
        is_subclass = issubclass(given, wanted)
    except TypeError:  # a protocol
        return True
    has_arguments = given is wanted  # else they may have another order
    return is_subclass and (
        not has_arguments or all(map(may_be, get_args(found), get_args(source)))
    )


def name_of(annotation: Any) -> str:
    """Return how errors write an annotation."""
    annotation = bare(annotation)
    if get_args(annotation):
        return repr(annotation)
    is_class = isinstance(annotation, type)
    return annotation.__name__ if is_class else str(annotation).rpartition(".")[2]
