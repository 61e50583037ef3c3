"""Reads expressions: the steps that they take, and the value that they have."""

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FunctionType

from bff_core.inspection.attributes import attribute, constant, known
from bff_core.inspection.function_source import MISSING, named, place_of
from bff_core.inspection.steps import Maybe, Repeated, Step, Unknown, in_order
from bff_core.inspection.values import (
    Instance,
    Known,
    LocalFunction,
    Many,
    Pending,
    Value,
    can_call,
    one_of,
)

Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


class Expressions(ABC):
    """Reads the expressions of one function; `steps` are those that it has taken so far.

    `names` are the values of local names. A name that is not among them is one of the module.
    """

    def __init__(self, function: FunctionType, names: dict[str, Value]) -> None:
        self.function = function
        self.names = names
        self.steps: list[Step] = []
        self.loops = 0

    @abstractmethod
    def call(self, node: ast.Call) -> Value:
        """Read a call."""

    def unknown(self, reason: str, node: ast.AST) -> None:
        """Record that the source does not show what happens."""
        line = getattr(node, "lineno", 0)
        self.steps.append(Unknown(reason, place_of(self.function, line)))

    @contextmanager
    def looped(self) -> Iterator[None]:
        """Read a loop within the context."""
        self.loops += 1
        try:
            yield
        finally:
            self.loops -= 1

    @contextmanager
    def apart(self) -> Iterator[list[Step]]:
        """Collect the steps within the context, instead of taking them."""
        before, self.steps = self.steps, []
        try:
            yield self.steps
        finally:
            self.steps = before

    def value_of(  # noqa: C901, PLR0911, PLR0912 # one branch for each kind of expression
        self, node: ast.expr | None
    ) -> Value:
        """Read an expression, and return its value; None for anything that makes no calls."""
        match node:
            case None:
                return None
            case ast.Name():
                return self._named(node.id)
            case ast.Constant():
                return constant(node.value)
            case ast.Attribute():
                return attribute(self.value_of(node.value), node.attr)
            case ast.Call():
                return self.call(node)
            case ast.Await():
                return self._awaited(node)
            case ast.NamedExpr():
                return self._assigned(node)
            case ast.IfExp():
                self.value_of(node.test)
                return self.either([[node.body], [node.orelse]])
            case ast.BoolOp():
                first = self.value_of(node.values[0])
                return one_of([first, self.either([[one] for one in node.values[1:]])])
            case ast.Lambda():
                return LocalFunction(node, self.names)
            case ast.List() | ast.Tuple() | ast.Set():
                return self._several(node.elts)
            case ast.Starred():
                return self.value_of(node.value)
            case ast.Subscript():
                return self._item(node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value_of(child)
        return None

    def either(self, branches: Sequence[Sequence[ast.expr]]) -> Value:
        """Read branches of which one is taken; return what all of their values stand for."""
        values: list[Value] = []
        taken: list[Step] = []
        for branch in branches:
            with self.apart() as steps:
                values += map(self.value_of, branch)
            taken.append(in_order(steps))
        self.take_one_of(taken)
        return one_of(values)

    def take_one_of(self, branches: Sequence[Step]) -> None:
        """Take the steps of a condition; a branch without steps is left out."""
        found = tuple(one for one in branches if one != in_order([]))
        if found:
            self.steps.append(Maybe(found))

    def bind(self, target: ast.expr, value: Value) -> None:
        """Assign a value to a name, or values to several names."""
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Starred):
            self.bind(target.value, None)
        elif isinstance(target, ast.Tuple | ast.List):
            is_same = isinstance(value, Many) and len(value.values) == len(target.elts)
            values = value.values if isinstance(value, Many) and is_same else ()
            for index, one in enumerate(target.elts):
                self.bind(one, values[index] if values else None)

    def _several(self, nodes: Sequence[ast.expr]) -> Many:
        """Return the values of a list; of a starred one, those inside if they are known."""
        found: list[Value] = []
        is_repeated = False
        for node in nodes:
            value = self.value_of(node)
            if not isinstance(node, ast.Starred):
                found.append(value)
            elif isinstance(value, Many):
                found += value.values
                is_repeated = is_repeated or value.is_repeated
            else:
                found.append(repeated_item(value))
                is_repeated = True
        return Many(tuple(found), is_repeated)

    def _item(self, node: ast.Subscript) -> Value:
        """Return the client in `app.services[Catalog]`; no other item is known."""
        self.value_of(node.value)
        item = self.value_of(node.slice)
        is_service = isinstance(node.value, ast.Attribute) and node.value.attr == "services"
        if is_service and isinstance(item, Known) and isinstance(item.value, type):
            return Instance(item.value)
        return None

    def _named(self, name: str) -> Value:
        if name in self.names:
            return self.names[name]
        found = named(self.function, name)
        return None if found is MISSING else known(found)

    def _assigned(self, node: ast.NamedExpr) -> Value:
        value = self.value_of(node.value)
        self.bind(node.target, value)
        return value

    def _awaited(self, node: ast.Await) -> Value:
        value = self.value_of(node.value)
        return self.waits_for(value, f"awaits {short(node.value)}", node)

    def waits_for(self, value: Value, reason: str, node: ast.AST) -> Value:
        """Wait for a value: take its steps, or record that they are unknown; return its result."""
        if isinstance(value, Pending):
            self.steps.append(value.step)
            return value.value
        if not (isinstance(value, Known) and value.value is NOTHING):
            self.unknown(reason, node)
        return None

    def item_of(self, source: Value, node: ast.expr) -> Value:
        """Return what the items of an iterated value stand for; record calls that differ."""
        if not isinstance(source, Many):
            return repeated_item(source)
        item = one_of(source.values)
        if item is None and any(map(can_call, source.values)):
            self.unknown(f"iterates {short(node)}, whose items differ", node)
        return item

    def _comprehension(self, node: Comprehension) -> Value:
        is_first, names = True, dict(self.names)
        most: int | None = 1
        with self.apart() as steps, self.looped():
            for one in node.generators:
                before = len(steps)
                source = self.value_of(one.iter)
                if one.is_async:
                    self.waits_for(source, f"iterates {short(one.iter)}", one.iter)
                if is_first:  # it is read once, outside the loop
                    outside, is_first = [*steps[before:]], False
                    del steps[before:]
                count = source.count if isinstance(source, Many) else None
                most = None if most is None or count is None else most * count
                self.bind(one.target, self.item_of(source, one.iter))
                for condition in one.ifs:
                    self.value_of(condition)
            parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            values = [self.value_of(part) for part in parts]
        self.names = names
        self.steps += outside
        if steps:
            self.steps.append(Repeated(in_order(steps), most=most))
        return Many((values[-1],), is_repeated=True, most=most)


def repeated_item(source: Value) -> Value:
    """Return the value of an item of a value that is iterated."""
    return one_of(source.values) if isinstance(source, Many) else None


NOTHING = object()
"""What a call returns that is known to call no service, such as a purge of the cache."""


def short(node: ast.expr) -> str:
    """Return the source of an expression, cut to a readable length."""
    text = ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:57]}..."
