"""The public packages, and which imports of a module are not from them."""

import ast
import importlib
from collections.abc import Iterator

from scripts.docs.api import PACKAGES

COMMANDS = {
    "bff_core.server.protocol",
}
"""What users name on a command line, and do not import."""


def exported(package: str) -> list[str]:
    """Return what a public package lists in `__all__`."""
    names: list[str] = importlib.import_module(package).__all__
    return names


def private_imports(source: str) -> Iterator[str]:
    """Yield what a module imports of the framework and no public package lists."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            yield from (one for one in names if _is_ours(one) and one not in PACKAGES)
        elif isinstance(node, ast.ImportFrom) and _is_ours(node.module or ""):
            public = exported(node.module) if node.module in PACKAGES else []
            packages = {one.rpartition(".")[2] for one in PACKAGES if one != node.module}
            for alias in node.names:
                is_package = node.module == "bff_core" and alias.name in packages
                if alias.name not in public and not is_package:
                    yield f"{node.module}.{alias.name}"


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "bff_core"
