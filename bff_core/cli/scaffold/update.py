"""`bff update`: merges the changes of templates into the files of a project."""

from difflib import SequenceMatcher
from pathlib import Path

from bff_core.cli.errors import CannotRun
from bff_core.cli.project import FILE, Project, find_project
from bff_core.cli.scaffold.lock import one_at_a_time
from bff_core.cli.scaffold.merge import check_git, merge_files
from bff_core.cli.scaffold.outcome import Outcome
from bff_core.cli.scaffold.pyproject import with_extras_of
from bff_core.cli.scaffold.python_edit import with_own_views
from bff_core.cli.scaffold.record import BASE, PATH, Record, Unit, read_record, write_record
from bff_core.cli.scaffold.render import TEMPLATES
from bff_core.cli.scaffold.tree import Tree
from bff_core.cli.scaffold.units import app_of, generate
from bff_core.cli.scaffold.wheel import FOLDER, find_wheel

MIN_SIMILARITY = 0.5
"""How many lines of two files are equal, if one is the other one after a rename."""


@one_at_a_time
def update(
    start: Path | None = None,
    *,
    wheels: Path | None = None,
    is_dry_run: bool = False,
    templates: Path = TEMPLATES,
) -> Outcome:
    """Bring a project to the templates of the installed version."""
    check_git()
    project = find_project(start)
    tree = Tree(project.root)
    record = read_record(tree)
    if not record.units:
        raise CannotRun(f"{project.root} has no {PATH}: `bff` generated nothing in it")
    notes = [*follow_renames(project, tree, record), *_take_wheel(tree, record, wheels)]
    record.version = Record().version
    outcome = update_units(tree, record, templates=templates, is_dry_run=is_dry_run)
    outcome.notes[:0] = notes
    if outcome.conflicts and not is_dry_run:
        outcome.next.append("resolve the conflicts, then: make check test")
    return outcome


def update_units(
    tree: Tree, record: Record, *, templates: Path = TEMPLATES, is_dry_run: bool = False
) -> Outcome:
    """Merge what the templates make of a record into the files, and store it as their new base."""
    base = tree.below(BASE)
    old = {path: base.read(path) or "" for path in base.paths()}
    new = generate(record, templates)
    outcome = Outcome("")
    before, after = (_as_edited(tree, files, old, record) for files in (old, new))
    merge_files(tree, before, after, outcome)
    for path in old.keys() - new.keys():
        base.delete(path)
    for path, text in new.items():
        base.write(path, text)
    write_record(tree, record)
    outcome.summary = _summary(outcome, record, is_dry_run=is_dry_run)
    if not is_dry_run:
        tree.commit()
    return outcome


def _as_edited(
    tree: Tree, files: dict[str, str], base: dict[str, str], record: Record
) -> dict[str, str]:
    """Return generated files with what the user has added to their long lines.

    These are extras of the framework, and views among the faces of a gateway.
    """
    edited = {**files}
    mine = tree.read(FILE)
    if mine is not None and FILE in files:
        edited[FILE] = with_extras_of(files[FILE], mine)
    for path in (app_of(unit.name) for unit in record.units if unit.template == "gateway"):
        mine = tree.read(path)
        if mine is not None and path in files and path in base:
            edited[path] = with_own_views(files[path], mine, base[path])
    return edited


def _summary(outcome: Outcome, record: Record, *, is_dry_run: bool) -> str:
    count = sum(
        len(paths)
        for paths in (outcome.created, outcome.changed, outcome.deleted, outcome.conflicts)
    )
    if not count:
        return f"The project is up to date with the templates of bff-core {record.version}."
    verb = "would change" if is_dry_run else "changed"
    files = "1 file" if count == 1 else f"{count} files"
    return f"The templates of bff-core {record.version} {verb} {files}."


def _take_wheel(tree: Tree, record: Record, folder: Path | None) -> list[str]:
    """Replace the wheel of the framework if the installed version is another one."""
    unit = record.project
    if unit is None or (record.version == Record().version and folder is None):
        return []
    wheel = find_wheel(folder)
    old = unit.values["wheel"]
    if (old, unit.values["sha256"]) == (wheel.name, wheel.sha256):
        return []
    tree.delete(f"{FOLDER}/{old}")
    tree.write(f"{FOLDER}/{wheel.name}", wheel.content)
    unit.values |= {"wheel": wheel.name, "sha256": wheel.sha256}
    return [f"The wheel {FOLDER}/{old} is replaced by {FOLDER}/{wheel.name}; make installs it."]


def follow_renames(project: Project, tree: Tree, record: Record) -> list[str]:
    """Give gateways the names that users gave them; drop those that users removed."""
    units = [unit for unit in record.units if unit.template == "gateway"]
    gone = [unit for unit in units if unit.name not in project.gateways]
    known = {unit.name for unit in units}
    new = [name for name in project.gateways if name not in known and _has_folder(project, name)]
    if len(gone) == len(new) == 1 and _is_similar(tree, gone[0].name, new[0]):
        return [_rename(tree, record, gone[0], new[0])]
    notes = []
    for unit in gone:
        if not _has_folder(project, unit.name):
            _forget(tree, record, unit)
            notes.append(f"The gateway {unit.name} was removed: it is no longer updated.")
    return notes


def _has_folder(project: Project, name: str) -> bool:
    return (project.root / "bffs" / name).is_dir()


def _is_similar(tree: Tree, old: str, new: str) -> bool:
    """Whether the module of a gateway is that of an old one, as it was generated, with edits."""
    generated = tree.below(BASE).read(app_of(old)) or ""
    before = generated.replace(old, new).splitlines()
    after = (tree.read(app_of(new)) or "").splitlines()
    return SequenceMatcher(None, before, after, autojunk=False).ratio() > MIN_SIMILARITY


def _rename(tree: Tree, record: Record, unit: Unit, name: str) -> str:
    """Move the base of a gateway to its new name, so that its files are merged there."""
    old = unit.name
    base = tree.below(BASE)
    for path in base.paths():
        parts = [name if part == old else part for part in path.split("/")]
        if "/".join(parts) != path:
            base.write("/".join(parts), base.read(path) or "")
            base.delete(path)
    unit.name = name
    for one in record.units:
        if one.values.get("gateway") == old:
            one.values["gateway"] = name
    return f"The gateway {old} was renamed to {name}."


def _forget(tree: Tree, record: Record, unit: Unit) -> None:
    """Remove a gateway, and all that belongs to it, from the record and from the base."""
    base = tree.below(BASE)
    for path in base.paths():
        if unit.name in path.split("/"):
            base.delete(path)
    record.units = [
        one
        for one in record.units
        if one.template == "project" or one.values.get("gateway") != unit.name
    ]
