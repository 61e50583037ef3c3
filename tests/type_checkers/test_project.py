"""A user's project is clean for mypy and pyright in their strict modes, and mistakes are found.

`project/shop` has what a user writes, in several files; `wrong.py` has mistakes, each marked.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.type_checkers.pyright import installed

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
PROJECT = FOLDER / "project"
MYPY_CACHE = ROOT / ".mypy_cache" / "examples"


def marked() -> set[tuple[str, int]]:
    """Return the lines that are wrong."""
    lines = (PROJECT / "shop" / "wrong.py").read_text().splitlines()
    return {("wrong.py", number) for number, line in enumerate(lines, 1) if line.endswith("# <-")}


@pytest.mark.slow
def test_mypy_finds_the_mistakes_and_no_others():
    """`mypy --strict`, without a plugin."""
    options = ("--strict", "--config-file=", f"--cache-dir={MYPY_CACHE}")
    done = subprocess.run(
        (sys.executable, "-m", "mypy", *options, "--follow-imports=silent", "shop"),
        cwd=PROJECT,
        env={"MYPYPATH": f"{ROOT}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line.split(":") for line in done.stdout.splitlines() if ": error:" in line]

    assert {(Path(file).name, int(number)) for file, number, *_ in found} == marked(), done.stdout


@pytest.fixture(scope="module")
def pyright(tmp_path_factory) -> list[tuple[Path, int, str]]:
    """Run pyright in its strict mode over both; return file, line and text of each error."""
    program = installed()
    folder = tmp_path_factory.mktemp("pyright")
    shutil.copytree(PROJECT / "shop", folder / "shop")
    shutil.copytree(ROOT / "bffs", folder / "bffs")
    config = {"pythonVersion": "3.11", "typeCheckingMode": "strict", "extraPaths": [str(ROOT)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    done = subprocess.run(
        ("node", program, "-p", folder, "--pythonpath", sys.executable, "--outputjson"),
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] > 30
    return [
        (Path(one["file"]), one["range"]["start"]["line"] + 1, one["message"])
        for one in report["generalDiagnostics"]
    ]


@pytest.mark.slow
@pytest.mark.needs("node", "npm")
def test_pyright_finds_the_mistakes_and_no_others(pyright):
    """Editors use it, in the mode that warns of each unknown type."""
    found = [(file.name, line) for file, line, _ in pyright if file.parent.name == "shop"]

    assert set(found) == marked(), pyright


@pytest.mark.slow
@pytest.mark.needs("node", "npm")
def test_the_reference_gateways_are_clean_for_pyright(pyright):
    """They are the longest example of a user's code."""
    found = [
        (file, line, text)
        for file, line, text in pyright
        if "bffs" in file.parts
        # Strawberry alone knows the type of such a field.
        and "strawberry.field(" not in file.read_text().splitlines()[line - 1]
    ]

    assert found == []
