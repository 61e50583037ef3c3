"""The API reference: a page for each public package, made from docstrings by mkdocstrings."""

import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType

import bff_core

DOCS = Path(__file__).resolve().parents[2] / "docs"

PACKAGES = (
    "bff_core",
    "bff_core.auth",
    "bff_core.errors",
    "bff_core.events",
    "bff_core.graphql",
    "bff_core.observe",
    "bff_core.policy",
    "bff_core.testing",
)

_IMPORT = re.compile(r"^from (bff_core\.[\w.]+) import ([\w, ]+)$", re.MULTILINE)


def api_page(package: str) -> str:
    """Return the page of a package: its summary, and each public name for mkdocstrings."""
    module = importlib.import_module(package)
    sentence = (module.__doc__ or "").partition("\n")[0]
    names = "".join(f"\n::: {name}\n" for name in public_names(module))
    return f"# `{package}`\n\n{sentence}\n{names}"


def public_names(module: ModuleType) -> list[str]:
    """Return the dotted names that a package exports.

    A package without `__all__` exports what the pages of documentation import from its modules,
    and what `bff_core` exports of it.
    """
    exported = getattr(module, "__all__", None)
    if exported is not None:
        return [f"{module.__name__}.{name}" for name in exported if _is_documented(module, name)]
    front = (getattr(bff_core, name) for name in bff_core.__all__)
    of_front = {
        f"{value.__module__}.{value.__qualname__}"
        for value in front
        if inspect.isclass(value) or inspect.isfunction(value)
    }
    return sorted(
        name for name in of_front | _imported_by_pages() if name.startswith(f"{module.__name__}.")
    )


def _is_documented(module: ModuleType, name: str) -> bool:
    """Whether a name is a class or a function: constants and type aliases have no docstring."""
    value = getattr(module, name)
    return inspect.isclass(value) or inspect.isfunction(value)


def _imported_by_pages() -> set[str]:
    """Return the dotted names that examples import."""
    return {
        f"{module}.{name.strip()}"
        for path in DOCS.rglob("*.md")
        for module, names in _IMPORT.findall(path.read_text())
        for name in names.split(",")
    }
