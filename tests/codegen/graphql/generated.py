"""Imports generated packages, and runs ruff and mypy over them as a new project does."""

import importlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from bff_core.codegen.graphql import GeneratedGraphQL

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "bff_core/templates/project/pyproject.toml.jinja"


def written(
    folder: Path, generated: GeneratedGraphQL, more: Mapping[str, str] | None = None
) -> Path:
    """Write a package with the generated files."""
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text('"""A service."""\n')
    for name, text in {**generated.files, **(more or {})}.items():
        (folder / name).write_text(text)
    return folder


@contextmanager
def imported(generated: GeneratedGraphQL):
    """Yield the modules operations and models of a package that holds the generated files."""
    with tempfile.TemporaryDirectory() as folder:
        package = f"generated_{Path(folder).name}"
        written(Path(folder) / package, generated)
        sys.path.insert(0, folder)
        try:
            operations: ModuleType = importlib.import_module(f"{package}.operations")
            yield operations, sys.modules[f"{package}.models"]
        finally:
            sys.path.remove(folder)
            for name in [one for one in sys.modules if one.startswith(package)]:
                del sys.modules[name]


def complaints(folder: Path, generated: GeneratedGraphQL) -> str:
    """Return what ruff complains of with the rules of a new project, check and format."""
    written(folder / "shop", generated)
    template = TEMPLATE.read_text()
    rules = template[template.index("[tool.ruff]") : template.index("[tool.mypy]")]
    (folder / "pyproject.toml").write_text(re.sub(r"{{.*?}}", "x", rules))
    ruff = [sys.executable, "-m", "ruff"]
    runs = [
        subprocess.run(
            [*ruff, *command, "--no-cache", "shop"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        for command in (["check"], ["format", "--diff"])
    ]
    return "".join(
        run.stdout + (run.stderr if run.returncode else "") for run in runs if run.returncode
    )
