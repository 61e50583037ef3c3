"""Which parts of a screen a view shows, and which calls of services they make."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import MISSING, dataclass
from difflib import get_close_matches
from inspect import signature
from pathlib import Path

from bff_core.auth.viewer import Viewer
from bff_core.cli.errors import CannotRun
from bff_core.cli.scaffold.names import class_name, identifier
from bff_core.cli.scaffold.scripts import CalledMethod
from bff_core.cli.scaffold.source_code import Source, calls_in, load, source_of, unquoted
from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.composition.failure_policy import Optional
from bff_core.composition.wiring import Shape, shape_of
from bff_core.upstream.client import Upstream


@dataclass(frozen=True, slots=True)
class ShownPart:
    """A part of a screen that a view shows: one without required arguments."""

    name: str
    source: Source
    node: ast.AsyncFunctionDef
    is_nullable: bool

    @property
    def returns(self) -> str:
        """The type of the field that shows it."""
        kind = ast.unparse(unquoted(self.node.returns or ast.Name("object")))
        return f"{kind} | None" if self.is_nullable and "None" not in kind else kind


@dataclass(frozen=True, slots=True)
class ShownScreen:
    """A screen: its class, its fields, and the parts that a view shows."""

    cls: type[Composition]
    shape: Shape
    parts: tuple[ShownPart, ...]


def find_screen(root: Path, name: str) -> ShownScreen:
    """Return the screen of a module in bffs/compositions."""
    known = [one.stem for one in sorted((root / "bffs" / "compositions").glob("[!_]*.py"))]
    if name not in known:
        close = get_close_matches(identifier(name), known, 1)
        hint = f" (did you mean {close[0]}?)" if close else f": bff add screen {name} makes one"
        raise CannotRun(f"there is no bffs/compositions/{name}.py{hint}")
    source = load(root, f"bffs.compositions.{name}")
    own = [one for one in source.classes() if issubclass(one, Composition)]
    if not own:
        raise CannotRun(f"bffs/compositions/{name}.py has no class that is a Composition")
    cls = next((one for one in own if one.__name__ == class_name(name)), own[0])
    parts = tuple(_parts(cls))
    if not parts:
        raise CannotRun(f"{cls.__name__} has no part that can be shown without arguments")
    return ShownScreen(cls, shape_of(cls), parts)


def _parts(cls: type[Composition]) -> Iterator[ShownPart]:
    for base in reversed(cls.__mro__):
        for name, one in vars(base).items():
            if isinstance(one, PartMethod) and not _required(one):
                source = source_of(sys.modules[base.__module__])
                node = source.methods(base.__name__)[name]
                yield ShownPart(name, source, node, is_nullable=_is_nullable(one.failure))


def _required(part: PartMethod[..., object]) -> list[str]:
    """Return the names of the arguments that a part has no default for."""
    parameters = list(signature(part.body).parameters.values())[1:]
    return [one.name for one in parameters if one.default is one.empty]


def _is_nullable(failure: object) -> bool:
    return isinstance(failure, Optional) and failure.fallback in {MISSING, None}


def service_names(shown: ShownScreen) -> set[str]:
    """Return the names of all services of a screen, called or not."""
    return {kind.name for _, kind in shown.shape.services if issubclass(kind, Upstream)}


def depends_on_viewer(shown: ShownScreen) -> bool:
    """Whether a screen has the viewer of the request, and may show less to anonymous callers."""
    return any(issubclass(kind, Viewer) for _, kind in shown.shape.facts)


def calls_of(shown: ShownScreen) -> tuple[list[CalledMethod], set[str]]:
    """Return the methods of services that the shown parts call, and the scopes they require."""
    fields = {name: kind for name, kind in shown.shape.services if issubclass(kind, Upstream)}
    called: list[CalledMethod] = []
    scopes: set[str] = set()
    for part in _reached(shown):
        for target, method, call in _method_calls(part.node):
            service = fields.get(target.removeprefix("self."))
            if method == "require":
                scopes |= {str(part.source.evaluate(one)) for one in call.args}
            elif service is not None:
                called.append(_called(service, method))
    return called, scopes


def _reached(shown: ShownScreen) -> Iterator[ShownPart]:
    """Yield the shown parts, and those that they await."""
    known = {one.name: one for one in _all_parts(shown.cls)}
    waiting, done = [one.name for one in shown.parts], set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in known and name not in done:
            done.add(name)
            yield known[name]
            calls = _method_calls(known[name].node)
            waiting += [method for target, method, _ in calls if target == "self"]


def _method_calls(node: ast.AST) -> Iterator[tuple[str, str, ast.Call]]:
    """Yield the calls of methods in a piece of code: on what, the method, the call."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
            yield ast.unparse(one.func.value), one.func.attr, one


def _all_parts(cls: type[Composition]) -> Iterator[ShownPart]:
    """Yield all asynchronous methods of a screen and of its bases, loaders included."""
    for base in reversed(cls.__mro__):
        if base.__module__.partition(".")[0] == "bffs":
            source = source_of(sys.modules[base.__module__])
            for name, node in source.methods(base.__name__).items():
                yield ShownPart(name, source, node, is_nullable=False)


def _called(service: type[Upstream], method: str) -> CalledMethod:
    for base in service.__mro__:
        source = source_of(sys.modules[base.__module__])
        node = source.methods(base.__name__).get(method)
        if node is not None:
            return CalledMethod(service.name, method, tuple(calls_in(source, node)))
    return CalledMethod(service.name, method, ())
