"""Reads statements, in the order in which they run."""

import ast
from collections.abc import Sequence

from bff_core.inspection.expressions import Expressions, repeated_item
from bff_core.inspection.steps import Repeated, Step, Together, in_order
from bff_core.inspection.values import LocalFunction, Pending, TaskGroup, Value


class Statements(Expressions):
    """Reads the statements of one function; `returned` are the values that it may return."""

    returned: Value = None

    def run(self, statements: Sequence[ast.stmt]) -> None:
        """Read statements."""
        for one in statements:
            self._run(one)

    def _run(self, node: ast.stmt) -> None:  # noqa: C901, PLR0912 # one branch for each kind of statement
        match node:
            case ast.Return():
                self.returned = self.value_of(node.value) or self.returned
            case ast.Assign():
                value = self.value_of(node.value)
                for target in node.targets:
                    self.bind(target, value)
            case ast.AnnAssign():
                self.bind(node.target, self.value_of(node.value))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.names[node.name] = LocalFunction(node, self.names)
            case ast.If() | ast.Match():
                self._branches(node)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._loop(node)
            case ast.Try() | ast.TryStar():
                self._attempt(node)
            case ast.With() | ast.AsyncWith():
                self._context(node)
            case ast.ClassDef() | ast.Import() | ast.ImportFrom():
                return
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.value_of(child)

    def _apart(self, statements: Sequence[ast.stmt]) -> Step:
        with self.apart() as steps:
            self.run(statements)
        return in_order(steps)

    def _branches(self, node: ast.If | ast.Match) -> None:
        if isinstance(node, ast.If):
            self.value_of(node.test)
            self.take_one_of([self._apart(node.body), self._apart(node.orelse)])
        else:
            self.value_of(node.subject)
            self.take_one_of([self._apart(case.body) for case in node.cases])

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        with self.apart() as steps:
            if isinstance(node, ast.While):
                self.value_of(node.test)
                source: Value = None
            else:
                with self.apart() as before:
                    source = self.value_of(node.iter)
                if isinstance(source, Pending):
                    before.append(source.step)
                self.bind(node.target, repeated_item(source))
            self.run(node.body)
        if not isinstance(node, ast.While):
            self.steps += before
        if steps:
            self.steps.append(Repeated(in_order(steps)))
        self.run(node.orelse)

    def _attempt(self, node: ast.Try | ast.TryStar) -> None:
        self.run(node.body)
        self.take_one_of([self._apart(one.body) for one in node.handlers])
        self.run([*node.orelse, *node.finalbody])

    def _context(self, node: ast.With | ast.AsyncWith) -> None:
        groups: list[TaskGroup] = []
        for one in node.items:
            value = self.value_of(one.context_expr)
            if isinstance(value, Pending):
                self.steps.append(value.step)
                value = value.value
            if isinstance(value, TaskGroup):
                groups.append(value)
            if one.optional_vars is not None:
                self.bind(one.optional_vars, value)
        self.run(node.body)
        for group in groups:
            if group.steps:
                self.steps.append(Together(tuple(group.steps)))
