"""Files for operators: alert rules, runbooks, dashboards, and what reads metrics."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent

RUNBOOKS: Final = "docs/how-to/runbooks.md"
"""Where the alert rules say that the runbooks are, before an anchor."""


def files() -> dict[str, bytes]:
    """Return the files by their paths."""
    return {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in {".yml", ".json", ".md"}
    }
