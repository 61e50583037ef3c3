"""The functions of a project that have been read, each once for the values that it gets."""

import ast
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import FunctionType
from typing import Final

from bff_core.inspection.function_source import hints_of, tree_of
from bff_core.inspection.usage.flow_facts import FunctionFacts, FunctionKey, reached
from bff_core.inspection.usage.flow_reader import FlowReader
from bff_core.inspection.usage.flow_recorder import FunctionTooLong
from bff_core.inspection.usage.flow_values import (
    FlowValue,
    Typed,
    holds_keys,
    holds_record,
    many,
    one_of,
)
from bff_core.inspection.usage.type_hints import class_of, has_variables, is_opaque
from bff_core.upstream.client import Upstream

MAX_READ_DEPTH: Final = 400
"""Functions that are read inside one another."""

MAX_READINGS: Final = 24
"""How often a function is read, each time with other values."""

RECURSION_LIMIT: Final = 20_000
"""Python's own limit while functions are read inside one another."""

_LIBRARIES: Final = tuple(
    str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "purelib", "platlib")
)


class SourceReadings:
    """Reads functions of the project below `root`; those of libraries are not followed."""

    def __init__(self, root: Path) -> None:
        self._root = f"{root.resolve()}/"
        self.known: dict[FunctionKey, FunctionFacts] = {}
        self._depth = 0
        self._count: Counter[FunctionType] = Counter()

    def is_own(self, function: FunctionType) -> bool:
        """Whether a function is the project's, so that its source is read."""
        file = function.__code__.co_filename
        module = str(function.__globals__.get("__name__", ""))
        is_below = file.startswith(self._root) and not module.startswith("bff_core.")
        return is_below and not file.startswith(_LIBRARIES) and "/site-packages/" not in file

    def is_own_class(self, kind: type) -> bool:
        """Whether a class is declared in the project."""
        module = sys.modules.get(kind.__module__)
        file = str(getattr(module, "__file__", None) or "")
        return file.startswith(self._root) and not kind.__module__.startswith("bff_core")

    def named(self, name: str) -> Iterable[tuple[FunctionType, type | None]]:
        """Return the methods of the project's classes that have a name, each with its class."""
        return self._by_name.get(name, ())

    @cached_property
    def _by_name(self) -> Mapping[str, list[tuple[FunctionType, type | None]]]:
        found: dict[str, list[tuple[FunctionType, type | None]]] = {}
        for kind in self._classes():
            for name, member in list(vars(kind).items()):
                function = _function_in(member)
                if function is not None and self.is_own(function) and name[:2] != "__":
                    is_bound = not isinstance(member, classmethod | staticmethod)
                    found.setdefault(name, []).append((function, kind if is_bound else None))
        return found

    def _classes(self) -> Iterator[type]:
        for module in list(sys.modules.values()):
            file = str(getattr(module, "__file__", None) or "")
            if file.startswith(self._root) and not module.__name__.startswith("bff_core"):
                for one in list(vars(module).values()):
                    if isinstance(one, type) and one.__module__ == module.__name__:
                        yield one

    def may_read(self, key: FunctionKey) -> bool:
        """Whether a function is not read too often, each time with other values."""
        if key in self.known:
            return True
        self._count[key[0]] += 1
        return self._count[key[0]] <= MAX_READINGS

    def facts_of(self, key: FunctionKey) -> FunctionFacts:
        """Return the facts of a function; those of one that is being read are not complete."""
        found = self.known.get(key)
        if found is not None:
            return found
        function, given = key
        facts = self.known[key] = FunctionFacts(returned=_declared_return(function))
        self._depth += 1
        try:
            self._read(function, dict(given), facts)
        finally:
            self._depth -= 1
        facts.is_complete = True
        return facts

    def _read(
        self, function: FunctionType, given: Mapping[str, FlowValue], facts: FunctionFacts
    ) -> None:
        tree = tree_of(function)
        names, via = self._parameters(function, tree, given)
        reader = FlowReader(self, function, names, facts, via)
        if tree is None or self._depth > MAX_READ_DEPTH:
            for one in names.values():
                reader.escape(one, "the source of the function is not available", tree)
            return
        declared, facts.returned = facts.returned, None
        try:
            if isinstance(tree, ast.Lambda):
                facts.returned = reader.value_of(tree.body)
            else:
                reader.run(tree.body)
        except (FunctionTooLong, RecursionError):
            replies = [Typed(one.reply) for one in facts.calls if one.reply is not None]
            results = [self.known[one].returned for one in facts.inner]
            values = [*names.values(), *reader.names.values(), *replies, *results]
            reader.escape_hidden(values, "the function is too long to be followed", tree)
        if declared is not None:
            found = facts.returned
            if holds_record(found):
                facts.returned = one_of(declared, found)
            else:
                facts.returned = found if holds_keys(found) else declared

    @staticmethod
    def _parameters(
        function: FunctionType,
        tree: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None,
        given: Mapping[str, FlowValue],
    ) -> tuple[dict[str, FlowValue], str]:
        """Return the values of parameters, and the method of a client, if it is one."""
        hints = hints_of(function)
        names: dict[str, FlowValue] = {}
        if tree is not None:
            declared = [*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs]
            names = {one.arg: _typed(hints.get(one.arg)) for one in declared}
            if tree.args.vararg is not None:
                names[tree.args.vararg.arg] = many(_typed(hints.get(tree.args.vararg.arg)))
        names |= given
        owner = next(iter(given.values()), None)
        kind = class_of(owner.hint) if isinstance(owner, Typed) else None
        is_client = kind is not None and issubclass(kind, Upstream)
        return names, function.__name__ if is_client else ""

    @contextmanager
    def deeply(self) -> Iterator[None]:
        """Allow deep recursion: functions are read inside one another."""
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(max(before, RECURSION_LIMIT))
        try:
            yield
        finally:
            sys.setrecursionlimit(before)

    def all_of(self, facts: FunctionFacts) -> Iterator[FunctionFacts]:
        """Yield facts, and those of all functions that are called."""
        return reached(facts, self.known)


def _typed(hint: object) -> FlowValue:
    is_known = hint is not None and not is_opaque(hint) and not has_variables(hint)
    return Typed(hint) if is_known else None


def _declared_return(function: FunctionType) -> FlowValue:
    return _typed(hints_of(function).get("return"))


def _function_in(member: object) -> FunctionType | None:
    if isinstance(member, property):
        member = member.fget
    if isinstance(member, cached_property):
        member = member.func
    if isinstance(member, classmethod | staticmethod):
        member = member.__func__
    return member if isinstance(member, FunctionType) else None
