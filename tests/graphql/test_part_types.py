"""mypy and pyright, both strict and without plugins, compare part, shape and field."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.type_checkers.pyright import installed

ROOT = Path(__file__).parents[2]
SAMPLE = Path(__file__).parent / "part_types.py"

LINES = SAMPLE.read_text().splitlines()
REFUSED = {number for number, line in enumerate(LINES, 1) if line.endswith("# refused")}


@pytest.mark.slow
def test_mypy_refuses_what_does_not_fit():
    """Each wrong field is an error of mypy, and no right one is."""
    options = ("--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache' / 'examples'}")
    done = subprocess.run(
        (sys.executable, "-m", "mypy", *options, "--follow-imports=silent", str(SAMPLE)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    errors = [line.split(":") for line in done.stdout.splitlines() if ": error:" in line]
    assert {int(line[1]) for line in errors} == REFUSED, done.stdout + done.stderr
    assert len(REFUSED) > 30


@pytest.mark.slow
@pytest.mark.needs("node", "npm")
def test_pyright_refuses_what_does_not_fit(tmp_path):
    """Each wrong field is an error of pyright, and no right one is."""
    (tmp_path / SAMPLE.name).write_text(SAMPLE.read_text())
    options = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "extraPaths": [str(ROOT)],
        "venvPath": str(Path(sys.prefix).parent),
        "venv": Path(sys.prefix).name,
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(options))

    done = subprocess.run(
        ("node", installed(), "--project", str(tmp_path), "--outputjson"),
        capture_output=True,
        text=True,
        check=False,
    )

    errors = json.loads(done.stdout)["generalDiagnostics"]
    assert {one["range"]["start"]["line"] + 1 for one in errors} == REFUSED, done.stdout
