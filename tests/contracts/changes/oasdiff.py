"""What oasdiff says of the cases: recorded in `oasdiff.json`, so that it is not needed to compare.

`python -m tests.contracts.changes.oasdiff PROGRAM` records it again.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.contracts.changes.cases import CASES
from tests.contracts.changes.shop import SHOP, edited

RECORD = Path(__file__).with_name("oasdiff.json")
LEVELS = {1: "info", 2: "warning", 3: "breaking"}

Classes = dict[str, str]
"""The level of each rule of oasdiff that a change breaks."""


def recorded() -> dict[str, Classes]:
    """Return the recorded classes of each case."""
    found: dict[str, Classes] = json.loads(RECORD.read_text())
    return found


def classified(program: Path) -> dict[str, Classes]:
    """Return what oasdiff says of each case."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            case.name: _classes(program, Path(folder), edited(SHOP, case.first), case.edits)
            for case in CASES
        }


def _classes(program: Path, folder: Path, before: dict[str, Any], edits: dict[str, Any]) -> Classes:
    changes = oasdiff_changes(program, folder, before, edited(before, edits))
    return dict(sorted((one["id"], LEVELS[one["level"]]) for one in changes))


def oasdiff_changes(
    program: Path, folder: Path, before: dict[str, Any], after: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the changes between two documents as oasdiff prints them."""
    old, new = folder / "before.json", folder / "after.json"
    old.write_text(json.dumps(before))
    new.write_text(json.dumps(after))
    done = subprocess.run(
        [program, "changelog", "--flatten-allof", "--format", "json", old, new],
        capture_output=True,
        check=True,
        text=True,
        timeout=180,
    )
    found = json.loads(done.stdout or "[]")
    changes: list[dict[str, Any]] = found["changes"] if isinstance(found, dict) else found
    return changes


if __name__ == "__main__":
    RECORD.write_text(json.dumps(classified(Path(sys.argv[1])), indent=1) + "\n")
