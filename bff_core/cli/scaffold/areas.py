"""`bff new --area NAME`: a package of screens and views that one team owns inside a gateway."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from bff_core.cli.errors import CannotRun
from bff_core.cli.project import Project, find_project
from bff_core.cli.scaffold import codeowners
from bff_core.cli.scaffold.gateways import check_absent, visible
from bff_core.cli.scaffold.home import has_home
from bff_core.cli.scaffold.lock import one_at_a_time
from bff_core.cli.scaffold.names import check_identifier, class_name
from bff_core.cli.scaffold.outcome import Outcome
from bff_core.cli.scaffold.record import BASE, Record, Unit, read_record, write_record
from bff_core.cli.scaffold.render import TEMPLATES, render
from bff_core.cli.scaffold.tree import Tree
from bff_core.cli.scaffold.units import add_unit, app_of
from bff_core.cli.scaffold.update import update_units

OWNER = re.compile(r"@?[A-Za-z0-9][\w.-]*(?:/[\w.-]+)?|[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True, slots=True)
class NewArea:
    """The name of an area, the gateway that it is in, and the team that owns it."""

    name: str
    gateway: str | None = None
    owner: str | None = None


@one_at_a_time
def new_area(wanted: NewArea, start: Path | None = None, *, templates: Path = TEMPLATES) -> Outcome:
    """Add an area to a gateway; a further run with another owner changes the owner."""
    project = find_project(start)
    tree, gateway = Tree(project.root), gateway_of(project, wanted.gateway)
    area, owner = check_identifier(wanted.name, "area"), _checked(wanted.owner)
    record = read_record(tree)
    known = _find(record, gateway, area)
    if known:
        return _changed(tree, record, known, owner, templates)
    unit = _unit(tree, gateway, area, owner or _no_owner(area))
    check_absent(tree, [f"bffs/{gateway}/{area}.py", *render("area", unit.values)])
    notes = add_unit(tree, tree.below(BASE), unit, templates)
    _set_reviewer(tree, unit)
    record.units.append(unit)
    write_record(tree, record)
    outcome = Outcome(
        f"The area {area} of the gateway {gateway}, owned by {owner}",
        created=visible(tree.created()),
        changed=visible(tree.changed()),
        notes=notes,
        next=["make test"],
    )
    tree.commit()
    return outcome


def gateway_of(project: Project, name: str | None) -> str:
    """Return the name of a gateway of the project: the only one if none is named."""
    if name is None and len(project.gateways) == 1:
        return next(iter(project.gateways))
    known = ", ".join(project.gateways) or "none: add one with bff new"
    if name is None:
        raise CannotRun(f"which gateway? --gateway NAME, of {known}")
    if name not in project.gateways:
        close = get_close_matches(name, project.gateways, 1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise CannotRun(f"there is no gateway {name!r}{hint}: the project has {known}")
    return name


def has_authenticator(tree: Tree, gateway: str) -> bool:
    """Whether the views of a gateway require a viewer."""
    return "authenticator=" in (tree.read(app_of(gateway)) or "")


def _unit(tree: Tree, gateway: str, area: str, owner: str) -> Unit:
    values: dict[str, object] = {
        "gateway": gateway,
        "area": area,
        "area_class": class_name(area),
        "area_path": area.replace("_", "-"),
        "owner": owner,
        "has_home": has_home(tree),
        "has_auth": has_authenticator(tree, gateway),
    }
    return Unit("area", area, values)


def _find(record: Record, gateway: str, area: str) -> Unit | None:
    areas = (unit for unit in record.units if unit.template == "area" and unit.name == area)
    return next((unit for unit in areas if unit.values["gateway"] == gateway), None)


def _changed(tree: Tree, record: Record, unit: Unit, owner: str | None, templates: Path) -> Outcome:
    if owner is None or owner == unit.values["owner"]:
        return Outcome(f"The area {unit.name} is there, with this owner: nothing changed.")
    unit.values["owner"] = owner
    _set_reviewer(tree, unit)
    reviewed = tree.changed()
    outcome = update_units(tree, record, templates=templates)
    outcome.changed += reviewed
    outcome.summary = f"The area {unit.name} is now owned by {owner}"
    return outcome


def _set_reviewer(tree: Tree, unit: Unit) -> None:
    """Write the owner of an area to CODEOWNERS."""
    place = codeowners.place_of(tree)
    folders = [f"{top}/{unit.values['gateway']}/{unit.name}" for top in ("bffs", "tests")]
    owner = str(unit.values["owner"])
    tree.write(place, codeowners.with_owner(tree.read(place), folders, owner))


def _checked(owner: str | None) -> str | None:
    if owner is None or OWNER.fullmatch(owner):
        return owner
    raise CannotRun(
        f"{owner!r} can't be an owner: use a team or a user, such as @shop/checkout, or an address"
    )


def _no_owner(area: str) -> str:
    raise CannotRun(f"who owns {area}? --owner TEAM, such as @shop/{area.replace('_', '-')}")
