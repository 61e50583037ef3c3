"""Installs pyright: one copy for all tests of types."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
PROGRAM = FOLDER / "node_modules" / "pyright" / "index.js"


def installed() -> Path:
    """Return the program, from the lock file; skip where npm can't install it.

    The tests of several files run at the same time: only one of them installs it.
    """
    with (FOLDER / "package.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not PROGRAM.exists():
            command = (shutil.which("npm") or "npm", "ci", "--no-audit", "--no-fund")
            done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"npm can't install pyright: {done.stderr[-200:]}")
    return PROGRAM
