"""What can be imported without an environment."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

IMPORT = """
import importlib, pkgutil, sys
import bffs
names = [one.name for one in pkgutil.walk_packages(bffs.__path__, "bffs.")]
names = [name for name in names if not name.endswith(".app")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


def test_modules_with_views_need_no_environment():
    """Tests and tools import screens and views without one variable of the gateway."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BFF_")}

    done = subprocess.run(
        (sys.executable, "-c", IMPORT),
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30
