"""`bff add view SCREEN --gateway NAME`: a REST view of a screen, with its failure matrix."""

from pathlib import Path
from urllib.parse import quote

from bff_core.cli.project import find_project
from bff_core.cli.scaffold.areas import gateway_of, has_authenticator
from bff_core.cli.scaffold.examples import example_of
from bff_core.cli.scaffold.formatting import edited, format_advice, formatted
from bff_core.cli.scaffold.gateways import check_absent
from bff_core.cli.scaffold.lock import one_at_a_time
from bff_core.cli.scaffold.names import class_name
from bff_core.cli.scaffold.outcome import Outcome
from bff_core.cli.scaffold.python_edit import add_view as with_view
from bff_core.cli.scaffold.python_edit import free_name, import_block
from bff_core.cli.scaffold.render import TEMPLATES, render
from bff_core.cli.scaffold.screens import query_of
from bff_core.cli.scaffold.scripts import KIT, scripts_of
from bff_core.cli.scaffold.shown_screens import (
    ShownScreen,
    calls_of,
    depends_on_viewer,
    find_screen,
    service_names,
)
from bff_core.cli.scaffold.source_code import Names, unquoted
from bff_core.cli.scaffold.text_files import NoPlace
from bff_core.cli.scaffold.tree import Tree
from bff_core.cli.scaffold.units import app_of


@one_at_a_time
def add_view(
    screen: str,
    gateway: str | None = None,
    start: Path | None = None,
    *,
    templates: Path = TEMPLATES,
) -> Outcome:
    """Add a view of a screen to a gateway; its model has a field for each part."""
    project = find_project(start)
    tree, name = Tree(project.root), gateway_of(project, gateway)
    shown = find_screen(project.root, screen)
    values = _values(tree, shown, screen, name)
    files = render("view", values, templates=templates)
    check_absent(tree, [*files])
    for path, text in files.items():
        tree.write(path, formatted(tree.root, path, text))
    notes = [*_served(tree, screen, name), *_without_authenticator(tree, shown, name)]
    outcome = Outcome(
        f"A view of {screen} for the gateway {name}: {values['request']}",
        created=tree.created(),
        changed=tree.changed(),
        notes=notes,
        next=[*format_advice(tree.root), "make test"],
    )
    tree.commit()
    return outcome


def _served(tree: Tree, screen: str, gateway: str) -> list[str]:
    """Add the view to the faces of its gateway; return what the user has to do besides."""
    path, schema = app_of(gateway), f"bffs/{gateway}/schema.py"
    before = tree.read(path) or ""
    package = f"bffs.{gateway}"
    try:
        alias = free_name(before, package, screen, f"{screen}_screen")
        after = with_view(before, package, screen, alias, f"{alias}.views")
    except NoPlace as why:
        by_hand = f"from {package} import {screen}"
        return [f"{path} was not changed: {why}. Add {screen}.views to its faces: {by_hand}"]
    tree.write(path, edited(tree.root, path, before, after))
    has_schema = tree.read(schema) is not None
    return [f"For GraphQL declare the parts in {schema} (docs: GraphQL)."] if has_schema else []


def _without_authenticator(tree: Tree, shown: ShownScreen, gateway: str) -> list[str]:
    """Return what to do if a screen depends on the viewer, and the gateway knows none."""
    if has_authenticator(tree, gateway) or not depends_on_viewer(shown):
        return []
    why = f"{shown.cls.__name__} has the viewer, and the gateway {gateway} has no authenticator"
    now = "the tests sign a viewer in, but all callers are anonymous"
    return [f"{why}: {now}.\nAdd one: bff new {gateway} --auth session|bearer|key"]


def _values(tree: Tree, shown: ShownScreen, screen: str, gateway: str) -> dict[str, object]:
    called, scopes = calls_of(shown)
    scripts = scripts_of(called)
    path, query = _address(shown, screen)
    has_viewer = has_authenticator(tree, gateway) or depends_on_viewer(shown)
    return {
        "gateway": gateway,
        "screen": screen,
        "screen_class": shown.cls.__name__,
        "answer": f"{class_name(screen)}Answer",
        "path": path,
        "request": f"GET /v1{_example_path(shown, path)}{query}",
        "parts": [{"name": one.name, "returns": one.returns} for one in shown.parts],
        **_imports(shown, (f"bffs.compositions.{screen}", shown.cls.__name__), has_viewer),
        "viewer": _viewer(scopes) if has_viewer else "",
        "constants": scripts.constants,
        "scripts": scripts.services,
        "not_called": sorted(service_names(shown) - scripts.services.keys()),
    }


def _imports(shown: ShownScreen, own: tuple[str, str], has_viewer: bool) -> dict[str, object]:
    core = ["Views", *(["gather"] if len(shown.parts) > 1 else [])]
    returned: Names = set().union(
        *(
            one.source.names_in(unquoted(one.node.returns))
            for one in shown.parts
            if one.node.returns
        )
    )
    code: Names = {("dataclasses", "dataclass"), own, *(("bff_core", name) for name in core)}
    test: Names = {own, *KIT}
    return {
        "imports": import_block(code | returned),
        "test_imports": import_block(
            test | ({("bff_core", "Viewer")} if has_viewer else set()), "pytest"
        ),
    }


def _viewer(scopes: set[str]) -> str:
    if not scopes:
        return 'Viewer("1")'
    names = ", ".join(f'"{one}"' for one in sorted(scopes))
    return f'Viewer("1", scopes=frozenset({{{names}}}))'


def _address(shown: ShownScreen, screen: str) -> tuple[str, str]:
    """Return the path of a view, with required inputs in it, and the query of the others."""
    required = [one for one in shown.shape.inputs if one.is_required]
    texts = [one for one in required if _fits_path(example_of(one.annotation, one.name))]
    others = {one.name: one.annotation for one in required if one not in texts}
    path = "".join([f"/{screen.replace('_', '-')}", *(f"/{{{one.name}}}" for one in texts)])
    return path, query_of(others)


def _fits_path(example: object) -> bool:
    """Whether a value can be a segment of a path: an address has slashes."""
    return isinstance(example, str | int | float) and "/" not in str(example)


def _example_path(shown: ShownScreen, path: str) -> str:
    for one in shown.shape.inputs:
        path = path.replace(
            f"{{{one.name}}}", quote(str(example_of(one.annotation, one.name)), safe=":")
        )
    return path
