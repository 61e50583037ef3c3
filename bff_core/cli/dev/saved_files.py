"""Which saved files the running programs do not serve yet, and how a message names them."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final

MAX_NAMES: Final = 4
"""The files that a message names; a branch that is checked out changes many."""


class SavedFiles:
    """The files that concern each program since its last start, whether that succeeded or not.

    A save while a program starts gives that start up: its files count for the next one.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._waiting: dict[str, set[Path]] = {}

    def add(self, program: str, paths: Iterable[Path]) -> None:
        """Add files that concern a program."""
        self._waiting.setdefault(program, set()).update(paths)

    def taken(self, program: str) -> set[Path]:
        """Return the files of a program, and forget them."""
        return self._waiting.pop(program, set())

    def described(self, paths: Collection[Path]) -> str:
        """Return the names of files, and whether they were saved or deleted."""
        saved = sorted(self._shown(one) for one in paths if one.exists())
        deleted = sorted(self._shown(one) for one in paths if not one.exists())
        texts = {"saved": saved, "deleted": deleted}
        return ", ".join(f"{_listed(names)} {verb}" for verb, names in texts.items() if names)

    def blamed(self, paths: Collection[Path], lines: Sequence[str]) -> Collection[Path]:
        """Return those files that an error names, or all of them if it names none."""
        text = "\n".join(lines)
        named = [one for one in paths if f"{self._shown(one)}, line " in text or f'{one}"' in text]
        return named or paths

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self._root) if path.is_relative_to(self._root) else path)


def _listed(names: Sequence[str]) -> str:
    """Return names as a list; of more than `MAX_NAMES`, the first and the count of the others."""
    shown = names if len(names) <= MAX_NAMES else names[: MAX_NAMES - 1]
    others = len(names) - len(shown)
    return ", ".join(shown) + (f" and {others:,} more" if others else "")
