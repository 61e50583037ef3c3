"""`bff add operations`: alert rules, dashboards and the configuration around them."""

import re
from pathlib import Path
from typing import Final

from bff_core.cli.project import Project, find_project
from bff_core.cli.scaffold.lock import one_at_a_time
from bff_core.cli.scaffold.outcome import Outcome
from bff_core.cli.scaffold.tree import Tree
from bff_core.operations import RUNBOOKS, files

OPERATIONS: Final = "operations"

METRICS_PORT: Final = 9464

_TARGETS: Final = re.compile(r'targets: \["web:9464".*\]')


@one_at_a_time
def add_operations(
    runbooks: str | None = None, start: Path | None = None, *, is_forced: bool = False
) -> Outcome:
    """Write the files for operators to a project; those that differ are only replaced by force.

    `runbooks` is the URL of the runbooks, which each alert links to.
    """
    project = find_project(start)
    tree = Tree(project.root)
    edited: list[str] = []
    for path, content in files().items():
        place = f"{OPERATIONS}/{path}"
        text = _text(project, content.decode(), runbooks)
        known = tree.read(place)
        if known is None or is_forced:
            tree.write(place, text)
        elif known != text:
            edited.append(place)
    notes = ["left as they are, since they differ (--force replaces them):"] if edited else []
    outcome = Outcome(
        f"Alert rules and dashboards in {OPERATIONS}/",
        created=tree.created(),
        changed=tree.changed(),
        notes=["\n".join([*notes, *(f"  {path}" for path in edited)])] if edited else [],
        next=[f"promtool check rules {OPERATIONS}/prometheus/rules.yml"],
    )
    tree.commit()
    return outcome


def _text(project: Project, text: str, runbooks: str | None) -> str:
    """Return the text of a file for the gateways of a project."""
    names = ", ".join(f'"{name}:{METRICS_PORT}"' for name in project.gateways)
    text = _TARGETS.sub(lambda _: f"targets: [{names}]", text)
    return text if runbooks is None else text.replace(RUNBOOKS, runbooks.rstrip("#"))
