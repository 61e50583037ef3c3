"""Tools of others judge the OpenAPI documents of the reference gateways: `make test-openapi`.

npm and uvx fetch them; without `OPENAPI_TOOLS=1` nothing is fetched, and the tests are skipped.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.bffs.conftest import RunModule, ServedMocks, run_module, served_mocks
from tests.processes.ports import free_ports

__all__ = ["run_module", "served_mocks"]  # fixtures

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "openapi"
TOOLS = ROOT / "build" / "openapi-tools"
SCHEMATHESIS = "schemathesis@4.32.5"
GATEWAYS = ("mobile", "desktop", "web")
STAFF = "Authorization: Bearer demo-9"
"""User 9 may do everything."""

STRICT = (
    *("--strict", "--noEmit", "--skipLibCheck", "--target", "es2022", "--lib", "es2022,dom"),
    *("--module", "esnext", "--moduleResolution", "bundler"),
)

pytestmark = [
    pytest.mark.alone,
    pytest.mark.needs("npm", "node"),
    pytest.mark.skipif(not os.environ.get("OPENAPI_TOOLS"), reason="OPENAPI_TOOLS=1 is not set"),
]


def run(*command: str | Path, cwd: Path = TOOLS) -> tuple[int, str]:
    """Run a program; return its exit code and what it printed."""
    done = subprocess.run(
        [str(one) for one in command],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def tools() -> Path:
    """Install the tools of npm, unless they are; return the folder of their programs."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    wanted, mark = (HERE / "package.json").read_text(), TOOLS / "installed.json"
    if not mark.exists() or mark.read_text() != wanted:
        (TOOLS / "package.json").write_text(wanted)
        npm = shutil.which("npm") or "npm"
        code, said = run(npm, "install", "--no-audit", "--no-fund", "--no-package-lock")
        assert code == 0, said
        mark.write_text(wanted)
    return TOOLS / "node_modules" / ".bin"


@pytest.fixture(scope="module")
def served(run_module: RunModule, served_mocks: ServedMocks) -> Iterator[Mapping[str, str]]:
    """Serve the gateways, whose answers pages of another origin may read; return their URLs."""
    ports = dict(zip(GATEWAYS, free_ports(len(GATEWAYS)), strict=True))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    with ExitStack() as started:
        for name, port in ports.items():
            settings = {"BFF_PORT": f"{port}", "BFF_CORS_ORIGINS": "https://a.example"}
            environ = served_mocks.environment | settings
            command = ("bff_core", "serve", f"bffs.{name}.app:app")
            started.enter_context(run_module(*command, ports=[port], path="/readyz", **environ))
        yield urls


@pytest.fixture(scope="module")
def documents(served: Mapping[str, str], tools: Path) -> list[Path]:
    """Write the documents of the gateways into files."""
    found = []
    for name, url in served.items():
        path = TOOLS / f"{name}.json"
        path.write_text(httpx.get(f"{url}/openapi.json", trust_env=False).text)
        found.append(path)
    return found


def test_spectral_finds_no_error(documents: list[Path], tools: Path) -> None:
    """By OWASP's rules; `openapi/spectral.yaml` says which of them look at inputs only."""
    rules = TOOLS / "spectral.yaml"
    shutil.copy(HERE / "spectral.yaml", rules)

    code, said = run(
        tools / "spectral", "lint", "--quiet", "--format", "json", "--ruleset", rules, *documents
    )

    errors = [one for one in json.loads(said) if one["severity"] == 0]
    assert [(one["source"], one["code"], one["path"]) for one in errors] == []
    assert code == 0


def test_types_for_clients_compile(documents: list[Path], tools: Path) -> None:
    """openapi-typescript makes them; a typed client uses answers, lines, `_meta` and problems."""
    types = []
    for document in documents:
        types.append(document.with_suffix(".ts"))
        code, said = run(tools / "openapi-typescript", document, "--output", types[-1])
        assert code == 0, said
    client = shutil.copy(HERE / "client.ts", TOOLS / "client.ts")

    code, said = run(tools / "tsc", *STRICT, client, *types)

    assert code == 0, said


def schemathesis(url: str, *options: str) -> str:
    """Send generated requests to a gateway, and return the report."""
    uvx = Path(sys.executable).parent / "uvx"
    config = ("--config-file", HERE / "schemathesis.toml")
    command = (uvx, SCHEMATHESIS, *config, "run", url, "--checks", "all", "--continue-on-failure")
    code, said = run(*command, "--max-examples", "15", "--no-color", *options, cwd=ROOT)
    short = "\n".join(line[:400] for line in said.splitlines())
    assert code == 0, short
    return short


@pytest.mark.parametrize("caller", [STAFF, "X-Anonymous: 1"])
@pytest.mark.parametrize("name", ["mobile", "desktop"])
def test_answers_are_as_documented(served: Mapping[str, str], name: str, caller: str) -> None:
    """To valid and invalid requests, signed in and not."""
    report = schemathesis(f"{served[name]}/openapi.json", "--header", caller)

    assert "8 selected / 8 total" in report


def test_graphql_answers_generated_queries(served: Mapping[str, str]) -> None:
    """A query that is refused has `errors`, which two of the checks take for a failure."""
    refused = "not_a_server_error,positive_data_acceptance"
    url = f"{served['web']}/graphql"

    assert "10 selected" in schemathesis(url, "--header", STAFF, "--exclude-checks", refused)
