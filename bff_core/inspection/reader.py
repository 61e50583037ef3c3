"""Reads from source what a part or a view does: the calls it makes, the parts it awaits.

It runs no code of the user. Where the source does not show what happens, as in a call of an
attribute that is chosen at run time, a step is `Unknown`.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from types import FunctionType
from typing import Any, Final

from bff_core.composition.bulk import BulkMethod
from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.composition.failure_policy import Optional
from bff_core.composition.loader import LoaderMethod
from bff_core.composition.part import PartFailure
from bff_core.inspection.attributes import kind_of
from bff_core.inspection.frame import Frame
from bff_core.inspection.function_source import class_in, hints_of, plain_function, tree_of
from bff_core.inspection.steps import (
    PartKind,
    PartStart,
    PartWait,
    SagaRun,
    ScreenMade,
    Step,
    Unknown,
    in_order,
    leaves,
)
from bff_core.inspection.values import Instance, PartMember, Value
from bff_core.saga.saga import Step as SagaStep


@dataclass(frozen=True, slots=True)
class PartPlan:
    """A part of a screen as its class declares it, and the steps of its source.

    `failure` is None for bulk changes and steps of sagas. `undo` are the steps of a compensation.
    A part without arguments `runs_once` for each request. `fallback` is what replaces the value of
    a part that fails, as text, empty for a part that is critical.
    """

    screen: type[Composition]
    name: str
    kind: PartKind
    failure: PartFailure | None
    step: Step
    about: str
    runs_once: bool
    fallback: str = ""
    timeout: float | None = None
    undo: Step | None = None


_PLANS: Final[dict[type[Composition], Mapping[str, PartPlan]]] = {}


def parts_of(screen: type[Composition]) -> Mapping[str, PartPlan]:
    """Return the parts of a screen by name: those of its base classes first."""
    found = _PLANS.get(screen)
    if found is None:
        found = _PLANS[screen] = _read(screen)
    return found


def _read(screen: type[Composition]) -> Mapping[str, PartPlan]:
    members: dict[str, PartMember] = {}
    for base in reversed(screen.__mro__):
        for name, member in vars(base).items():
            if isinstance(member, PartMethod | LoaderMethod | BulkMethod | SagaStep):
                members.pop(name, None)
                members[name] = member
            else:
                members.pop(name, None)  # it replaces a part
    return {name: _plan(screen, name, member) for name, member in members.items()}


def steps_of_function(function: Callable[..., Any], **given: Value) -> Step:
    """Return the steps of a view, a resolver or another function, by its annotations."""
    plain = plain_function(function)
    if plain is None:
        return Unknown(f"{getattr(function, '__qualname__', function)!s} is no function", "")
    return _steps(plain, given)


def _plan(screen: type[Composition], name: str, member: PartMember) -> PartPlan:
    options = getattr(member, "options", None)
    failure = getattr(member, "failure", None) or getattr(options, "failure", None)
    undo = getattr(member, "undo", None)
    return PartPlan(
        screen,
        name,
        kind_of(member),
        failure,
        _of_method(screen, member.body),
        (member.__doc__ or "").strip().partition("\n")[0],
        isinstance(member, SagaStep)
        or (isinstance(member, PartMethod) and not len(member.arguments)),
        _fallback_of(member),
        getattr(failure, "timeout", None),
        None if undo is None else _of_method(screen, undo),
    )


def _fallback_of(member: PartMember) -> str:
    """Return what replaces the value of an optional part, as text."""
    if isinstance(member, LoaderMethod):
        value = member.options.fallback
        return "" if value is MISSING else repr(value)
    failure = getattr(member, "failure", None)
    if not isinstance(failure, Optional):
        return ""
    if failure.fallback is MISSING:
        return "None"
    called = getattr(failure.fallback, "__name__", "")
    return f"{called}()" if called and callable(failure.fallback) else repr(failure.fallback)


def _of_method(screen: type[Composition], body: Callable[..., Any]) -> Step:
    plain = plain_function(body)
    if plain is None:
        return Unknown(f"{body!r} is no function", "")
    return _steps(plain, {}, Instance(screen))


def _steps(function: FunctionType, given: Mapping[str, Value], owner: Value = None) -> Step:
    tree = tree_of(function)
    if tree is None or isinstance(tree, ast.Lambda):
        return Unknown(f"the source of {function.__qualname__} is not available", "")
    hints, names = hints_of(function), dict[str, Value]()
    parameters = [*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs]
    for index, one in enumerate(parameters):
        kind = class_in(hints.get(one.arg))
        declared = None if kind is None else Instance(kind)
        names[one.arg] = owner if index == 0 and owner is not None else declared
    frame = Frame(function, {**names, **given}, ((function.__code__, owner),))
    frame.run(tree.body)
    return in_order(frame.steps)


def screens_in(step: Step) -> list[type[Composition]]:
    """Return the screens whose parts a step starts or awaits, each once."""
    found: list[type[Composition]] = []
    for one in leaves(step):
        if isinstance(one, PartStart | PartWait):
            found.append(one.part.screen)
        elif isinstance(one, ScreenMade):
            found.append(one.screen)
        elif isinstance(one, SagaRun):
            found.append(one.saga)
    return list(dict.fromkeys(found))
