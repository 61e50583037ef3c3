"""Names that the shell completes; it does not load the framework."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

Completions = list[tuple[str, str]]
"""Words, each with its description."""

CLIENTS = {
    "web": "browsers",
    "mobile": "phones",
    "desktop": "desktop apps",
    "ios": "iPhones and iPads",
    "android": "Android devices",
    "partner": "programs of partners",
    "blank": "no route, to begin with",
}
AUTHS = {
    "session": "browsers sign in",
    "bearer": "access tokens",
    "key": "API keys",
    "none": "anonymous callers",
}


def clients(incomplete: str) -> Completions:
    """Return the kinds of clients whose names begin so."""
    return _beginning(CLIENTS.items(), incomplete)


def auths(incomplete: str) -> Completions:
    """Return the ways to authenticate whose names begin so."""
    return _beginning(AUTHS.items(), incomplete)


def gateways(incomplete: str) -> Completions:
    """Return the gateways of `[tool.bff]` whose names begin so, each with its description."""
    return _beginning(_gateways(_project()), incomplete)


def screens(incomplete: str) -> Completions:
    """Return the modules of bffs/compositions whose names begin so."""
    found = ((name, _first_line(module)) for name, module in _modules("compositions"))
    return _beginning(found, incomplete)


def gateways_and_screens(incomplete: str) -> Completions:
    """Return gateways, and the classes of bffs/compositions, whose names begin so."""
    found = (
        (one.name, _first_line(one))
        for _, module in _modules("compositions")
        for one in module.body
        if isinstance(one, ast.ClassDef) and "Composition" in map(_last_name, one.bases)
    )
    return [*gateways(incomplete), *_beginning(found, incomplete)]


def parts(incomplete: str) -> Completions:
    """Return the methods of bffs/services that read, as `catalog.product`."""
    found = (
        (f"{_service_name(one)}.{method.name}", _first_line(method))
        for module, generated in _services()
        for one in module.body
        if isinstance(one, ast.ClassDef) and one.bases
        for method in [*one.body, *_inherited(one, generated)]
        if isinstance(method, ast.AsyncFunctionDef) and _reads(method)
    )
    return _beginning(found, incomplete)


def services(incomplete: str) -> Completions:
    """Return the services of `[tool.bff]` that were generated, whose names begin so."""
    root = _project()
    found = (root / "bffs" / "services").glob("[!_]*/operations.py") if root else ()
    return _beginning(((one.parent.name, "generate it again") for one in sorted(found)), incomplete)


def _beginning(found: Iterable[tuple[str, str]], incomplete: str) -> Completions:
    return [one for one in found if one[0].startswith(incomplete)]


def _project() -> Path | None:
    here = Path.cwd()
    return next((one for one in (here, *here.parents) if _gateways(one)), None)


def _gateways(folder: Path | None) -> Completions:
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8") if folder else ""
        content = tomllib.loads(text)
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


def _modules(folder: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield the modules of a folder of `bffs` that can be parsed."""
    root = _project()
    for path in sorted((root / "bffs" / folder).glob("[!_]*.py")) if root else ():
        module = _parsed(path)
        if module is not None:
            yield path.stem, module


def _parsed(path: Path) -> ast.Module | None:
    """Return a module; None if it can't be parsed."""
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return None


def _services() -> Iterator[tuple[ast.Module, ast.Module | None]]:
    """Yield the modules of services, each with the generated one that it extends, or None."""
    for _, module in _modules("services"):
        yield module, None
    root = _project()
    for path in sorted((root / "bffs" / "services").glob("[!_]*/operations.py")) if root else ():
        own, generated = _parsed(path.with_name("__init__.py")), _parsed(path)
        if own is not None:
            yield own, generated


def _inherited(node: ast.ClassDef, generated: ast.Module | None) -> list[ast.stmt]:
    """Return what a class inherits from the generated one."""
    bases = {_last_name(one) for one in node.bases}
    body = generated.body if generated is not None else []
    classes = (one for one in body if isinstance(one, ast.ClassDef) and one.name in bases)
    return [member for one in classes for member in one.body]


def _reads(method: ast.AsyncFunctionDef) -> bool:
    code = ast.unparse(method)
    is_generator = any(isinstance(one, ast.Yield) for one in ast.walk(method))
    return any(f"self.{one}(" in code for one in ("get", "query")) and not is_generator


def _service_name(node: ast.ClassDef) -> str:
    """Return the name of a service: its attribute `name`, or that of its class."""
    for one in node.body:
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "name":
            return ast.unparse(one.value).strip("'\"")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", node.name).lower()


def _last_name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _first_line(node: ast.Module | ast.ClassDef | ast.AsyncFunctionDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0]
