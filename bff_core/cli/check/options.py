"""The options of `bff check`."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from shutil import which
from typing import Final

from bff_core.cli.errors import CannotRun
from bff_core.cli.project import Project

SHALLOW: Final = "a shallow clone lacks older ones (git fetch --unshallow; fetch-depth: 0 in CI)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What is checked, and against what.

    `live` has the source of a service's live contract by its name. `allowed` are rules, or
    rules with an operation, of changes that are intended. `since` is a revision of git whose pinned
    files count as the last release.
    """

    gateways: Sequence[str] = ()
    services: Sequence[str] = ()
    live: Mapping[str, str] = field(default_factory=dict)
    allowed: Sequence[str] = ()
    since: str = ""
    is_offline: bool = False
    is_production: bool = False

    def allows(self, rule: str, operation: str) -> bool:
        """Whether a change is intended: `RULE`, or `RULE:OPERATION`; `*` stands for any text."""
        return any(
            fnmatchcase(rule, one.partition(":")[0])
            and fnmatchcase(operation, one.partition(":")[2] or "*")
            for one in self.allowed
        )


def named_sources(given: Sequence[str]) -> dict[str, str]:
    """Return the sources of `--live NAME=SOURCE` by name; raise `CannotRun` for another form."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, source = one.partition("=")
        if not (name and equals and source):
            raise CannotRun(f"--live {one!r}: write NAME=FILE or NAME=URL")
        found[name] = source
    return found


def pinned_text(project: Project, path: Path, since: str) -> str | None:
    """Return the text of a pinned file, or what it was at a revision; None if there is none."""
    if not since:
        return read_pinned(path) if path.is_file() else None
    git = which("git")
    if git is None:
        raise CannotRun("--since needs git, which is not installed")
    if since.startswith("-"):
        raise CannotRun(f"--since {since!r} is no revision of git")
    known = _run(git, project.root, "rev-parse", "--verify", "--quiet", f"{since}^{{commit}}")
    if known is None:
        raise CannotRun(f"--since {since!r} is no revision of git in {project.root}: {SHALLOW}")
    return _run(git, path.parent, "show", f"{since}:./{path.name}")


def read_pinned(path: Path) -> str:
    """Return the text of a pinned file; raise `CannotRun` if it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CannotRun(
            f"{path} is no text in UTF-8: restore it, or delete it and write it with --pin"
        ) from None


def has_conflict(text: str) -> bool:
    """Whether a text has conflict markers of git."""
    return any(line.startswith(("<<<<<<< ", ">>>>>>> ")) for line in text.splitlines())


def _run(git: str, folder: Path, *words: str) -> str | None:
    if not folder.is_dir():
        return None
    done = subprocess.run(  # noqa: S603 # no shell, and the revision is no option
        [git, *words], cwd=folder, capture_output=True, check=False
    )
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
