"""The house plan, held by tests: what import-linter's contracts cannot say."""

import ast
import graphlib
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOUSE = ("bff_core", "bff_core_cli", "bff_core_pytest", "bffs", "services_mock", "scripts")
CORE = ROOT / "bff_core"

LANGUAGE = {"msgspec", "typing_extensions"}
"""What every floor may speak."""

FACES = {"fastapi", "starlette", "strawberry", "graphql", "pydantic", "pydantic_core"}
"""The frameworks that the faces, the edge and the gateway are written for."""

ANY_PLACE = {"brotli", "cachetools", "http_sf", "uvloop", "zstandard"}
"""Data structures and codecs: to replace one takes its name from an import, wherever it is."""

ONE_PLACE = {
    "cryptography": ("bff_core.auth.session.sealing", "bff_core.auth.certificate"),
    "joserfc": ("bff_core.auth.jwt", "bff_core.compat.joserfc"),
    "httptools": ("bff_core.upstream.transport.", "bff_core.server."),  # responses, requests
    "httpx": (
        "bff_core.testing.gateway_client",
        "bff_core.codegen.python_client.runtime.async_caller",
        "bff_core.codegen.python_client.runtime.replies",
    ),
    "redis": (
        "bff_core.redis.client",
        "bff_core.redis.cluster",
        "bff_core.redis.subscription",
        "bff_core.compat.redis",
    ),
    "re2": "bff_core.proxy.path_regex",
    "dns": "bff_core.upstream.discovery.srv",
    "tenacity": "bff_core.upstream.layers.",
    "uvicorn": "bff_core.compat.uvicorn",
    "websockets": ("bff_core.web_socket.framing", "bff_core.compat.websockets"),
    "jsonschema_rs": "bff_core.mocks.schemas",
    "yaml": "bff_core.contracts.openapi.yaml_text",
}
"""Libraries that might be replaced: each is imported in one module below this name, or these."""

ONE_FOLDER = {
    "jinja2": "bff_core.cli.scaffold.",
    "opentelemetry": ("bff_core.observe.opentelemetry.", "bff_core.compat.opentelemetry"),
    "rich": "bff_core.cli.",
    "tomlkit": "bff_core.cli.scaffold.",
    "watchfiles": "bff_core.cli.dev.",
}
"""Libraries of one area: each is imported below this name only."""

LONGEST_GATEWAY_FILE = 150

STATELESS_LAYERS = {"attempt", "coalesce", "deadline", "cache_fill", "graphql", "purge"}
"""Layers that decide nothing over time, and so have no policy module."""

LAYER_PAGE = ("About", "Usage", "Defaults", "Events", "Do / Don't")


def sources(*packages: str) -> Iterator[Path]:
    """Yield the modules of packages."""
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the dotted name of a module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tree(path: Path) -> ast.Module:
    """Parse a module."""
    return ast.parse(path.read_text(), str(path))


@cache
def imports(path: Path) -> frozenset[str]:
    """Return the full name of everything a module imports, be it a module or a name in one."""
    return frozenset(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def libraries(path: Path) -> set[str]:
    """Return the third-party packages that a module imports."""
    tops = {name.partition(".")[0] for name in imports(path)}
    return tops - sys.stdlib_module_names - set(HOUSE)


def imported_modules(path: Path, known: set[str]) -> set[str]:
    """Return the modules of ours that a module imports, itself aside."""
    found = {name if name in known else name.rpartition(".")[0] for name in imports(path)}
    return (found & known) - {module_name(path)}


def where(paths: Iterable[Path]) -> list[str]:
    """Return paths as one would type them."""
    return [str(path.relative_to(ROOT)) for path in paths]


def test_no_module_imports_itself_through_others():
    """There is no import cycle anywhere, not even one that is hidden inside a function."""
    known = {module_name(path) for path in sources(*HOUSE)}
    graph = {module_name(path): imported_modules(path, known) for path in sources(*HOUSE)}

    order = list(graphlib.TopologicalSorter(graph).static_order())

    assert set(order) == known


def test_types_are_imported_plainly():
    """No import hides behind TYPE_CHECKING, except the lazy ones of a public package."""
    begins = re.compile(r"^\s*if (?:typing\.)?TYPE_CHECKING", re.MULTILINE)
    hidden = [path for path in sources(*HOUSE) if begins.search(path.read_text())]

    assert where(hidden) == ["bff_core/auth/__init__.py"]


def test_rooms_import_from_rooms():
    """No module of the framework imports from `bff_core` itself, which imports them all."""
    known = {module_name(path) for path in sources("bff_core")}
    through = [
        path
        for path in sources("bff_core")
        if path != CORE / "__init__.py" and "bff_core" in imported_modules(path, known)
    ]

    assert where(through) == []


def test_a_replaceable_library_is_imported_in_one_module():
    """A library that may have to go one day would take one module with it."""
    users = defaultdict(set)
    for path in sources("bff_core"):
        for library in libraries(path) - LANGUAGE - FACES - ANY_PLACE:
            users[library].add(module_name(path))

    for library, folder in ONE_FOLDER.items():
        assert all(name.startswith(folder) for name in users.pop(library)), library
    assert users.keys() <= ONE_PLACE.keys(), "say in ONE_PLACE where a new library lives"
    for library, names in users.items():
        place = ONE_PLACE[library]
        places = (place,) if isinstance(place, str) else place
        assert len(names) == len(places), f"{library} is imported in {sorted(names)}"
        for below in places:
            assert any(name.startswith(below) for name in names), f"{library}: none in {below}"


def test_the_reference_application_needs_no_client_library():
    """Gateways and screens are written in the framework's words; GraphQL types are Strawberry's."""
    foreign = {
        f"{module_name(path)}: {library}"
        for path in sources("bffs")
        for library in libraries(path) - LANGUAGE - {"fastapi", "strawberry", "pydantic"}
    }

    assert foreign == set()


def test_every_imported_library_is_a_declared_dependency():
    """Nothing works only because another library happens to bring it along."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    declared = set(map(_distribution, chain(project["dependencies"], *extras)))
    owners = packages_distributions()
    undeclared = {
        f"{module_name(path)}: {library}"
        for path in sources("bff_core", "bffs", "services_mock")
        for library in libraries(path) - {"pydantic_core"}  # pinned by pydantic, part of its API
        if declared.isdisjoint(map(_normal, owners.get(library, [])))
    }

    assert undeclared == set()


def test_the_scripts_need_nothing_but_python():
    """What sets up the environment runs before anything is installed."""
    early = [path for path in sources("scripts") if "docs" not in path.parts]

    assert {path.stem for path in early} >= {"environment", "lock", "version_range"}
    assert {library for path in early for library in libraries(path)} == set()


def test_gateways_are_thin():
    """A gateway file reads in one sitting: short, without a client, a loop or a `try`."""
    files = list(sources("bffs/web", "bffs/mobile", "bffs/desktop"))
    thick = [
        f"{path.relative_to(ROOT)}: {complaint}" for path in files for complaint in _thickness(path)
    ]

    assert len(files) >= 3
    assert thick == []


def test_tests_use_no_mocks():
    """Tests play the upstream; they do not patch what they test."""
    mocked = [
        path
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if "mock" in path.read_text()  # to parse them all takes a second
        and any(name.startswith("unittest.mock") for name in imports(path))
    ]

    assert where(mocked) == []


STACK = CORE / "upstream" / "stack.py"
LAYERS = sorted(
    {
        name.removeprefix("bff_core.upstream.layers.").partition(".")[0]
        for name in imports(STACK)
        if name.startswith("bff_core.upstream.layers.")
    }
)


def test_there_are_layers():
    """The table of contents of the stack names every layer of the default policy."""
    assert {"deadline", "coalesce", "retry", "breaker", "bulkhead", "balance"} <= set(LAYERS)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_has_one_noun_in_four_places(layer):
    """Who knows a layer's name finds its decisions, its wrapper, its test and its page."""
    places = [CORE / f"upstream/layers/{layer}.py", ROOT / f"tests/upstream/test_{layer}.py"]
    if layer not in STATELESS_LAYERS:
        places.append(CORE / f"policy/upstream/{layer}.py")

    assert [str(place.relative_to(ROOT)) for place in places if not place.exists()] == []
    page = (ROOT / f"docs/layers/{layer}.md").read_text()
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert [heading for heading in LAYER_PAGE if heading not in headings] == []


def _thickness(path: Path) -> Iterator[str]:
    lines = len(path.read_text().splitlines())
    if lines > LONGEST_GATEWAY_FILE:
        yield f"{lines} lines"
    for name in imports(path):
        if name.partition(".")[0] in {"httpx", "asyncio"}:
            yield f"imports {name}"
    if any(isinstance(node, ast.Try | ast.TryStar) for node in ast.walk(tree(path))):
        yield "has a try: a part lacks its fallback"


def _distribution(requirement: str) -> str:
    name = requirement.partition(";")[0]
    for mark in "<>=!~[ ":
        name = name.partition(mark)[0]
    return _normal(name)


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")
