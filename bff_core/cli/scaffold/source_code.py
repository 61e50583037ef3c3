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
from bff_core.inspection.attributes import GRAPHQL_VERBS
from bff_core.upstream.client import Upstream
from bff_core.upstream.graphql.operation import name_of

VERBS = {"delete", "get", "patch", "post", "put"}

Names = set[tuple[str, str]]
"""What a piece of code needs imported: modules and names."""


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """A call of a service: its method and path, or its GraphQL operation; the type of its reply."""

    route: str
    reply: object

    @property
    def is_graphql(self) -> bool:
        """Whether it is an operation of GraphQL: "query Product"."""
        return self.route.startswith(("query ", "mutation "))

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing."""
        return self.route.startswith(("GET ", "query "))


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
        members = [one for one in ast.walk(annotation) if self._is_member(one)]
        modules = {ast.unparse(one.value) for one in members if isinstance(one, ast.Attribute)}
        used = {one.id for one in ast.walk(annotation) if isinstance(one, ast.Name)} - modules
        return {
            *(self._member(one) for one in members if isinstance(one, ast.Attribute)),
            *(
                imported.get(name, (self.module.__name__, name))
                for name in used
                if not hasattr(builtins, name)
            ),
        }

    def shortened(self, annotation: ast.expr) -> ast.expr:
        """Return an annotation with `Pet` in place of `models.Pet`, for a module that imports it.

        Two services may both have a module `models`.
        """
        found: ast.expr = _Shortened(self).visit(deepcopy(annotation))
        return found

    def _is_member(self, node: ast.AST) -> bool:
        """Whether a node names something in a module that the module imports."""
        return (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and isinstance(getattr(self.module, node.value.id, None), ModuleType)
        )

    def _member(self, node: ast.Attribute) -> tuple[str, str]:
        module = getattr(self.module, ast.unparse(node.value))
        return module.__name__, node.attr

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


class _Shortened(ast.NodeTransformer):
    """Replaces the members of modules in an annotation by their names."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return ast.Name(node.attr) if self._source._is_member(node) else node  # noqa: SLF001 # its own


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


def services(root: Path) -> Iterator[type[Upstream]]:
    """Yield the services of a project: those of modules, and those of packages."""
    folder = root / "bffs" / "services"
    packages = (path.parent for path in folder.glob("[!_]*/__init__.py"))
    for path in sorted([*folder.glob("[!_]*.py"), *packages]):
        source = load(root, f"bffs.services.{path.stem}")
        yield from (one for one in source.classes() if issubclass(one, Upstream))


def methods_of(service: type[Upstream]) -> Iterator[tuple[Source, ast.AsyncFunctionDef]]:
    """Yield the asynchronous methods of a service, those of generated classes included.

    Each comes with the module that defines it. Generators are left out: they are not awaited.
    """
    found: dict[str, tuple[Source, ast.AsyncFunctionDef]] = {}
    for base in service.__mro__:
        if base.__module__.partition(".")[0] == "bffs":
            source = source_of(sys.modules[base.__module__])
            for name, node in source.methods(base.__name__).items():
                found.setdefault(name, (source, node))
    for source, node in found.values():
        if not any(isinstance(one, ast.Yield) for one in ast.walk(node)):
            yield source, node


def calls_in(source: Source, method: ast.AsyncFunctionDef) -> list[ServiceCall]:
    """Return the calls that a method of a service makes."""
    found = []
    for node in ast.walk(method):
        if isinstance(node, ast.Call) and _is_verb(node.func) and len(node.args) > 1:
            has_values = isinstance(node.args[1], ast.Dict) and len(node.args) > 2
            route = _route_of(source, ast.unparse(node.func).rpartition(".")[2], node.args[0])
            reply = node.args[2 if has_values else 1]
            found += [ServiceCall(route, source.evaluate(reply))] if route else []
    return found


def _route_of(source: Source, verb: str, first: ast.expr) -> str:
    """Return what a call of a verb requests; empty if that is decided at run time."""
    if verb in GRAPHQL_VERBS:
        document = source.evaluate(first)
        name = name_of(document) if isinstance(document, str) else ""
        return f"{GRAPHQL_VERBS[verb]} {name}" if name else ""
    is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
    return f"{verb.upper()} {ast.literal_eval(first)}" if is_text else ""


def _is_verb(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "self"
        and function.attr in VERBS | {*GRAPHQL_VERBS}
    )
