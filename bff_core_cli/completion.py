"""Names that the shell completes; it does not load the framework."""

import tomllib
from pathlib import Path


def gateways(incomplete: str) -> list[tuple[str, str]]:
    """Return the gateways of `[tool.bff]` whose names begin so, each with its description."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if found := _named_in(folder):
            return [one for one in found if one[0].startswith(incomplete)]
    return []


def _named_in(folder: Path) -> list[tuple[str, str]]:
    try:
        content = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    table: object = content
    for name in ("tool", "bff", "gateways"):
        table = table.get(name) if isinstance(table, dict) else None
    entries = table.items() if isinstance(table, dict) else ()
    return [
        (name, str(entry.get("about", "")) if isinstance(entry, dict) else "")
        for name, entry in entries
    ]
