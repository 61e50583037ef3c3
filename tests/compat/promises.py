"""The names that the modules of `bff_core/compat` take from their libraries, read from their text.

They are read without importing the modules: one name that is gone must not hide the others.
"""

import ast
import importlib
import inspect
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMPAT = ROOT / "bff_core" / "compat"

DISTRIBUTIONS = {
    "fastapi": "fastapi",
    "graphql": "graphql-core",
    "joserfc": "joserfc",
    "opentelemetry": "opentelemetry-exporter-otlp-proto-http",
    "pydantic": "pydantic",
    "pydantic_core": "pydantic-core",
    "redis": "redis",
    "starlette": "starlette",
    "strawberry": "strawberry-graphql",
    "uvicorn": "uvicorn",
    "websockets": "websockets",
}
"""The libraries whose private names stand in `compat`: package and distribution."""


def imported_names(tree: ast.Module) -> list[str]:
    """Return the full names that a module imports from these libraries, sorted."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            if node.module.partition(".")[0] in DISTRIBUTIONS:
                found |= {f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names if one.name in DISTRIBUTIONS}
    return sorted(found)


def broken(name: str) -> str:
    """Return the broken promise of a library that lacks a name; empty where it has it."""
    package = name.partition(".")[0]
    module, _, attribute = name.rpartition(".")
    try:
        found = importlib.import_module(module or name)
        if module:
            getattr(found, attribute)
    except (ImportError, AttributeError):
        distribution = DISTRIBUTIONS[package]
        return f"{distribution} {version(distribution)} has no {name}"
    return ""


def parameters(function: object) -> set[str]:
    """Return the names of the parameters of a function."""
    return set(inspect.signature(function).parameters)  # type: ignore[arg-type]
