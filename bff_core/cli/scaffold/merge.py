"""Three-way merge: changes of templates into files that users have edited.

For each file: the *base* is what was generated last, *new* is what the templates generate now.
"""

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from bff_core.cli.errors import CannotRun
from bff_core.cli.scaffold.outcome import Outcome
from bff_core.cli.scaffold.text_files import newline_of
from bff_core.cli.scaffold.tree import Tree

MARKERS = ("<<<<<<< ", ">>>>>>> ")


def check_git() -> str:
    """Return the path of git, whose merge is used; raise `CannotRun` if there is none."""
    git = shutil.which("git")
    if git is None:
        raise CannotRun("the three-way merge needs git: install it (only merges need it)")
    return git


def merge_files(
    tree: Tree, base: Mapping[str, str], new: Mapping[str, str], outcome: Outcome
) -> None:
    """Change the files of a tree from `base` to `new`; edits of users stay.

    Conflicts are marked in the file as git marks them, and listed in the outcome.
    """
    git = check_git()
    check_resolved(tree, sorted({*base, *new}))
    for path in sorted({*base, *new}):
        before, after, mine = base.get(path), new.get(path), tree.read(path)
        if after in {before, mine}:
            continue
        if after is None:
            if mine is not None:
                _drop(tree, path, outcome, is_edited=mine != before)
        elif mine is None:
            _add(tree, path, after, outcome, is_deleted=before is not None)
        elif mine == before:
            tree.write(path, after)
            outcome.changed.append(path)
        else:
            merged, has_conflict = _merged(git, mine, before or "", after)
            tree.write(path, merged)
            (outcome.conflicts if has_conflict else outcome.changed).append(path)


def _drop(tree: Tree, path: str, outcome: Outcome, *, is_edited: bool) -> None:
    if is_edited:
        outcome.notes.append(f"{path} is no longer generated; it has edits, so it stays")
    else:
        tree.delete(path)
        outcome.deleted.append(path)


def _add(tree: Tree, path: str, text: str, outcome: Outcome, *, is_deleted: bool) -> None:
    if is_deleted:
        outcome.absent.append(path)
    else:
        tree.write(path, text)
        outcome.created.append(path)


def check_resolved(tree: Tree, paths: Iterable[str]) -> None:
    """Raise `CannotRun` if a file has conflict markers."""
    for path in paths:
        lines = (tree.read(path) or "").splitlines()
        if all(any(line.startswith(marker) for line in lines) for marker in MARKERS):
            raise CannotRun(f"{path} has conflicts of an earlier merge: resolve them first")


def _merged(git: str, mine: str, base: str, new: str) -> tuple[str, bool]:
    """Return the merged text, and whether it has conflicts."""
    newline = newline_of(mine)
    with TemporaryDirectory() as folder:
        names = ("yours", "last generated", "new template")
        texts = (mine, *(text.replace("\n", newline) for text in (base, new)))
        for name, text in zip(names, texts, strict=True):
            (Path(folder) / name).write_bytes(text.encode())
        labels = [part for name in names for part in ("-L", name)]
        done = subprocess.run(  # noqa: S603 # git, with files of our own
            [git, "merge-file", "--stdout", *labels, *names],
            cwd=folder,
            capture_output=True,
            check=False,
        )
    if done.returncode < 0 or done.returncode > 127:  # otherwise it is the number of conflicts
        raise CannotRun(f"git can't merge: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(), done.returncode > 0
