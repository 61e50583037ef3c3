"""`bff add screen NAME`: a composition over the services of a project, with its test."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final, TypeGuard, get_type_hints
from urllib.parse import quote, urlencode

from bff_core.cli.errors import CannotRun
from bff_core.cli.project import find_project
from bff_core.cli.scaffold.examples import example_of
from bff_core.cli.scaffold.formatting import format_advice, formatted
from bff_core.cli.scaffold.gateways import check_absent
from bff_core.cli.scaffold.lock import one_at_a_time
from bff_core.cli.scaffold.names import check_identifier, class_name
from bff_core.cli.scaffold.outcome import Outcome
from bff_core.cli.scaffold.python_edit import import_block
from bff_core.cli.scaffold.render import TEMPLATES, render
from bff_core.cli.scaffold.scripts import KIT, CalledMethod, scripts_of
from bff_core.cli.scaffold.source_code import (
    Names,
    Source,
    calls_in,
    methods_of,
    services,
    unquoted,
)
from bff_core.cli.scaffold.tree import Tree
from bff_core.upstream.client import Upstream

MODULES: Final = {"app", "app_version", "images", "links", "page", "schema"}
"""Modules of generated gateways: a view of a screen has the name of the screen."""


@dataclass(frozen=True, slots=True)
class ServiceMethod:
    """A method of a service that reads, from which a part can be made."""

    source: Source
    service: type[Upstream]
    node: ast.AsyncFunctionDef

    @property
    def field(self) -> str:
        """The name of the service, which a screen calls it by."""
        return self.service.name

    @property
    def label(self) -> str:
        """How a user names it: `catalog.product`."""
        return f"{self.field}.{self.node.name}"

    @property
    def inputs(self) -> dict[str, ast.expr]:
        """The parameters that have no default, with their annotations."""
        arguments = self.node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        plain = positional[1 : len(positional) - len(arguments.defaults)]
        named = [
            one
            for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if default is None
        ]
        return {one.arg: self._shown(one.annotation) for one in [*plain, *named]}

    @property
    def names(self) -> Names:
        """What a screen with the method needs imported."""
        given = {one.arg: one.annotation for one in ast.walk(self.node.args) if _is_argument(one)}
        inputs = [unquoted(given[name] or ast.Name("str")) for name in self.inputs]
        found = {name for one in inputs for name in self.source.names_in(one)}
        return found | self.returned_names | {(self.service.__module__, self.service.__name__)}

    @property
    def returned_names(self) -> Names:
        """What the annotation of its result needs imported."""
        return self.source.names_in(self._value)

    @property
    def returns(self) -> ast.expr:
        """The annotation of what it returns; of a `TypedReply` that of its value."""
        return self._shown(self._value)

    @property
    def _value(self) -> ast.expr:
        declared = unquoted(self.node.returns or ast.Name("object"))
        return declared.slice if self._is_typed_reply(declared) else declared

    @staticmethod
    def _is_typed_reply(declared: ast.expr) -> TypeGuard[ast.Subscript]:
        if not isinstance(declared, ast.Subscript):
            return False
        return ast.unparse(declared.value).rpartition(".")[2] == "TypedReply"

    def _shown(self, annotation: ast.expr | None) -> ast.expr:
        return self.source.shortened(unquoted(annotation or ast.Name("str")))

    def call(self, field: str) -> str:
        """Return the expression by which a part awaits its value."""
        plain = {one.arg for one in [*self.node.args.posonlyargs, *self.node.args.args]}
        given = [f"self.{one}" if one in plain else f"{one}=self.{one}" for one in self.inputs]
        call = f"self.{field}.{self.node.name}({', '.join(given)})"
        is_typed_reply = self._is_typed_reply(unquoted(self.node.returns or ast.Name("object")))
        return f"(await {call}).value" if is_typed_reply else f"await {call}"


@one_at_a_time
def add_screen(
    name: str,
    parts: Sequence[str] = (),
    start: Path | None = None,
    *,
    templates: Path = TEMPLATES,
) -> Outcome:
    """Add a screen whose parts call methods of services, such as `catalog.product`."""
    project = find_project(start)
    tree, screen = Tree(project.root), _checked(name)
    methods = _chosen(list(service_methods(project.root)), parts)
    values = _values(screen, methods)
    files = render("screen", values, templates=templates)
    check_absent(tree, [*files])
    for path, text in files.items():
        tree.write(path, formatted(tree.root, path, text))
    gateway = next(iter(project.gateways), "NAME")
    outcome = Outcome(
        f"The screen {screen}, with {', '.join(one.label for one in methods)}",
        created=tree.created(),
        next=[*format_advice(tree.root), "make test", f"bff add view {screen} --gateway {gateway}"],
    )
    tree.commit()
    return outcome


def service_methods(root: Path) -> Iterator[ServiceMethod]:
    """Yield the methods of all services that read."""
    for service in services(root):
        for source, node in methods_of(service):
            calls = calls_in(source, node)
            if calls and all(call.is_read for call in calls):
                yield ServiceMethod(source, service, node)


def called_method(method: ServiceMethod) -> CalledMethod:
    """Return which calls a method makes, for the script of its service."""
    calls = calls_in(method.source, method.node)
    return CalledMethod(method.service.name, method.node.name, tuple(calls))


def query_of(inputs: dict[str, object]) -> str:
    """Return the query of a request with an example of each input; `inputs` are types."""
    query = urlencode(
        {name: example_of(kind, name) for name, kind in inputs.items()}, quote_via=quote, safe=":"
    )
    return f"?{query}" if query else ""


def _is_argument(node: ast.AST) -> TypeGuard[ast.arg]:
    return isinstance(node, ast.arg)


def _checked(name: str) -> str:
    screen = check_identifier(name, "screen")
    if screen in MODULES:
        raise CannotRun(
            f"{screen!r} is a module of gateways: choose another name, such as {screen}_screen"
        )
    return screen


def _chosen(known: list[ServiceMethod], wanted: Sequence[str]) -> list[ServiceMethod]:
    by_label = {one.label: one for one in known}
    for label in wanted:
        if label not in by_label:
            plain = [name for name, one in by_label.items() if _is_plain(one)]
            close = get_close_matches(label, plain, 1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise CannotRun(f"there is no {label!r}{hint}: the project has {', '.join(plain)}")
        if not _is_plain(by_label[label]):
            raise CannotRun(
                f"{label} takes more than texts and numbers, which no path or query has: "
                "write its part by hand, as a loader for a list of ids"
            )
    chosen = [by_label[label] for label in dict.fromkeys(wanted)]
    found = chosen or [one for one in known if _is_plain(one)][:1]
    if not found:
        raise CannotRun(
            "no service in bffs/services has a method that reads (self.get) and takes texts and "
            "numbers only: write the client of a service first"
        )
    return found


def _is_plain(method: ServiceMethod) -> bool:
    """Whether a request can have what the method takes in its path or query."""
    examples = (example_of(_type_of(method, name)) for name in method.inputs)
    return all(isinstance(one, str | int | float) for one in examples)


def _values(screen: str, methods: Sequence[ServiceMethod]) -> dict[str, object]:
    parts = [one.node.name for one in methods]
    doubled = next((name for name in parts if parts.count(name) > 1), None)
    if doubled:
        raise CannotRun(f"two parts are called {doubled}: add one of them by hand")
    _check_inputs(methods, parts)
    cls = _class_of(screen, methods)
    return {
        "screen": screen,
        "screen_class": cls,
        **_values_of_code(methods, parts),
        **_values_of_test(methods, (f"bffs.compositions.{screen}", cls)),
    }


def _check_inputs(methods: Sequence[ServiceMethod], parts: Sequence[str]) -> None:
    """Raise `CannotRun` if an input can't be a field of the screen beside its other fields."""
    known: dict[str, object] = {}
    for one in methods:
        for name in one.inputs:
            kind = _type_of(one, name)
            if name in parts:
                raise CannotRun(
                    f"{one.label} takes {name!r}, which is the name of a part, too: "
                    "write its part by hand"
                )
            if known.setdefault(name, kind) != kind:
                raise CannotRun(
                    f"{one.label} takes {name!r} as another type than the other part: "
                    "write one of them by hand"
                )


def _class_of(screen: str, methods: Sequence[ServiceMethod]) -> str:
    """Return a name for the class of a screen that hides none of the names in its modules."""
    taken = {"Composition", "Gateway", "Loaded", "Mapping", "Script", "Viewer", "Views"}
    taken |= {name for one in methods for _, name in one.names}
    name = class_name(screen)
    while name in taken:
        name += "Screen"
    return name


def _values_of_code(methods: Sequence[ServiceMethod], parts: Sequence[str]) -> dict[str, object]:
    inputs = {name: kind for one in methods for name, kind in one.inputs.items()}
    taken = {*parts, *inputs}
    fields = {
        one.field: f"{one.field}_service" if one.field in taken else one.field for one in methods
    }
    decorators = {"critical", "optional"} if len(methods) > 1 else {"critical"}
    names: Names = set().union(*(one.names for one in methods))
    used = {("bff_core", name) for name in {"Composition", *decorators}}
    return {
        "imports": import_block(names | used),
        "services": {fields[one.field]: one.service.__name__ for one in methods},
        "inputs": {name: ast.unparse(kind) for name, kind in inputs.items()},
        "parts": [
            {
                "name": one.node.name,
                "returns": ast.unparse(one.returns),
                "call": one.call(fields[one.field]),
                "about": f"what `{one.service.__name__}.{one.node.name}` returns",
            }
            for one in methods
        ],
    }


def _values_of_test(methods: Sequence[ServiceMethod], own: tuple[str, str]) -> dict[str, object]:
    scripts = scripts_of(called_method(one) for one in methods)
    core = ["ANYONE", "Gateway", "Views", "gateway", *(["gather"] if len(methods) > 1 else [])]
    names: Names = {("dataclasses", "dataclass"), own, *KIT}
    names |= {("bff_core", name) for name in core}
    returned: Names = set().union(*(one.returned_names for one in methods))
    types = {name: _type_of(one, name) for one in methods for name in one.inputs}
    return {
        "test_imports": import_block(names | returned, "pytest"),
        "constants": scripts.constants,
        "scripts": scripts.services,
        "query": query_of(types),
    }


def _type_of(method: ServiceMethod, name: str) -> object:
    try:
        hints = get_type_hints(getattr(method.service, method.node.name), include_extras=True)
    except NameError as error:
        raise CannotRun(f"{method.label}: {error}: import it at the top of its module") from None
    return hints.get(name, str)
