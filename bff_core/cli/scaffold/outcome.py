"""What a verb has done with the files of a project, and how it is printed."""

import sys
from dataclasses import asdict, dataclass, field

from bff_core.cli.output import print_json


@dataclass(slots=True)
class Outcome:
    """The paths of files by what happened to them; `next` are commands to type.

    `changes` are those of generated code in words, and `diff` is its unified diff.
    """

    summary: str
    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    next: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    diff: str = ""

    @property
    def status(self) -> int:
        """The exit status: 1 if the user has to resolve conflicts."""
        return int(bool(self.conflicts))


HEADINGS = {
    "created": "created",
    "changed": "changed",
    "deleted": "deleted, since it is no longer generated",
    "absent": "not created again, since you deleted it",
    "conflicts": "CONFLICT, marked in the file",
}


def print_outcome(outcome: Outcome, *, as_json: bool) -> None:
    """Print what happened to each file, and what to do next."""
    if as_json:
        print_json(asdict(outcome))
        return
    lines = [outcome.summary]
    for name, heading in HEADINGS.items():
        paths: list[str] = getattr(outcome, name)
        lines += ["", f"{heading}:", *(f"  {path}" for path in paths)] if paths else []
    lines += ["", *outcome.changes] if outcome.changes else []
    lines += ["", outcome.diff.rstrip("\n")] if outcome.diff else []
    for note in outcome.notes:
        lines += ["", note.rstrip("\n")]
    lines += ["", *(f"  {command}" for command in outcome.next)] if outcome.next else []
    sys.stdout.write("\n".join(lines) + "\n")
