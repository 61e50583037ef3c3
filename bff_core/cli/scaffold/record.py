"""What was generated in a project, and from which answers: the folder `.bff`.

`.bff/scaffold.toml` lists the generated units; `.bff/base` has each file as it was generated, so
that `bff update` can distinguish the edits of users from the changes of templates.
"""

import re
import tomllib
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final

import msgspec
import tomlkit

from bff_core.cli.errors import CannotRun
from bff_core.cli.scaffold.tree import Tree

PATH: Final = ".bff/scaffold.toml"
BASE: Final = ".bff/base"

ABOUT: Final = "What `bff` generated, and from which answers; `bff update` reads it."

FOLDER: Final = re.compile(r"\w[\w-]*")

VALUES: Final = {
    "project": ("project", "wheel", "sha256"),
    "gateway": ("gateway", "client", "auth", "project", "port"),
    "area": ("gateway", "area", "owner"),
}
"""The templates, and the values that each version has rendered them with."""


@dataclass(slots=True)
class Unit:
    """Something that a template was rendered for, and the values that it was rendered with."""

    template: str
    name: str
    values: dict[str, object]


@dataclass(slots=True)
class Record:
    """The units of a project, in the order of their making, and the version that made them."""

    version: str = field(default_factory=lambda: version("bff-core"))
    units: list[Unit] = field(default_factory=list)

    def find(self, template: str, name: str) -> Unit | None:
        """Return a unit, or None if there is none of this name."""
        return next((u for u in self.units if (u.template, u.name) == (template, name)), None)

    @property
    def project(self) -> Unit | None:
        """The unit of the project itself, unless it was not made by `bff init`."""
        return next((unit for unit in self.units if unit.template == "project"), None)


def read_record(tree: Tree) -> Record:
    """Return the record of a project; an empty one if nothing was generated in it."""
    text = tree.read(PATH)
    if text is None:
        return Record()
    try:
        record = msgspec.convert(tomllib.loads(text), Record)
        for unit in record.units:
            _check_unit(unit)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise CannotRun(
            f"{tree.root / PATH} can't be read: {error}; restore it from version control"
        ) from None
    if _numbers(record.version) > _numbers(Record().version):
        raise CannotRun(
            f"the project has the templates of bff-core {record.version}, and this is "
            f"{Record().version}: use the command of the project, .venv/bin/bff"
        )
    return record


def _check_unit(unit: Unit) -> None:
    """Raise `ValueError` if a unit was not written by `bff`: its values become paths."""
    if unit.template not in VALUES:
        raise ValueError(f"the template {unit.template!r} of {unit.name!r} is not known")
    for name in VALUES[unit.template]:
        if name not in unit.values:
            raise ValueError(f"the {unit.template} {unit.name!r} has no value {name!r}")
    names = [] if unit.template == "project" else [unit.name, unit.values["gateway"]]
    for one in [*names, unit.values.get("area", "area")]:
        if not FOLDER.fullmatch(str(one)):
            raise ValueError(f"{one!r} can't be the name of a folder")
    if "/" in str(unit.values.get("wheel")):
        raise ValueError(f"{unit.values['wheel']!r} can't be the name of a wheel")


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def write_record(tree: Tree, record: Record) -> None:
    """Write the record of a project."""
    document = tomlkit.document()
    document.add(tomlkit.comment(ABOUT))
    document["version"] = record.version
    units = tomlkit.aot()
    for unit in record.units:
        units.append(tomlkit.item(msgspec.to_builtins(unit)))
    document["units"] = units
    tree.write(PATH, tomlkit.dumps(document))
