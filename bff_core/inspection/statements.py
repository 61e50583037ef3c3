"""Reads statements, in the order in which they run."""

import ast
from collections.abc import Mapping, Sequence

from bff_core.inspection.expressions import Expressions, short
from bff_core.inspection.steps import Repeated, Step, Together, in_order
from bff_core.inspection.values import LocalFunction, Many, TaskGroup, Value, one_of


class Statements(Expressions):
    """Reads the statements of one function; `returned` are the values that it may return."""

    returned: Value = None
    _has_returned = False

    def run(self, statements: Sequence[ast.stmt]) -> None:
        """Read statements."""
        for one in statements:
            self._run(one)

    def _run(self, node: ast.stmt) -> None:  # noqa: C901, PLR0912 # one branch for each kind of statement
        match node:
            case ast.Return():
                self._return(self.value_of(node.value))
            case ast.Assign():
                value = self.value_of(node.value)
                for target in node.targets:
                    self.bind(target, value)
            case ast.AnnAssign():
                self.bind(node.target, self.value_of(node.value))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                local = LocalFunction(node, self.names)
                self.names[node.name] = None if node.decorator_list else local
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
            self._one_of_blocks([node.body, node.orelse])
        else:
            self.value_of(node.subject)
            self._one_of_blocks([*(case.body for case in node.cases), []])

    def _one_of_blocks(self, blocks: Sequence[Sequence[ast.stmt]]) -> None:
        """Read blocks of which one runs; a name has what all its values stand for afterwards."""
        before, steps, ends = dict(self.names), list[Step](), list[dict[str, Value]]()
        for block in blocks:
            self._rename(before)
            steps.append(self._apart(block))
            ends.append(dict(self.names))
        names = dict.fromkeys(name for end in ends for name in end)
        self._rename({name: one_of(end.get(name) for end in ends) for name in names})
        self.take_one_of(steps)

    def _rename(self, names: Mapping[str, Value]) -> None:
        """Give names their values, also for the functions inside that hold them."""
        self.names.clear()
        self.names.update(names)

    def _return(self, value: Value) -> None:
        self.returned = one_of([self.returned, value]) if self._has_returned else value
        self._has_returned = True

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        count, unit = None, "round of a loop"
        if not isinstance(node, ast.While):
            source, unit = self.value_of(node.iter), "item"
            if isinstance(node, ast.AsyncFor):
                self.waits_for(source, f"iterates {short(node.iter)}", node.iter)
            count = source.count if isinstance(source, Many) else None
            self.bind(node.target, self.item_of(source, node.iter))
        with self.apart() as steps, self.looped():
            if isinstance(node, ast.While):
                self.value_of(node.test)
            self.run(node.body)
        if steps:
            self.steps.append(Repeated(in_order(steps), most=count, unit=unit))
        self.run(node.orelse)

    def _attempt(self, node: ast.Try | ast.TryStar) -> None:
        self.run(node.body)
        self._one_of_blocks([[], *(one.body for one in node.handlers)])
        self.run([*node.orelse, *node.finalbody])

    def _context(self, node: ast.With | ast.AsyncWith) -> None:
        groups: list[TaskGroup] = []
        for one in node.items:
            value = self.value_of(one.context_expr)
            if isinstance(value, TaskGroup):
                groups.append(value)
            elif isinstance(node, ast.AsyncWith):
                reason = f"enters {short(one.context_expr)}"
                value = self.waits_for(value, reason, one.context_expr)
            if one.optional_vars is not None:
                self.bind(one.optional_vars, value)
        self.run(node.body)
        for group in groups:
            if group.steps:
                self.steps.append(Together(tuple(group.steps)))
