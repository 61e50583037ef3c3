"""The dashboards as files of JSON, and the runbooks as a file of projects."""

import json
from pathlib import Path
from typing import Any, Final

from scripts.dashboards import overview, process, runbooks, upstreams

OPERATIONS: Final = Path(__file__).parents[2] / "bff_core/operations"
FOLDER: Final = OPERATIONS / "grafana/dashboards"
RUNBOOKS: Final = OPERATIONS / "runbooks.md"


def dashboards() -> dict[str, dict[str, Any]]:
    """Return the dashboards by the names of their files."""
    return {
        "overview.json": overview.dashboard(),
        "upstreams.json": upstreams.dashboard(),
        "process.json": process.dashboard(),
        "runbooks.json": runbooks.dashboard(),
    }


def text_of(dashboard: dict[str, Any]) -> str:
    """Return a dashboard as the text of its file."""
    return json.dumps(dashboard, indent=1, ensure_ascii=False) + "\n"


def write() -> None:
    """Write all files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, dashboard in dashboards().items():
        (FOLDER / name).write_text(text_of(dashboard), encoding="utf-8")
    RUNBOOKS.write_text(runbooks.page(), encoding="utf-8")
