"""What was generated in a project, and from which answers: the folder `.bff`.

`.bff/scaffold.toml` lists the generated units; `.bff/base` has each file as it was generated, so
that `bff update` can distinguish the edits of users from the changes of templates.
"""

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
        return msgspec.convert(tomllib.loads(text), Record)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise CannotRun(f"{tree.root / PATH} can't be read: {error}") from None


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
