"""Formats generated code with the ruff of the project, if it has one."""

import shutil
import subprocess
import sys
from pathlib import Path


def formatted(root: Path, path: str, text: str) -> str:
    """Return code as ruff formats it, with the settings of the project; without ruff as it is."""
    beside = Path(sys.executable).with_name("ruff")
    ruff = str(beside) if beside.exists() else shutil.which("ruff")
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
