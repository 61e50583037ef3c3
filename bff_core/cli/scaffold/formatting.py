"""Formats generated code with the ruff of the project, if it has one."""

import shutil
import subprocess
import sys
from pathlib import Path


def find_ruff(root: Path) -> str | None:
    """Return the path of ruff: that of the project, then of this environment, then of the PATH.

    The command may be that of another environment, which has none.
    """
    for folder in (root / ".venv" / "bin", Path(sys.executable).parent):
        if (folder / "ruff").is_file():
            return str(folder / "ruff")
    return shutil.which("ruff")


def format_advice(root: Path) -> list[str]:
    """Return what to type after code was written without ruff; empty if there is one."""
    return [] if find_ruff(root) else ["make format"]


def formatted(root: Path, path: str, text: str) -> str:
    """Return code as ruff formats it, with the settings of the project; without ruff as it is."""
    ruff = find_ruff(root)
    if ruff is None:
        return text
    done = subprocess.run(  # noqa: S603 # ruff, with code on its standard input
        [ruff, "format", "--quiet", "--stdin-filename", path, "-"],
        cwd=root,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 else text


def edited(root: Path, path: str, before: str, after: str) -> str:
    """Return an edited file, formatted if it was formatted before."""
    return formatted(root, path, after) if formatted(root, path, before) == before else after
