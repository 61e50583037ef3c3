"""The API reference: a page for each public package, made from docstrings by mkdocstrings."""

import importlib
from types import ModuleType
from typing import Final

PACKAGES: Final = (
    "bff_core",
    "bff_core.auth",
    "bff_core.errors",
    "bff_core.events",
    "bff_core.graphql",
    "bff_core.mocks",
    "bff_core.observe",
    "bff_core.policy",
    "bff_core.proxy",
    "bff_core.service_clients",
    "bff_core.testing",
)
"""The public packages; users import from no other."""


def api_page(package: str) -> str:
    """Return the page of a package: its summary, and each public name for mkdocstrings."""
    module = importlib.import_module(package)
    sentence = (module.__doc__ or "").partition("\n")[0]
    names = "".join(f"\n::: {name}\n" for name in public_names(module))
    return f"# `{package}`\n\n{sentence}\n{names}"


def public_names(module: ModuleType) -> list[str]:
    """Return the dotted names that a package exports."""
    return [f"{module.__name__}.{name}" for name in module.__all__]
