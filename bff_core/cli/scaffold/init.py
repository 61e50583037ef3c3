"""`bff init NAME`: makes a project."""

import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path

from bff_core.cli.errors import CannotRun
from bff_core.cli.project import FILE
from bff_core.cli.scaffold.clients import Answers, with_defaults
from bff_core.cli.scaffold.gateways import FIRST_PORT, gateway_values, visible
from bff_core.cli.scaffold.names import check_identifier, check_project_name, normalized
from bff_core.cli.scaffold.outcome import Outcome
from bff_core.cli.scaffold.pyproject import check_programs
from bff_core.cli.scaffold.record import BASE, Record, Unit, write_record
from bff_core.cli.scaffold.render import TEMPLATES
from bff_core.cli.scaffold.service_contract import ADDRESS
from bff_core.cli.scaffold.tree import Tree
from bff_core.cli.scaffold.units import add_unit
from bff_core.cli.scaffold.wheel import FOLDER, Wheel, find_wheel

ALLOWED = {".git"}
"""What a folder may contain already: a new, empty repository."""

SERVICE = "catalog"
"""The service of a new project."""


@dataclass(frozen=True, slots=True)
class NewProject:
    """The name of a project, and the options that were given.

    With `services`, each "NAME=URL", it has these in place of the sample.
    """

    name: str
    folder: Path | None = None
    gateway: str | None = None
    answers: Answers = field(default_factory=Answers)
    wheels: Path | None = None
    services: tuple[str, ...] = ()


def init_project(wanted: NewProject, *, templates: Path = TEMPLATES) -> Outcome:
    """Make a project in a new or empty folder."""
    name = check_project_name(wanted.name)
    folder = wanted.folder or Path(name)
    _check_empty(folder)
    _check_outside(folder)
    services = dict(_service(one) for one in wanted.services)
    default = "blank" if services else "mobile"
    client = str(with_defaults(wanted.answers, client=default)["client"])
    gateway = wanted.gateway or ("api" if client == "blank" else client)
    if check_identifier(gateway, "gateway") in (services or {SERVICE}):
        raise CannotRun(f"{gateway!r} is a service of the project: choose another --gateway")
    wheel = find_wheel(wanted.wheels)
    tree = Tree(folder.resolve())
    units = _units(name, gateway, replace(wanted.answers, client=client), wheel, services)
    notes = _write(tree, units, wheel, templates)
    outcome = Outcome(
        f"The project {name}, with the gateway {gateway} for {client} clients, in {folder}",
        created=visible(tree.created()),
        notes=notes,
        next=[f"cd {shlex.quote(str(folder))} && make test", "make run"],
    )
    tree.commit()
    return outcome


def _write(tree: Tree, units: list[Unit], wheel: Wheel, templates: Path) -> list[str]:
    """Write the units of a new project; return what the user has to add by hand."""
    tree.write(f"{FOLDER}/{wheel.name}", wheel.content)
    notes = [note for one in units for note in add_unit(tree, tree.below(BASE), one, templates)]
    check_programs(tree.read(FILE) or "")
    write_record(tree, Record(units=units))
    return notes


def _service(text: str) -> tuple[str, str]:
    """Return the name and the address of a service that exists already."""
    name, _, url = text.partition("=")
    if not ADDRESS.fullmatch(url):
        raise CannotRun(
            f"--service {text!r}: write NAME=URL, as in ratings=https://ratings.example"
        )
    return check_identifier(name, "service"), url.rstrip("/")


def _units(
    name: str, gateway: str, answers: Answers, wheel: Wheel, services: dict[str, str]
) -> list[Unit]:
    values: dict[str, object] = {
        "project": name,
        "compose_project": normalized(name),
        "gateway": gateway,
        "wheel": wheel.name,
        "sha256": wheel.sha256,
        "sample": not services,
        "services": services,
    }
    port = answers.port or FIRST_PORT
    own = {**gateway_values(name, gateway, port, answers), "has_home": not services}
    return [Unit("project", name, values), Unit("gateway", gateway, own)]


def _check_outside(folder: Path) -> None:
    """Raise `CannotRun` for a folder inside a project that `bff init` has made."""
    outer = folder.resolve().parents
    project = next((one for one in outer if (one / BASE).is_dir() and (one / FILE).is_file()), None)
    if project is not None:
        raise CannotRun(
            f"{folder} is inside the project {project}: add a gateway to it with bff new, "
            "or go to another folder"
        )


def _check_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise CannotRun(f"{folder} is a file: choose another name, or --directory DIR")
    present = {one.name for one in folder.iterdir()} - ALLOWED if folder.is_dir() else set()
    if present:
        raise CannotRun(
            f"{folder} is not empty (it has {min(present)}): "
            "choose another name, or --directory DIR; in a project add a gateway with bff new"
        )
