"""Reads the code of a project: the methods of its services, and the parts of its screens."""

import ast
import builtins
import importlib.util
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from bff_core.cli.errors import CannotRun
from bff_core.upstream.client import Upstream

VERBS = {"delete", "get", "patch", "post", "put"}

Names = set[tuple[str, str]]
"""What a piece of code needs imported: modules and names."""


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """A call of a service: its method and path, and the type of its reply."""

    route: str
    reply: object


@dataclass(frozen=True, slots=True)
class Source:
    """A module of the project, imported, with its syntax tree."""

    module: ModuleType
    tree: ast.Module

    def classes(self) -> list[type]:
        """Return the classes that the module defines, in their order."""
        own = (one for one in vars(self.module).values() if isinstance(one, type))
        return [one for one in own if one.__module__ == self.module.__name__]

    def methods(self, name: str) -> dict[str, ast.AsyncFunctionDef]:
        """Return the asynchronous methods of a class, by name."""
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return {one.name: one for one in node.body if isinstance(one, ast.AsyncFunctionDef)}
        return {}

    def names_in(self, annotation: ast.expr) -> Names:
        """Return what an annotation needs imported."""
        imported = {
            alias.asname or alias.name: (self._module_of(node), alias.name)
            for node in self.tree.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        used = {one.id for one in ast.walk(annotation) if isinstance(one, ast.Name)}
        return {
            imported.get(name, (self.module.__name__, name))
            for name in used
            if not hasattr(builtins, name)
        }

    def _module_of(self, node: ast.ImportFrom) -> str:
        """Return the full name of the module that an import names, also relative to its own."""
        name = f"{'.' * node.level}{node.module or ''}"
        return importlib.util.resolve_name(name, self.module.__package__)

    def evaluate(self, expression: ast.expr) -> object:
        """Return the value of an expression of the module; None if it has none outside a call."""
        try:
            return eval(ast.unparse(expression), vars(self.module))  # noqa: S307 # the user's own
        except (AttributeError, NameError, TypeError):
            return None


class _Unquoted(ast.NodeTransformer):
    """Replaces the texts in an annotation by the types that they name."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, str):
            return unquoted(ast.parse(node.value, mode="eval").body)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        name = ast.unparse(node.value).rpartition(".")[2]
        if name == "Annotated" and isinstance(node.slice, ast.Tuple):
            node.slice.elts[0] = unquoted(node.slice.elts[0])
        elif name != "Literal":
            node.slice = unquoted(node.slice)
        return node


def unquoted(annotation: ast.expr) -> ast.expr:
    """Return an annotation without quotes: generated code imports the types before it."""
    done: ast.expr = _Unquoted().visit(deepcopy(annotation))
    return done


def load(root: Path, name: str) -> Source:
    """Import a module of a project; raise `CannotRun` if that fails."""
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        module = importlib.import_module(name)
        return source_of(module)
    except Exception as error:
        raise CannotRun(f"{name} can't be imported: {type(error).__name__}: {error}") from error


def source_of(module: ModuleType) -> Source:
    """Return a module that is imported, with its syntax tree."""
    return Source(module, ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8")))


def services(root: Path) -> Iterator[tuple[Source, type[Upstream]]]:
    """Yield the services of a project, with the modules that define them."""
    for path in sorted((root / "bffs" / "services").glob("[!_]*.py")):
        source = load(root, f"bffs.services.{path.stem}")
        for one in source.classes():
            if issubclass(one, Upstream):
                yield source, one


def calls_in(source: Source, method: ast.AsyncFunctionDef) -> list[ServiceCall]:
    """Return the calls that a method of a service makes."""
    found = []
    for node in ast.walk(method):
        if isinstance(node, ast.Call) and _is_verb(node.func) and len(node.args) > 1:
            path, reply = node.args[0], node.args[1]
            if isinstance(path, ast.Constant) and isinstance(path.value, str):
                route = f"{ast.unparse(node.func).rpartition('.')[2].upper()} {path.value}"
                found.append(ServiceCall(route, source.evaluate(reply)))
    return found


def _is_verb(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "self"
        and function.attr in VERBS
    )
