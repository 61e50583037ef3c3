"""Records what the source of one function does with the values that flow through it."""

import ast
import inspect
from collections import Counter
from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Final, Protocol

from bff_core.composition.bulk import BulkMethod
from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.composition.loader import LoaderMethod
from bff_core.inspection.function_source import place_of, wrappers_of
from bff_core.inspection.usage.flow_facts import FieldRead, FunctionFacts, FunctionKey, WholeUse
from bff_core.inspection.usage.flow_values import (
    ContainerMethod,
    FlowValue,
    InnerFunction,
    Keyed,
    OneOf,
    OwnFunction,
    ScreenPart,
    Several,
    Typed,
    hints_in,
)
from bff_core.inspection.usage.type_hints import classes_in, is_record
from bff_core.saga.saga import Saga, Step
from bff_core.upstream.client import Upstream

MAX_STATEMENTS: Final = 20_000
"""Statements that are read in one function, those of loops and inner functions each time."""


class FunctionTooLong(Exception):  # it is a result, no failure
    """A function has too many statements to be followed."""


class Readings(Protocol):
    """The functions of the project that have been read."""

    def facts_of(self, key: FunctionKey) -> FunctionFacts:
        """Return the facts of a function; those of one that is being read are not complete."""
        ...

    def may_read(self, key: FunctionKey) -> bool:
        """Whether a function is not read too often, each time with other values."""
        ...

    def is_own(self, function: FunctionType) -> bool:
        """Whether a function is the project's, so that its source is read."""
        ...

    def is_own_class(self, kind: type) -> bool:
        """Whether a class is declared in the project."""
        ...

    def named(self, name: str) -> Iterable[tuple[FunctionType, type | None]]:
        """Return the methods of the project's classes that have a name, each with its class.

        A class method and a static one have None.
        """
        ...


class FlowRecorder:
    """Holds the facts of one function while it is read; `depth` counts functions inside others."""

    def __init__(
        self,
        readings: Readings,
        function: FunctionType,
        names: dict[str, FlowValue],
        facts: FunctionFacts,
        via: str = "",
    ) -> None:
        self.readings = readings
        self.function = function
        self.names = names
        self.shared: dict[str, FlowValue] = {}
        self.module_names: set[str] = set()
        self.facts = facts
        self.via = via
        self.running: list[ast.AST] = []
        self.inner_runs: Counter[ast.AST] = Counter()
        self.statements_left = MAX_STATEMENTS

    def place(self, node: ast.AST | None) -> str:
        """Return file and line of a node."""
        return place_of(self.function, getattr(node, "lineno", 0))

    def read(self, kind: type | None, name: str, node: ast.AST | None) -> None:
        """Record that an attribute is read."""
        self.facts.reads[FieldRead(kind, name, self.place(node))] = None

    def uses_function(
        self, function: FunctionType, owner: FlowValue = None, given: Mapping[str, FlowValue] = {}
    ) -> FunctionFacts | None:
        """Record that a function of the project may run; return its facts."""
        if not self.readings.is_own(function):
            return None
        values = dict(given)
        if owner is not None:
            first = next(iter(inspect.signature(function).parameters), "")
            values.setdefault(first, owner)
        key = (function, tuple(sorted(values.items())))
        if not self.readings.may_read(key):
            for one in values.values():
                self.escape(one, f"{function.__name__} gets too many kinds of values", None)
            key = (function, ())
        facts = self.readings.facts_of(key)
        self.facts.inner[key] = None
        return facts

    def escape_hidden(self, values: Iterable[FlowValue], reason: str, node: ast.AST | None) -> None:
        """Record that code which is not read uses values; functions among them do not run."""
        for value in values:
            for hint in hints_in(value):
                self.escape(Typed(hint), reason, node)

    def escape(  # noqa: C901 # one branch for each kind of value
        self, value: FlowValue, reason: str, node: ast.AST | None
    ) -> None:
        """Record that a value goes where the source does not show what happens to it."""
        if isinstance(value, OneOf | Several):
            for one in value.values:
                self.escape(one, reason, node)
        elif isinstance(value, Keyed):
            for _, one in value.values:
                self.escape(one, reason, node)
        elif isinstance(value, Typed):
            self._escape_typed(value, reason, node)
        elif isinstance(value, OwnFunction):
            self._escape_result(self.uses_function(value.function, value.owner), reason, node)
            for each in value.wrappers:
                self._escape_result(self.uses_function(each), reason, node)
        elif isinstance(value, InnerFunction):
            self.escape(self.run_inner(value, (), {}), reason, node)
        elif isinstance(value, ScreenPart):
            self._escape_result(self.use_member(value.screen, value.member), reason, node)
        elif isinstance(value, ContainerMethod):
            self.escape(value.owner, reason, node)

    def run_inner(
        self, inner: InnerFunction, given: Iterable[FlowValue], keywords: Mapping[str, FlowValue]
    ) -> FlowValue:
        """Read a function that is defined inside this one, with the values of its parameters."""
        raise NotImplementedError

    def _escape_typed(self, value: Typed, reason: str, node: ast.AST | None) -> None:
        kinds = classes_in(value.hint)
        records = frozenset(kind for kind in kinds if is_record(kind))
        if records:
            self.facts.wholes[WholeUse(records, reason, self.place(node))] = None
        for kind in kinds:
            if issubclass(kind, Composition):
                for name in dir(kind):
                    member = inspect.getattr_static(kind, name)
                    if isinstance(member, PartMethod | LoaderMethod | BulkMethod | Step):
                        facts = self.use_member(kind, member)
                        self._escape_result(None if is_saga(kind) else facts, reason, node)
            elif issubclass(kind, Upstream):
                for name in dir(kind):
                    member = inspect.getattr_static(kind, name)
                    if isinstance(member, FunctionType):
                        facts = self.uses_function(member, Typed(kind))
                        self._escape_result(facts, reason, node)

    def _escape_result(
        self, facts: FunctionFacts | None, reason: str, node: ast.AST | None
    ) -> None:
        """Record that what a function returns goes to code that calls it."""
        if facts is not None:
            self.escape(facts.returned, reason, node)

    def use_member(
        self,
        screen: type[Composition],
        member: object,
        given: Mapping[str, FlowValue] = {},
    ) -> FunctionFacts | None:
        """Record that a part, a loader, a bulk change or a step may run; return its facts."""
        found = None
        for name in ("body", "undo", "lookup", "undo_lookup"):
            whole = getattr(member, name, None) or _nothing
            body = inspect.unwrap(whole)
            for one in wrappers_of(whole):
                self.uses_function(one)
            if isinstance(body, FunctionType) and body is not _nothing:
                facts = self.uses_function(body, Typed(screen), given if name == "body" else {})
                found = facts if name == "body" else found
        return found


def is_saga(kind: type) -> bool:
    """Whether a class is a saga: its steps get the results of others by calling them."""
    return issubclass(kind, Saga)


def _nothing() -> None:
    """Stand in for a member that there is not."""
