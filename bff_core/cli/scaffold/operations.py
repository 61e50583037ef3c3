"""`bff add operations`: alert rules, dashboards and the configuration around them."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import tomlkit

from bff_core.cli.errors import CannotRun
from bff_core.cli.project import Project, find_project
from bff_core.cli.scaffold.lock import one_at_a_time
from bff_core.cli.scaffold.outcome import Outcome
from bff_core.cli.scaffold.service_changes import digest_of
from bff_core.cli.scaffold.text_files import COMPOSE
from bff_core.cli.scaffold.tree import Tree
from bff_core.operations import RUNBOOKS, files

OPERATIONS: Final = "operations"

RECORD: Final = ".bff/operations.toml"
"""What was written: the address of the runbooks, and the digest of each file."""

ABOUT: Final = "What `bff add operations` wrote, so that a further run preserves your edits."

OWN_RUNBOOKS: Final = f"{OPERATIONS}/runbooks.md"
"""Where the runbooks are in a project, unless it has others."""

PROMETHEUS: Final = f"{OPERATIONS}/prometheus/prometheus.yml"

METRICS_PORT: Final = 9464

_TARGETS: Final = re.compile(r'targets: \["web:9464".*\]')
_URL: Final = re.compile(r"""https?://[^\s/?#"'<>\\{}]+[^\s#"'<>\\{}]*""")
_PATH: Final = re.compile(r"[\w.][\w./-]*")


@dataclass(slots=True)
class _Written:
    """What the runs before have written: digests of SHA-256 by the path of each file."""

    runbooks: str = OWN_RUNBOOKS
    files: dict[str, str] = field(default_factory=dict)


@one_at_a_time
def add_operations(
    runbooks: str | None = None, start: Path | None = None, *, is_forced: bool = False
) -> Outcome:
    """Write the files for operators to a project; those that users edited are replaced by force.

    `runbooks` is where each alert links to: a URL, or the path of a file of the project. Without it
    that is the address of the run before, or the runbooks that are written with the other files.
    Raises `CannotRun` for another address.
    """
    project = find_project(start)
    tree = Tree(project.root)
    written = _read(tree)
    if runbooks is not None:
        written.runbooks = _address(project.root, runbooks)
    edited: list[str] = []
    for path, content in files().items():
        place = f"{OPERATIONS}/{path}"
        text = _text(project, content.decode(), written.runbooks)
        known = tree.read(place)
        digest = digest_of(place, text)
        present = None if known is None else digest_of(place, known)
        if present not in {None, digest, written.files.get(place)} and not is_forced:
            edited.append(place)
            continue
        if present != digest:
            tree.write(place, text)
        written.files[place] = digest
    outcome = Outcome(
        f"Alert rules, runbooks and dashboards in {OPERATIONS}/",
        created=tree.created(),
        changed=tree.changed(),
        notes=[*_about_edited(project, tree, edited), *_about_metrics(project, tree)],
        next=[f"promtool check rules {OPERATIONS}/prometheus/rules.yml"],
    )
    _write(tree, written)
    tree.commit()
    return outcome


def _address(root: Path, given: str) -> str:
    """Return the address of the runbooks, to which the headings of alerts are added."""
    address = given.removesuffix("#")
    if _URL.fullmatch(address) or address == OWN_RUNBOOKS:
        return address
    if _PATH.fullmatch(address) and (root / address).is_file():
        return address
    raise CannotRun(
        f"--runbooks {given!r} is not accepted: give an http(s) URL without #, such as "
        f"https://wiki.example/runbooks, or the path of a file in {root}, such as {OWN_RUNBOOKS}"
    )


def _read(tree: Tree) -> _Written:
    """Return what the runs before have written; nothing if there was none."""
    try:
        return msgspec.convert(tomllib.loads(tree.read(RECORD) or ""), _Written)
    except ValueError as error:
        raise CannotRun(
            f"{tree.root / RECORD} can't be read: {error}; restore it from version control, or "
            "delete it: then all files that differ are left as they are"
        ) from None


def _write(tree: Tree, written: _Written) -> None:
    document = tomlkit.document()
    document.add(tomlkit.comment(ABOUT))
    document["runbooks"] = written.runbooks
    document["files"] = dict(sorted(written.files.items()))
    tree.write(RECORD, tomlkit.dumps(document))


def _targets(project: Project) -> list[str]:
    """Return the addresses at which Prometheus scrapes the gateways of a project."""
    return [f"{name}:{METRICS_PORT}" for name in project.gateways]


def _text(project: Project, text: str, runbooks: str) -> str:
    """Return the text of a file for the gateways of a project."""
    names = ", ".join(f'"{target}"' for target in _targets(project))
    text = _TARGETS.sub(lambda _: f"targets: [{names}]", text)
    return text.replace(RUNBOOKS, runbooks)


def _about_edited(project: Project, tree: Tree, edited: list[str]) -> list[str]:
    """Return which files stay, and what has to be added to them by hand."""
    if not edited:
        return []
    heading = "left as they are, since you have changed them (--force replaces them):"
    notes = ["\n".join([heading, *(f"  {path}" for path in edited)])]
    if PROMETHEUS in edited:
        text = tree.read(PROMETHEUS) or ""
        lacking = [one for one in _targets(project) if one not in text]
        if lacking:
            notes.append(f"{PROMETHEUS} does not name {', '.join(lacking)}: add it to the targets")
    return notes


def _about_metrics(project: Project, tree: Tree) -> list[str]:
    """Return the settings with which Prometheus finds the metrics of each gateway."""
    lines = [
        f"Prometheus scrapes {', '.join(_targets(project))}. Each gateway needs these settings:",
        f"  BFF_METRICS_PORT={METRICS_PORT}",
        "  BFF_METRICS_HOST=0.0.0.0    # never on a public network",
    ]
    if "BFF_METRICS_PORT" in (tree.read(COMPOSE) or ""):
        lines.append(f"{COMPOSE} has them.")
    return ["\n".join(lines)] if project.gateways else []
