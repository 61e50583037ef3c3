"""Kotlin and Swift clients by the recipe of docs/how-to/kotlin-and-swift.md: `make test-contracts`.

Maven, npm and uv fetch the tools; without `CONTRACT_TOOLS=1` nothing is fetched, and the tests are
skipped.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.codegen.python_client.kiosk_gateway import app
from tests.codegen.python_client.serving import served

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
PAGE = ROOT / "docs" / "how-to" / "kotlin-and-swift.md"
TOOLS = ROOT / "build" / "contract-tools"
KOTLIN = "kotlin-compiler@2.4.20"
GRAMMAR = ("tree-sitter==0.26.1", "tree-sitter-swift==0.7.4")
GATEWAY = "tests.codegen.python_client.kiosk_gateway:app"

UNKNOWN_TO_THE_GRAMMAR = {"URLSessionImplementations.swift"}
"""A file that is the same for all clients: tree-sitter does not know `() as! T`."""

pytestmark = [
    pytest.mark.alone,
    pytest.mark.needs("java", "mvn", "npm"),
    pytest.mark.skipif(not os.environ.get("CONTRACT_TOOLS"), reason="CONTRACT_TOOLS=1 is not set"),
]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program that has to succeed; return what it printed."""
    done = subprocess.run(
        [str(one) for one in command],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


def commands(start: str) -> Iterator[list[str]]:
    """Yield the commands of the page that begin so, for the gateway of the test."""
    text = PAGE.read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if line.startswith(start):
            named = line.replace("mobile-client", "kotlin").replace("MobileClient", "swift")
            yield shlex.split(named.replace("mobile", "kiosk").replace("Mobile", "Kiosk"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the document as the page says, and fetch the generator; return the folder."""
    folder = tmp_path_factory.mktemp("app")
    [write] = commands("bff client openapi")
    write[write.index("--gateway") + 1] = GATEWAY
    run(Path(sys.executable).parent / write[0], *write[1:], cwd=folder)
    [fetch] = commands("mvn dependency:copy ")
    run(*fetch, cwd=folder)
    for generate in commands("java -jar"):
        run(*generate, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def kotlinc() -> Path:
    """Install the compiler, unless it is; return its folder."""
    compiler = TOOLS / "node_modules" / "kotlin-compiler"
    if not compiler.exists():
        TOOLS.mkdir(parents=True, exist_ok=True)
        options = ("--prefix", str(TOOLS), "--no-audit", "--no-fund", "--ignore-scripts")
        run("npm", "install", *options, KOTLIN, cwd=TOOLS)
    return compiler


@pytest.fixture(scope="module")
def jars() -> list[Path]:
    """Fetch the libraries that the Kotlin code needs."""
    libraries = TOOLS / "jars"
    pom = HERE / "kotlin" / "pom.xml"
    options = (f"-DoutputDirectory={libraries}", "-f", str(pom))
    run("mvn", "-q", "dependency:copy-dependencies", *options, cwd=ROOT)
    return sorted(libraries.glob("*.jar"))


def test_the_kotlin_client_compiles_and_calls_a_gateway(
    folder: Path, kotlinc: Path, jars: list[Path]
) -> None:
    """It reads null parts, their states, problems and lines, and repeats a write with its key."""
    program = folder / "kiosk.jar"
    sources = sorted((folder / "app" / "kotlin" / "src" / "main").rglob("*.kt"))
    plugin = kotlinc / "lib" / "kotlinx-serialization-compiler-plugin.jar"
    paths = ("-cp", os.pathsep.join(map(str, jars)), f"-Xplugin={plugin}", "-no-reflect")
    files = (*sources, HERE / "kotlin" / "Main.kt")
    run("bash", kotlinc / "bin" / "kotlinc", *files, *paths, "-d", program, cwd=folder)
    with served(app) as url:
        libraries = os.pathsep.join(map(str, [program, *jars]))
        said = run("java", "-cp", libraries, "kiosk.app.MainKt", url, cwd=folder)

    assert said.count("ok: ") == 11


SYNTAX = """
import sys
from pathlib import Path
import tree_sitter_swift
from tree_sitter import Language, Parser

parser = Parser(Language(tree_sitter_swift.language()))
for name in sys.argv[1:]:
    source = Path(name).read_bytes()
    nodes = [parser.parse(source).root_node]
    while nodes:
        node = nodes.pop()
        if node.type == "ERROR" or node.is_missing:
            print(f"{name}:{node.start_point[0] + 1}: {source[node.start_byte:node.end_byte][:80]}")
        elif node.has_error:
            nodes += node.children
"""


def syntax_errors(paths: list[Path], cwd: Path) -> list[str]:
    """Return the places of Swift files that are no Swift."""
    uv = Path(sys.executable).parent / "uv"
    packages = [part for one in GRAMMAR for part in ("--with", one)]
    command = (uv, "run", "-q", "--no-project", *packages, "python", "-c", SYNTAX)
    return run(*command, *paths, cwd=cwd).splitlines()


def test_the_swift_client_and_a_program_over_it_are_swift(folder: Path, tmp_path: Path) -> None:
    """Only their syntax is checked: there is no Swift compiler here."""
    wrong = tmp_path / "Wrong.swift"
    wrong.write_text("public struct Home { public var name String }\n")
    written = sorted((folder / "app" / "swift").rglob("*.swift"))
    checked = [one for one in written if one.name not in UNKNOWN_TO_THE_GRAMMAR]

    found = syntax_errors([*checked, HERE / "swift" / "Program.swift", wrong], tmp_path)

    assert [one.name for one in written if one.name == "GetHomeLine.swift"] != []
    assert len(found) == 1
    assert found[0].startswith(f"{wrong}:1")
