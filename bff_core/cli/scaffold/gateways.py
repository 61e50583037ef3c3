"""`bff new GATEWAY`: adds a gateway to a project."""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from bff_core.cli.errors import CannotRun
from bff_core.cli.project import FILE, Project, find_project
from bff_core.cli.scaffold.clients import CLIENTS, Answers, changed_values, with_defaults
from bff_core.cli.scaffold.home import has_home
from bff_core.cli.scaffold.lock import one_at_a_time
from bff_core.cli.scaffold.names import check_identifier
from bff_core.cli.scaffold.operations import RECORD as OPERATIONS
from bff_core.cli.scaffold.outcome import Outcome
from bff_core.cli.scaffold.pyproject import add_program, check_programs
from bff_core.cli.scaffold.record import BASE, Record, Unit, read_record, write_record
from bff_core.cli.scaffold.render import TEMPLATES, render, render_wiring
from bff_core.cli.scaffold.text_files import COMPOSE, published_ports
from bff_core.cli.scaffold.tree import Tree
from bff_core.cli.scaffold.units import add_unit
from bff_core.cli.scaffold.update import follow_renames, update_units

FIRST_PORT = 8001


@dataclass(frozen=True, slots=True)
class NewGateway:
    """The name of a gateway, and the options that were given."""

    name: str
    answers: Answers


@one_at_a_time
def new_gateway(
    wanted: NewGateway, start: Path | None = None, *, templates: Path = TEMPLATES
) -> Outcome:
    """Add a gateway to the project of a folder; do nothing if it is there with these options."""
    project = find_project(start)
    tree = Tree(project.root)
    record = read_record(tree)
    notes = follow_renames(project, tree, record)
    known = record.find("gateway", wanted.name)
    if known:
        _check_whole(project, known.name)
        if wanted.answers.port not in {None, known.values["port"]}:
            _port(project, tree, known.name, wanted.answers.port)
        return _changed(tree, record, replace(known), wanted.answers, templates)
    unit = _unit(project, tree, wanted)
    check_absent(tree, [*render("gateway", unit.values, templates=templates)])
    before = tree.read(FILE) or ""
    notes += add_unit(tree, tree.below(BASE), unit, templates)
    check_programs(tree.read(FILE) or "", before)
    record.units.append(unit)
    write_record(tree, record)
    outcome = Outcome(
        f"The gateway {wanted.name} for {unit.values['client']} clients, "
        f"at port {unit.values['port']}",
        created=visible(tree.created()),
        changed=visible(tree.changed()),
        notes=[*notes, *_about_home(unit)],
        next=["make test", "make run", *_scraped(tree)],
    )
    tree.commit()
    return outcome


def gateway_values(project: str, name: str, port: int, answers: Answers) -> dict[str, object]:
    """Return the values of a new gateway in a project that has the home screen of `bff init`."""
    if answers.client is None and name not in CLIENTS:
        raise CannotRun(f"which client is {name} for? bff new {name} --client {'|'.join(CLIENTS)}")
    values = with_defaults(answers, client=name)
    return {"gateway": name, **values, "project": project, "port": port, "has_home": True}


def check_absent(tree: Tree, paths: list[str]) -> None:
    """Raise `CannotRun` if a file would be overwritten."""
    present = [path for path in paths if (tree.root / path).exists()]
    if present:
        raise CannotRun(
            f"{present[0]} exists, and is not overwritten: choose another name, or move it"
        )


def visible(paths: list[str]) -> list[str]:
    """Return the paths without the copies below `.bff`."""
    return [path for path in paths if not path.startswith(".bff/")]


def _unit(project: Project, tree: Tree, wanted: NewGateway) -> Unit:
    name = check_identifier(wanted.name, "gateway")
    if name in project.services:
        raise CannotRun(f"{name!r} is a service of the project: choose another name")
    if name in project.gateways or (project.root / "bffs" / name).exists():
        raise CannotRun(f"the project has a gateway {name!r} that `bff` did not generate")
    port = _port(project, tree, name, wanted.answers.port)
    values = gateway_values(_distribution(tree), name, port, wanted.answers)
    values["has_home"] = has_home(tree)
    return Unit("gateway", name, values)


def _scraped(tree: Tree) -> list[str]:
    """Return the command after which Prometheus scrapes a new gateway, in a project with it."""
    return [] if tree.read(OPERATIONS) is None else ["bff add operations"]


def _about_home(unit: Unit) -> list[str]:
    """Return what to do about the screen of a gateway whose project has no home of `bff init`."""
    if unit.values["has_home"] or unit.values["client"] == "blank":
        return []
    small = f"bffs/{unit.name}/home.py has a small screen that calls no service"
    replaced = f"Replace it: bff add view SCREEN --gateway {unit.name}"
    return [f"The project has no home screen of `bff init`: {small}.\n{replaced}"]


def _check_whole(project: Project, name: str) -> None:
    """Raise `CannotRun` if one half of a gateway was deleted by hand, and the other is there."""
    table, folder = f"[tool.bff.gateways.{name}] of {FILE}", f"bffs/{name}"
    if name not in project.gateways:
        raise CannotRun(
            f"{folder} is there, and the table {table} is gone: restore it, or delete both"
        )
    if not (project.root / folder).is_dir():
        raise CannotRun(
            f"the table {table} is there, and {folder} is gone: restore it, or delete both"
        )


def _changed(tree: Tree, record: Record, unit: Unit, answers: Answers, templates: Path) -> Outcome:
    """Merge what other options change into the files of a gateway."""
    new = {**unit.values, **changed_values(answers)}
    if new == unit.values:
        return Outcome(f"The gateway {unit.name} is there, with these options: nothing changed.")
    _check_services(tree, replace(unit, values=new), templates)
    found = record.find("gateway", unit.name)
    if found:
        found.values = new
    outcome = update_units(tree, record, templates=templates)
    outcome.summary = f"The gateway {unit.name} with its new options"
    if unit.values["auth"] == "none" != new["auth"]:
        outcome.notes.append(
            "Its views now require a signed-in viewer. Give the tests of views that you have added "
            'one: viewer=Viewer("1") in client(...) and failure_matrix(...).'
        )
    return outcome


def _check_services(tree: Tree, unit: Unit, templates: Path) -> None:
    """Raise `CannotRun` if a service that other options need has the name or port of a program."""
    before = after = tree.read(FILE) or ""
    services = render_wiring("gateway", unit.values, templates=templates).services
    for service, entry in services.items():
        after = add_program(after, "services", service, entry)
        if entry.get("port") == unit.values["port"]:
            raise CannotRun(f"port {entry['port']} is that of {service}: choose another --port")
    check_programs(after, before)


def _port(project: Project, tree: Tree, name: str, wanted: int | None) -> int:
    """Return the lowest port that no program of the project uses."""
    used = {one.port for one in project.gateways.values()}
    used |= {one.port for one in project.services.values()}
    used |= published_ports(tree.read(COMPOSE) or "", but=name)
    if wanted in used:
        raise CannotRun(f"port {wanted} is used by another program of the project")
    return wanted or next(port for port in range(FIRST_PORT, 65536) if port not in used)


def _distribution(tree: Tree) -> str:
    project = tomllib.loads(tree.read(FILE) or "").get("project")
    name = project.get("name") if isinstance(project, dict) else None
    return name if isinstance(name, str) else tree.root.name
