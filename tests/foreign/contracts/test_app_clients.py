"""Clients for apps, with the tools of others: `make test-contracts`.

npm fetches them; without `CONTRACT_TOOLS=1` nothing is fetched, and the tests are skipped.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bff_core.codegen.client_options import ClientOptions
from bff_core.codegen.typescript import generate
from bff_core.contracts.openapi import load
from bff_core_cli import main
from tests.codegen.typescript import test_edges
from tests.codegen.typescript.compilers import FOLDER as EDGES
from tests.codegen.typescript.compilers import WITHOUT_PLATFORM, compile_files
from tests.codegen.typescript.test_edges import edges_client
from tests.foreign.contracts.documents import examples, github

HERE = Path(__file__).parent / "app_clients"
ROOT = HERE.parents[3]
TOOLS = ROOT / "build" / "app-clients"

pytestmark = [
    pytest.mark.alone,
    pytest.mark.needs("npm", "node"),
    pytest.mark.skipif(not os.environ.get("CONTRACT_TOOLS"), reason="CONTRACT_TOOLS=1 is not set"),
]


def run(*command: str | Path, cwd: Path = TOOLS) -> str:
    """Run a program that has to succeed; return what it printed."""
    done = subprocess.run(
        [str(one) for one in command],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def programs() -> Path:
    """Install the tools of npm, unless they are; return the folder of their programs."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    wanted, mark = (HERE / "package.json").read_text(), TOOLS / "installed.json"
    if not mark.exists() or mark.read_text() != wanted:
        (TOOLS / "package.json").write_text(wanted)
        npm = shutil.which("npm") or "npm"
        run(npm, "install", "--no-audit", "--no-fund", "--no-package-lock")
        mark.write_text(wanted)
    return TOOLS / "node_modules" / ".bin"


def test_graphql_codegen_takes_the_schema_and_the_configuration(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app's query gets types that compile under `strict`."""
    clients = TOOLS / "clients"
    shutil.rmtree(clients, ignore_errors=True)
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as ended:
        main(["client", "graphql", "--gateway", "web", "--out", str(clients)])
    assert ended.value.code == 0
    (TOOLS / "src").mkdir(exist_ok=True)
    shutil.copy(HERE / "home.graphql", TOOLS / "src")
    shutil.copy(HERE / "home.ts", TOOLS)

    run(programs / "graphql-codegen", "--config", "codegen.ts", cwd=clients)

    options = ("--strict", "--noEmit", "--skipLibCheck", "--verbatimModuleSyntax")
    modules = ("--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler")
    run(programs / "tsc", *options, *modules, "home.ts")


def test_clients_of_large_documents_compile(programs: Path) -> None:
    """Those of GitHub, and of the corner cases of OpenAPI 3.0 and 3.1, under all strict options."""
    folder = TOOLS / "large"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for number, path in enumerate([github(), *examples()]):
        described = load(path)
        if described.operations:
            (text,) = generate(described, ClientOptions(gateway="api")).values()
            (folder / f"api{number}.ts").write_text(text, encoding="utf-8")
    names = sorted(one.name for one in folder.iterdir())

    assert len(names) > 40
    assert compile_files("7", folder, *WITHOUT_PLATFORM, *names) == []


def test_the_client_runs_in_deno(programs: Path) -> None:
    """With the results that it has in Node."""
    (TOOLS / "edges_client.ts").write_text(edges_client(), encoding="utf-8")
    program = (EDGES / "edges.ts").read_text().replace("edges_client.js", "edges_client.ts")
    (TOOLS / "edges.ts").write_text(program)

    said = run(programs / "deno", "run", "--check", "--allow-all", "edges.ts")

    assert json.loads(said.splitlines()[-1]) == test_edges.EXPECTED
