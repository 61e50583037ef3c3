"""Builds the console's pages in a folder of its own, with the packages that its lock names."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "console"
ASSETS = ROOT / "bff_core" / "console" / "assets"


@contextmanager
def installed() -> Iterator[Path]:
    """Copy the sources of the pages and install their packages; remove the folder at the end."""
    with tempfile.TemporaryDirectory(prefix="bff-console-") as temporary:
        folder = Path(temporary) / "console"
        shutil.copytree(SOURCES, folder, ignore=shutil.ignore_patterns("node_modules"))
        run("npm", "ci", cwd=folder)
        yield folder


def run(*command: str, cwd: Path) -> str:
    """Run a program; return what it printed, or fail with it."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
