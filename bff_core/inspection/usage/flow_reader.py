"""Reads the statements of one function, in the order of its source."""

import ast
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Final

from bff_core.inspection.function_source import MISSING, AnyFunction
from bff_core.inspection.usage.flow_attributes import existing
from bff_core.inspection.usage.flow_calls import bound_to
from bff_core.inspection.usage.flow_expressions import form_of, is_annotation
from bff_core.inspection.usage.flow_patterns import FlowPatterns
from bff_core.inspection.usage.flow_recorder import FunctionTooLong
from bff_core.inspection.usage.flow_values import (
    Existing,
    FlowValue,
    InnerFunction,
    Several,
    Typed,
    joined,
    one_of,
)

MAX_INNER_RUNS: Final = 12
"""How often a function inside another is read, each time with other values."""


class FlowReader(FlowPatterns):
    """Reads the statements of one function."""

    def run(self, statements: Sequence[ast.stmt]) -> None:
        """Read statements in order."""
        for one in statements:
            self._statement(one)

    def _statement(  # noqa: C901, PLR0912, PLR0915 # one branch for each kind of statement
        self, node: ast.stmt
    ) -> None:
        self.statements_left -= 1
        if self.statements_left < 0:
            raise FunctionTooLong
        match node:
            case ast.Expr():
                self.value_of(node.value)
            case ast.Assign():
                value = self.value_of(node.value)
                for target in node.targets:
                    self.bind(target, value)
            case ast.AnnAssign():
                self._annotated(node)
            case ast.AugAssign():
                before, added = self.value_of(node.target), self.value_of(node.value)
                computed = self.computed(node.op, before, added, node)
                self.bind(node.target, one_of(before, added, computed))
            case ast.Return():
                value = self.value_of(node.value)
                self.facts.returned = one_of(self.facts.returned, value)
            case ast.If():
                self.tested(self.value_of(node.test), node)
                self._branches([node.body, node.orelse])
            case ast.For() | ast.AsyncFor():
                items = self.items_of(self.value_of(node.iter), node.iter)
                self._loop(node.body, node.orelse, node.target, items)
            case ast.While():
                self.tested(self.value_of(node.test), node)
                self._loop(node.body, node.orelse)
            case ast.With() | ast.AsyncWith():
                for one in node.items:
                    value = self.value_of(one.context_expr)
                    self._enter(one, value)
                self.run(node.body)
            case ast.Try() | ast.TryStar():
                names = dict(self.names)
                self.run(node.body)
                self._tried(node, names)
                self.run(node.finalbody)
            case ast.Match():
                self.match_cases(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.names[node.name] = InnerFunction(node, self.names, self.function, self)
                for each in node.decorator_list:
                    self.apply(self.value_of(each), [self.names[node.name]], {}, node)
            case ast.Raise():
                self.value_of(node.exc)
                self.value_of(node.cause)
            case ast.Delete():
                for each in node.targets:
                    self.value_of(each)
            case ast.Global():
                self.module_names |= set(node.names)
            case ast.Assert():
                self.tested(self.value_of(node.test), node)
                self.escape(self.value_of(node.msg), "it is in a message", node)
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.ClassDef():
                self.names[node.name] = None
                self._local_class(node)

    def _enter(self, item: ast.withitem, value: FlowValue) -> None:
        """Bind what a context manager yields: itself, or what its generator yields."""
        entered = [self.special(value, name, item) for name in ("__enter__", "__aenter__")]
        for name in ("__exit__", "__aexit__"):
            self.special(value, name, item)
        if item.optional_vars is not None:
            yielded = self.items_of(value, item) if isinstance(value, Several) else None
            self.bind(item.optional_vars, one_of(value, yielded, *entered))

    def _tried(self, node: ast.Try | ast.TryStar, before: Mapping[str, FlowValue]) -> None:
        """Read what follows the body of a try, which may have failed at any statement."""
        done = self.names
        self.names = joined(before, done)
        for one in node.handlers:
            self.value_of(one.type)
        self._branches([*(one.body for one in node.handlers)])
        failed, self.names = self.names, done
        self.run(node.orelse)
        self.names = joined(failed, self.names)

    def _local_class(self, node: ast.ClassDef) -> None:
        """Read the methods of a class inside a function: they may run at any time."""
        for one in node.body:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                method = InnerFunction(one, self.names, self.function, self)
                self.escape(method, "a class inside the function returns it", one)

    def _annotated(self, node: ast.AnnAssign) -> None:
        declared = self.value_of(node.annotation)
        value = self.value_of(node.value)
        is_known = isinstance(declared, Existing) and is_annotation(declared)
        hint = Typed(form_of(declared)) if is_known and declared != Existing(None) else None
        if isinstance(node.target, ast.Name):
            self.names[node.target.id] = one_of(value, hint)
        else:
            self.bind(node.target, value)

    def _branches(self, branches: Sequence[Sequence[ast.stmt]]) -> None:
        before, after = dict(self.names), dict[str, FlowValue]()
        for one in branches:
            self.names = dict(before)
            self.run(one)
            after = joined(after, self.names)
        self.names = after

    def _loop(
        self,
        body: Sequence[ast.stmt],
        orelse: Sequence[ast.stmt],
        target: ast.expr | None = None,
        items: FlowValue = None,
    ) -> None:
        """Read a loop twice, so that its second round has what the first one assigned."""
        for _ in range(2):
            before = dict(self.names)
            if target is not None:
                self.bind(target, items)
            self.run(body)
            self.names = joined(before, self.names)
        self.run(orelse)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Bind names that are imported inside a function, if their module is loaded or can be."""
        if isinstance(node, ast.Import):
            for one in node.names:
                module = sys.modules.get(one.name.partition(".")[0] if not one.asname else one.name)
                self.names[one.asname or one.name.partition(".")[0]] = (
                    None if module is None else Existing(module)
                )
            return
        package = str(self.function.__globals__.get("__package__") or "")
        try:
            module = import_module("." * node.level + (node.module or ""), package or None)
        except Exception:  # noqa: BLE001 # the code of a user may raise anything
            module = None
        for one in node.names:
            found = getattr(module, one.name, MISSING)
            self.names[one.asname or one.name] = None if found is MISSING else existing(found)

    def run_inner(
        self, inner: InnerFunction, given: Iterable[FlowValue], keywords: Mapping[str, FlowValue]
    ) -> FlowValue:
        """Read a function that is defined inside this one, with the values of its parameters."""
        node = inner.node
        if node in self.running:  # it calls itself
            for one in (*given, *keywords.values()):
                self.escape(one, "it is passed to a function that calls itself", node)
            return None
        self.inner_runs[node] += 1
        if self.inner_runs[node] > MAX_INNER_RUNS:
            used = [*given, *keywords.values(), *inner.names.values()]
            self.escape_hidden(used, "it is passed to a function that is called too often", node)
            return None
        values = bound_to(node.args, [*given], keywords)
        later = joined(inner.scope.names, inner.scope.shared)
        names = joined(inner.names, later)
        for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            declared = None if each.annotation is None else self.value_of(each.annotation)
            hint = Typed(form_of(declared)) if is_annotation(declared) else None
            found = values.get(each.arg)
            names[each.arg] = hint if found is None else found
        before, returned, function = self.names, self.facts.returned, self.function
        self.names, self.facts.returned, self.function = names, None, inner.around
        for name, default in defaults_of(node.args):
            if names.get(name) is None:
                names[name] = self.value_of(default)
        self.running.append(node)
        around = dict(names)
        if isinstance(node, ast.Lambda):
            result = self.value_of(node.body)
        else:
            self.run(node.body)
            result = self.facts.returned
        self.running.pop()
        own = names_within(node)
        for name, value in self.names.items():
            if name not in own and around.get(name) != value:
                inner.scope.shared[name] = one_of(inner.scope.shared.get(name), value)
        self.names, self.facts.returned, self.function = before, returned, function
        return result


@lru_cache(maxsize=4096)
def names_within(node: AnyFunction) -> frozenset[str]:
    """Return the parameters and the variables of a function, not those of functions inside it."""
    declared = node.args
    own = {one.arg for one in (*declared.posonlyargs, *declared.args, *declared.kwonlyargs)}
    own |= {one.arg for one in (declared.vararg, declared.kwarg) if one is not None}
    others: set[str] = set()
    pending: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else [*node.body]
    while pending:
        one = pending.pop()
        if isinstance(one, ast.Nonlocal | ast.Global):
            others |= set(one.names)
        elif isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            own.add(one.name)
            continue
        elif isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            own.add(one.id)
        elif isinstance(one, ast.MatchAs | ast.MatchStar) and one.name:
            own.add(one.name)
        elif isinstance(one, ast.alias):
            own.add(one.asname or one.name.partition(".")[0])
        pending += ast.iter_child_nodes(one)
    return frozenset(own - others)


def defaults_of(declared: ast.arguments) -> list[tuple[str, ast.expr]]:
    """Return the names of parameters that have defaults, with these."""
    names = [one.arg for one in (*declared.posonlyargs, *declared.args)]
    found = list(zip(reversed(names), reversed(declared.defaults), strict=False))
    keywords = zip(declared.kwonlyargs, declared.kw_defaults, strict=True)
    return [*found, *((one.arg, node) for one, node in keywords if node is not None)]
