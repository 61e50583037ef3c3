"""The values that the parameters of a function have in a call."""

import ast
from collections.abc import Mapping, Sequence
from types import FunctionType

from bff_core.inspection.function_source import class_in, hints_of
from bff_core.inspection.values import Instance, Text, Value, WholeNumber


def bound_arguments(
    function: FunctionType,
    declared: ast.arguments,
    given: Sequence[Value],
    keywords: Mapping[str, Value],
) -> dict[str, Value]:
    """Return the values of parameters; one without a value has that of its annotation."""
    hints, bound = hints_of(function), arguments_by_name(declared, given, keywords)
    positional = [one.arg for one in (*declared.posonlyargs, *declared.args)]
    is_given = {*positional[: len(given)], *keywords}
    bound |= {name: one for name, one in _numbers(function).items() if name not in is_given}
    for name, value in bound.items():
        kind = class_in(hints.get(name))
        if value is None and kind is not None:
            bound[name] = Instance(kind)
    return bound


def _numbers(function: FunctionType) -> dict[str, Value]:
    """Return the defaults of parameters that are whole numbers."""
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    defaults = dict(zip(reversed(names), reversed(function.__defaults__ or ()), strict=False))
    found = {**defaults, **(function.__kwdefaults__ or {})}
    return {name: WholeNumber(one) for name, one in found.items() if type(one) is int}


def arguments_by_name(
    declared: ast.arguments, given: Sequence[Value], keywords: Mapping[str, Value]
) -> dict[str, Value]:
    """Return the values of parameters: those that are given, else their defaults."""
    positional = [one.arg for one in (*declared.posonlyargs, *declared.args)]
    bound: dict[str, Value] = dict.fromkeys(positional)
    defaults = zip(reversed(positional), reversed(declared.defaults), strict=False)
    bound |= {name: _default(node) for name, node in defaults}
    for one, node in zip(declared.kwonlyargs, declared.kw_defaults, strict=True):
        bound[one.arg] = _default(node)
    bound |= dict(zip(positional, given, strict=False))
    bound |= {name: value for name, value in keywords.items() if name in bound}
    return bound


def _default(node: ast.expr | None) -> Value:
    match node:
        case ast.Constant(value=str(text)):
            return Text(text)
    return None
