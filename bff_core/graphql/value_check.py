"""Checks that the value of a part, and its shape, fit the type of the field.

A field is refused only if it certainly does not fit: what is not annotated is accepted.
"""

from collections.abc import Callable
from dataclasses import MISSING
from inspect import isclass
from typing import Any, NamedTuple, get_args

from bff_core.compat.strawberry import (
    get_object_definition,
    is_interface,
    is_nullable,
    item_type,
    non_null_type,
    possible_types,
)
from bff_core.composition.failure_policy import Optional
from bff_core.errors import ConfigurationError
from bff_core.graphql.annotations import class_of_annotation, evaluated, split_none
from bff_core.graphql.field_plan import (
    Composed,
    ComposedPart,
    FieldPlan,
    FromSource,
    HeldPart,
    LoadedValue,
)
from bff_core.graphql.shape import Each, ShapeOf, source_type
from bff_core.graphql.shape_check import hints_of, items_of, may_be, misfit, name_of


class _Value(NamedTuple):
    """The annotation of a value without None, and whether the value may be None."""

    annotation: Any
    may_be_none: bool = False


def check_value(plan: FieldPlan, wanted: object, where: str) -> None:
    """Raise `ConfigurationError` for a field whose part or shape is of another type."""
    value = _value_of(plan)
    if value.may_be_none and not is_nullable(wanted):
        raise ConfigurationError(
            f"{where} = {plan.label} may be None: annotate the field with `| None`, or give the "
            "part a fallback"
        )
    problem = _shape_problem(plan.shape, value.annotation)
    if not problem:
        problem = _problem(_shaped(plan.shape, value.annotation), wanted)
    if problem:
        raise ConfigurationError(f"{where} = {plan.label}: {problem}")


def _value_of(plan: FieldPlan) -> _Value:
    """Return what the shape of a plan gets."""
    match plan:
        case HeldPart() | ComposedPart():
            failure = plan.part.failure
            found, may_be_none = split_none(_returned(plan.part.body))
            becomes_none = isinstance(failure, Optional) and failure.fallback in (None, MISSING)
            return _Value(found, may_be_none or becomes_none)
        case LoadedValue():
            options = plan.loader.options
            arguments = get_args(_returned(plan.loader.body))
            found, may_be_none = split_none(arguments[1] if len(arguments) == 2 else Any)
            is_optional = options.missing is None or options.fallback is None
            return _Value(found, may_be_none or is_optional)
        case Composed():
            return _Value(plan.screen)
        case FromSource():
            return _Value(plan.source)
    return _Value(Any)


def _returned(function: Any) -> Any:
    """Return the annotation of what a function returns; `Any` if it has none that is known."""
    annotation = getattr(function, "__annotations__", {}).get("return", Any)
    try:
        return evaluated(annotation, getattr(function, "__globals__", {}), "")
    except (ConfigurationError, TypeError):
        return Any


def _shape_class(shape: object) -> type[ShapeOf[Any]] | None:
    """Return `WebUser` for the shape `WebUser.of`; None for another function."""
    owner = getattr(shape, "__self__", None)
    is_of = getattr(shape, "__func__", None) is vars(ShapeOf)["of"].__func__
    return owner if is_of and isclass(owner) and issubclass(owner, ShapeOf) else None


def _shape_problem(shape: Callable[[Any], Any] | None, value: Any) -> str:
    """Return why a shape does not take a value; empty if it may."""
    if isinstance(shape, Each):
        items = items_of(value)
        if items is None:
            return f"each(...) takes a list, not {name_of(value)}: give the shape without each"
        return _shape_problem(shape.of_item, split_none(items)[0])
    kind = _shape_class(shape)
    return "" if kind is None else _source_problem(kind, value)


def _source_problem(kind: type[ShapeOf[Any]], value: Any) -> str:
    """Return why `kind.of` does not take a value; empty if it may."""
    if is_interface(kind):
        return (
            f"{kind.__name__} is an interface, so that {kind.__name__}.of makes no value: give a "
            "function that returns an implementation"
        )
    source = source_type(kind)
    if may_be(value, source):
        return ""
    items = items_of(value)
    if items is not None and may_be(split_none(items)[0], source):
        return f"the value is a list, {name_of(value)}: write each({kind.__name__}.of)"
    return (
        f"{kind.__name__}.of takes {name_of(source)}, not {name_of(value)}: give the shape of "
        f"{name_of(value)}"
    )


def _shaped(shape: Callable[[Any], Any] | None, value: Any) -> Any:
    """Return the annotation of what a shape returns."""
    if shape is None:
        return value
    if isinstance(shape, Each):
        item, may_be_none = split_none(items_of(value))
        made = _shaped(shape.of_item, item)
        made = made | None if may_be_none and made is not Any else made
        return list[made]  # type: ignore[valid-type]  # made at run time
    if isclass(shape):
        return shape
    return _shape_class(shape) or hints_of(shape).get("return", Any)


def _problem(made: Any, wanted: object) -> str:
    """Return why a value that a field gets does not fit its type; empty if it may."""
    found, may_be_none = split_none(made)
    if may_be_none and not is_nullable(wanted):
        return "it may be None: annotate the field with `| None`"
    kind, given = non_null_type(wanted), class_of_annotation(found)
    item = item_type(kind)
    if item is not None:
        items = items_of(found)
        if items is None:
            return f"it is {name_of(found)}, and the field a list"
        problem = _problem(items, item)
        return f"each item: {problem}" if problem else ""
    if given is None or given is object:
        return ""
    kinds = [non_null_type(one) for one in possible_types(kind)]
    return _class_problem(found, given, kinds)


def _class_problem(found: Any, given: type, kinds: list[object]) -> str:
    types = [one for one in kinds if isinstance(one, type) and get_object_definition(one)]
    if len(types) < len(kinds) or not types:
        problem = misfit(found, kinds[0]) if len(kinds) == 1 else ""
        return f"it {problem}" if problem else ""
    if any(issubclass(given, one) or issubclass(one, given) for one in types):
        return ""
    names = " or ".join(one.__name__ for one in types)
    shape = next((one for one in types if issubclass(one, ShapeOf)), None)
    if get_object_definition(given) is not None:
        return f"it is {name_of(found)}, and the field {names}"
    if shape is None:
        return ""  # Strawberry reads the attributes of any class
    items = items_of(found)
    advice = f"each({shape.__name__}.of)" if items is not None else f"{shape.__name__}.of"
    return f"it is {name_of(found)}, and the field {names}: give a shape, such as {advice}"
