"""What each unit of a project consists of: files of its own, and additions to shared files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bff_core.cli.project import FILE
from bff_core.cli.scaffold import pyproject
from bff_core.cli.scaffold.merge import check_resolved
from bff_core.cli.scaffold.python_edit import add_view, free_name
from bff_core.cli.scaffold.record import Record, Unit
from bff_core.cli.scaffold.render import TEMPLATES, render, render_wiring
from bff_core.cli.scaffold.text_files import (
    COMPOSE,
    ENV_EXAMPLE,
    NoPlace,
    add_service,
    add_variables,
)
from bff_core.cli.scaffold.tree import Tree


@dataclass(slots=True)
class Additions:
    """New texts of shared files, and what the user has to add by hand."""

    texts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def generate(record: Record, templates: Path = TEMPLATES) -> dict[str, str]:
    """Return all files of a project as its templates make them, without edits of users."""
    files: dict[str, str] = {}
    for unit in record.units:
        files.update(render(unit.template, unit.values, templates=templates))
        files.update(additions(unit, files, templates).texts)
    return files


def app_of(gateway: str) -> str:
    """Return the path of the module that makes a gateway."""
    return f"bffs/{gateway}/app.py"


def add_unit(tree: Tree, base: Tree, unit: Unit, templates: Path = TEMPLATES) -> list[str]:
    """Write the files of a unit, and add it to the shared files, in the project and in its base.

    Returns what the user has to add by hand.
    """
    check_resolved(tree, _shared(unit, tree))
    files = render(unit.template, unit.values, templates=templates)
    for path, text in files.items():
        tree.write(path, text)
        base.write(path, text)
    made = additions(unit, _shared(unit, tree), templates)
    for path, text in made.texts.items():
        tree.write(path, text)
    for path, text in additions(unit, _shared(unit, base), templates).texts.items():
        base.write(path, text)
    return made.notes


def additions(unit: Unit, texts: Mapping[str, str], templates: Path = TEMPLATES) -> Additions:
    """Return the shared files of a project with a unit added."""
    if unit.template == "gateway":
        return _gateway_additions(unit, texts, templates)
    return _area_additions(unit, texts) if unit.template == "area" else Additions()


def _shared(unit: Unit, tree: Tree) -> dict[str, str]:
    """Return the texts of the files that a unit is added to, of those that the project has."""
    paths = {
        "gateway": (FILE, ENV_EXAMPLE, COMPOSE),
        "area": (app_of(str(unit.values.get("gateway"))),),
    }.get(unit.template, ())
    found = {path: tree.read(path) for path in paths}
    return {path: text for path, text in found.items() if text is not None}


def _gateway_additions(unit: Unit, texts: Mapping[str, str], templates: Path) -> Additions:
    wiring = render_wiring(unit.template, unit.values, templates=templates)
    made = Additions()
    if FILE in texts:
        text = pyproject.add_program(texts[FILE], "gateways", unit.name, wiring.gateway)
        for service, entry in wiring.services.items():
            text = pyproject.add_program(text, "services", service, entry)
        text = pyproject.add_import_layer(text, unit.name)
        made.texts[FILE] = pyproject.add_extras(text, _extras(unit))
    if ENV_EXAMPLE in texts:
        made.texts[ENV_EXAMPLE] = add_variables(texts[ENV_EXAMPLE], wiring.env_example)
    if COMPOSE in texts and wiring.compose.strip():
        try:
            made.texts[COMPOSE] = add_service(texts[COMPOSE], unit.name, wiring.compose)
        except NoPlace as why:
            made.notes.append(f"{COMPOSE} was not changed: {why}. The service:\n{wiring.compose}")
    return made


def _area_additions(unit: Unit, texts: Mapping[str, str]) -> Additions:
    gateway, area = str(unit.values["gateway"]), str(unit.values["area"])
    app, package = app_of(gateway), f"bffs.{gateway}.{area}"
    made = Additions()
    try:
        text = texts.get(app, "")
        alias = free_name(text, package, area, f"{area}_area")
        made.texts[app] = add_view(text, package, "views", alias, f"{alias}.views")
    except NoPlace as why:
        made.notes.append(
            f"{app} was not changed: {why}. Add to its faces: {area}.views, after\n"
            f"  from {package} import views as {area}"
        )
    return made


def _extras(unit: Unit) -> list[str]:
    """Return the extras of the framework that a gateway needs."""
    needs_auth = unit.values.get("auth") in {"bearer", "session"}
    return [*(["auth"] if needs_auth else []), *(["graphql"] if unit.values.get("graphql") else [])]
