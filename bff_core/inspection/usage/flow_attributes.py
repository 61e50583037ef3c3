"""What an attribute of a value is, and the field that is read with it."""

import ast
import asyncio
import inspect
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any, Final, get_args

from bff_core.composition.bulk import BulkMethod
from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.composition.loader import LoaderMethod
from bff_core.inspection.attributes import GRAPHQL_VERBS, VERBS, uses_graphql
from bff_core.inspection.function_source import plain_function, wrappers_of
from bff_core.inspection.usage.flow_recorder import FlowRecorder
from bff_core.inspection.usage.flow_values import (
    ClientVerb,
    ContainerMethod,
    Existing,
    FlowValue,
    Keyed,
    OwnFunction,
    ScreenPart,
    Several,
    Typed,
    one_of,
    options_of,
)
from bff_core.inspection.usage.type_hints import (
    Hint,
    attribute_hint,
    bound_variables,
    class_hints,
    class_of,
    is_opaque,
    is_record,
    members,
    substituted,
)
from bff_core.saga.saga import Step
from bff_core.upstream.client import Upstream
from bff_core.upstream.typed_reply import TypedReply

CONTAINERS: Final = (list, dict, set, deque, asyncio.Task, asyncio.Queue)
"""What several values may be held in: no other attribute of several values is followed."""


class FlowAttributes(FlowRecorder):
    """Reads attributes of values."""

    def apply(
        self,
        function: FlowValue,
        given: Sequence[FlowValue],
        keywords: Mapping[str, FlowValue],
        node: ast.AST,
    ) -> FlowValue:
        """Return what a call of a value returns."""
        raise NotImplementedError

    def attribute(self, value: FlowValue, name: str, node: ast.AST | None) -> FlowValue:
        """Return an attribute of a value, and record that it is read."""
        options = options_of(value)
        known = [one for one in options if one != Existing(None)]  # None has no attribute
        return one_of(*(self._attribute(one, name, node) for one in known or options))

    def _attribute(  # noqa: PLR0911 # one branch for each kind of value
        self, value: FlowValue, name: str, node: ast.AST | None
    ) -> FlowValue:
        match value:
            case Typed():
                kinds = members(value.hint)
                having = [one for one in kinds if _may_have(one, name)]  # others are ruled out
                return one_of(*(self._of_type(one, name, node) for one in having or kinds))
            case Existing(value=None):  # what it is instead was assigned out of sight
                return self._of_unknown(name, node)
            case Existing():
                return self.of_existing(value.value, name)
            case Several() | Keyed():
                if any(hasattr(kind, name) for kind in CONTAINERS):
                    return ContainerMethod(value, name)
                held = value.values if isinstance(value, Several) else dict(value.values).values()
                return self.attribute(one_of(*held), name, node)
            case ScreenPart() if name == "many":
                return ScreenPart(value.screen, value.member, is_many=True)
            case None:
                return self._of_unknown(name, node)
        return None

    def _of_unknown(self, name: str, node: ast.AST | None) -> FlowValue:
        """Record a read of an object whose class the source does not show."""
        self.read(None, name, node)
        for function, kind in self.readings.named(name):
            self.uses_function(function, None if kind is None else Typed(kind))
        return None

    def _of_type(  # noqa: PLR0911 # one branch for each kind of class
        self, hint: Hint, name: str, node: ast.AST | None
    ) -> FlowValue:
        kind = class_of(hint)
        if kind is None or is_opaque(hint):
            return self._of_unknown(name, node)
        if issubclass(kind, TypedReply):
            found = attribute_hint(hint, name)
            return None if found is None else Typed(found)
        if issubclass(kind, Composition | Upstream):
            return self._of_client(kind, name, node)
        if is_shape(kind):
            return self._of_shape(kind, name, node)
        if getattr(kind, "_is_protocol", False):
            self.read(None, name, node)
            return self._declared(hint, name, node)
        if is_record(kind):
            self.read(kind, name, node)
            return self._of_record(hint, kind, name, node)
        if kind.__module__ == "builtins" or get_args(hint) or kind.__module__.startswith("collect"):
            return ContainerMethod(Typed(hint), name)
        return self._declared(hint, name, node)

    def _of_client(self, kind: type, name: str, node: ast.AST | None) -> FlowValue:
        static = inspect.getattr_static(kind, name, None)
        if isinstance(static, PartMethod | LoaderMethod | BulkMethod | Step):
            for one in _subclasses(kind):
                if name in vars(one):
                    self.use_member(one, vars(one)[name])
            return ScreenPart(kind, static)
        if issubclass(kind, Upstream) and name in VERBS:
            return ClientVerb(kind, name)
        if issubclass(kind, Upstream) and name in GRAPHQL_VERBS and is_of_framework(static):
            return ClientVerb(kind, name)
        found = self.member(kind, static, Typed(kind))
        if found is not None:
            for one in _subclasses(kind):
                if isinstance(vars(one).get(name), FunctionType):
                    self.uses_function(vars(one)[name], Typed(one))
            return found
        hint = attribute_hint(kind, name)
        if hint is None and issubclass(kind, Upstream) and static is None:
            self.escape(Typed(kind), f"{kind.__name__}.{name} is chosen at run time", node)
        return None if hint is None else Typed(hint)

    def _of_shape(self, kind: type, name: str, node: ast.AST | None) -> FlowValue:
        """Read a field of a GraphQL type that shows another value."""
        from bff_core.graphql.shape import source_type  # noqa: PLC0415 # needs its library

        source = source_type(kind)
        if name == "source":
            return None if source is None else Typed(source)
        static = inspect.getattr_static(kind, name, None)
        found = self.member(kind, static, Typed(kind))
        if found is not None:
            return found
        if source is not None and name in class_hints(kind):
            return self.attribute(Typed(source), name, node)
        return None

    def _of_record(self, hint: Hint, kind: type, name: str, node: ast.AST | None) -> FlowValue:
        declared = attribute_hint(hint, name)
        if declared is not None:
            return Typed(declared)
        static = inspect.getattr_static(kind, name, None)
        found = self.member(kind, static, Typed(hint))
        if found is not None:
            return one_of(found, *self._overridden(kind, name))
        inherited = [one for one in _subclasses(kind) if _has(one, name)]
        if inherited:
            return one_of(*(self._of_record(one, one, name, node) for one in inherited))
        is_hidden = name.startswith("__") and name != "__class__"
        if static is None or is_hidden or callable(static) or isinstance(static, property):
            self.escape(Typed(hint), f".{name} of {kind.__name__} is not its own", node)
        return None

    def _declared(self, hint: Hint, name: str, node: ast.AST | None) -> FlowValue:
        kind = class_of(hint)
        declared = attribute_hint(hint, name)
        if declared is not None:
            return Typed(declared)
        if kind is None:
            return self._of_unknown(name, node)
        found = self.member(kind, inspect.getattr_static(kind, name, None), Typed(hint))
        return one_of(found, *self._overridden(kind, name))

    def _overridden(self, kind: type, name: str) -> Iterator[FlowValue]:
        """Yield what subclasses declare instead of a method or property of a class."""
        for one in _subclasses(kind):
            if name in vars(one) and self.readings.is_own_class(one):
                yield self.member(one, vars(one)[name], Typed(one))

    def special(
        self, value: FlowValue, name: str, node: ast.AST, given: Sequence[FlowValue] = ()
    ) -> FlowValue:
        """Return what a special method of the project's classes returns, such as `__add__`."""
        found: list[FlowValue] = []
        for option in options_of(value):
            for hint in members(option.hint) if isinstance(option, Typed) else ():
                kind = class_of(hint)
                static = None if kind is None else inspect.getattr_static(kind, name, None)
                if kind is None or not isinstance(static, FunctionType):
                    continue
                if self.readings.is_own(static):
                    member = one_of(
                        self.member(kind, static, Typed(hint)), *self._overridden(kind, name)
                    )
                    found.append(self.apply(member, given, {}, node))
        return one_of(*found)

    def tested(self, value: FlowValue, node: ast.AST) -> FlowValue:
        """Return a value whose truth is tested: its class may compute that, or its length."""
        for name in ("__bool__", "__len__"):
            self.special(value, name, node)
        return value

    def member(self, kind: type, static: object, owner: Typed) -> FlowValue:
        """Return a method, or the value of a property, that a class declares."""
        if isinstance(static, classmethod | staticmethod):
            plain = plain_function(static.__func__)
            first: FlowValue = Existing(kind) if isinstance(static, classmethod) else None
            around = wrappers_of(static.__func__)
            return None if plain is None else OwnFunction(plain, first, around)
        if isinstance(static, FunctionType):
            plain = plain_function(static)
            return None if plain is None else OwnFunction(plain, owner, wrappers_of(static))
        if isinstance(static, str):
            return Existing(static)
        getter = getattr(static, "fget", None) if isinstance(static, property) else None
        if isinstance(static, cached_property):
            getter = static.func
        if getter is None or not self.readings.is_own(getter):
            return None
        facts = self.uses_function(getter, owner)
        found = None if facts is None else facts.returned
        bound = bound_variables(owner.hint)
        return Typed(substituted(found.hint, bound)) if isinstance(found, Typed) else found

    def of_existing(  # noqa: PLR0911 # one branch for each kind of object
        self, one: object, name: str
    ) -> FlowValue:
        """Return an attribute of an object that exists; no code of it is run."""
        if isinstance(one, ModuleType):
            if name in vars(one):
                return existing(vars(one)[name])
            inner = sys.modules.get(f"{one.__name__}.{name}")
            return None if inner is None else Existing(inner)
        static = inspect.getattr_static(one, name, None)
        if isinstance(one, type):
            if isinstance(static, classmethod):
                plain = plain_function(static.__func__)
                return None if plain is None else OwnFunction(plain, Existing(one))
            if is_screen_member(static) and issubclass(one, Composition):
                return ScreenPart(one, static)
            found = static.__func__ if isinstance(static, staticmethod) else static
            return None if found is None else existing(found)
        kind = type(one)
        if isinstance(static, FunctionType):
            return OwnFunction(static, Typed(kind))
        if static is not None and name in getattr(one, "__dict__", {}):
            return existing(static)
        return self._attribute(Typed(kind), name, None)


def is_of_framework(one: object) -> bool:
    """Whether a function is one of the framework."""
    return str(getattr(one, "__module__", "")).startswith("bff_core.")


def is_screen_member(one: object) -> bool:
    """Whether an attribute of a class is a part, a loader, a bulk change or a step."""
    return isinstance(one, PartMethod | LoaderMethod | BulkMethod | Step)


def is_shape(kind: type) -> bool:
    """Whether a class is a GraphQL type that shows another value."""
    if not uses_graphql():
        return False
    from bff_core.graphql.shape import ShapeOf  # noqa: PLC0415 # needs its library

    return issubclass(kind, ShapeOf)


def existing(one: object) -> FlowValue:
    """Return the value of an object that exists before a function runs."""
    if isinstance(one, classmethod | staticmethod):
        one = one.__func__
    if isinstance(one, type):
        return Existing(one)
    plain = plain_function(one) if isinstance(one, Callable) else None  # type: ignore[arg-type]  # a form
    registered = getattr(one, "registry", None)
    if isinstance(registered, Mapping) and hasattr(one, "dispatch"):  # singledispatch
        return one_of(*(existing(each) for each in registered.values()))
    if plain is not None and isinstance(one, FunctionType):
        return OwnFunction(plain, None, wrappers_of(one))
    if plain is not None and not is_screen_member(one):  # lru_cache
        return one_of(OwnFunction(plain), Existing(one))
    bound: Any = getattr(one, "__func__", None)
    if isinstance(bound, FunctionType) and hasattr(one, "__self__"):
        owner = one.__self__
        return OwnFunction(
            bound, Existing(owner) if isinstance(owner, type) else Typed(type(owner))
        )
    return Existing(one)


def _subclasses(kind: type) -> list[type]:
    found: list[type] = []
    below: list[type] = type.__subclasses__(kind)
    for one in below:
        found += [one, *_subclasses(one)]
    return found


def _may_have(hint: Hint, name: str) -> bool:
    """Whether values of a type may have an attribute."""
    kind = class_of(hint)
    if kind is None or not is_record(kind):
        return True
    return any(_has(one, name) for one in (kind, *_subclasses(kind)))


def _has(kind: type, name: str) -> bool:
    return name in class_hints(kind) or inspect.getattr_static(kind, name, None) is not None
