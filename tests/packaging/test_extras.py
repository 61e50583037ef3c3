"""The extras of the distribution: what works without them, and what a missing one says."""

import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bff_core.extras import EXTRAS, missing

ROOT = Path(__file__).parents[2]
WHEEL = f"wheels/bff_core-{version('bff-core')}-py3-none-any.whl"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

BASE = f"import sys; sys.modules.update(dict.fromkeys({sum(EXTRAS.values(), ())!r}))\n"
"""The start of a program that runs as in an installation without extras."""

GATEWAY = """
import asyncio
from dataclasses import dataclass
from bff_core import Composition, Upstream, Views, critical, gateway
from bff_core.testing import client, reply

@dataclass
class Product:
    title: str

class Catalog(Upstream):
    async def product(self, product_id: str) -> Product:
        return await self.get("/products/{id}", Product, id=product_id)

class Page(Composition):
    catalog: Catalog
    product_id: str

    @critical
    async def product(self) -> Product:
        return await self.catalog.product(self.product_id)

views = Views()

@views.get("/products/{product_id}")
async def get_product(page: Page) -> Product:
    return await page.product()

async def main():
    app = lambda: gateway("shop", faces=[views])
    async with client(app, catalog=[reply(200, {"title": "Tent"})]) as c:
        answer = await c.get("/products/8", headers={"accept-encoding": "br, gzip"})
        print(answer.status_code, answer.text)

asyncio.run(main())
"""

REDIS = """
from bff_core.redis.clients_by_url import RedisClients
RedisClients(clock=None, chance=None, events=None).to("redis://localhost")
"""

SOCKET = """
import sys
from bff_core import gateway
from bff_core.server.runner import ServePlan, serve

def make():
    app = gateway("shop")
    @app.websocket("/chat")
    async def chat(socket): ...
    return app

sys.modules["shop"] = sys.modules["__main__"]
sys.exit(serve(ServePlan(app="shop:make", port=0)))
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run a program without extras, in development."""
    return subprocess.run(
        [sys.executable, "-c", BASE + code],
        capture_output=True,
        text=True,
        check=False,
        env={"BFF_ENV": "development", "PATH": ""},
        cwd=ROOT,
        timeout=60,
    )


def test_the_extras_are_those_of_the_distribution():
    """Each extra that an error names can be installed, and holds what the code looks for."""
    declared = {
        extra: [Requirement(one).name for one in requirements]
        for extra, requirements in PROJECT["optional-dependencies"].items()
    }
    packages = {
        "strawberry": "strawberry-graphql",
        "graphql": "graphql-core",
        "re2": "google-re2",
        "yaml": "pyyaml",
        "dns": "dnspython",
        "opentelemetry.sdk": "opentelemetry-sdk",
        "opentelemetry.exporter.otlp.proto.http": "opentelemetry-exporter-otlp-proto-http",
    }

    assert declared == {
        extra: [packages.get(one, one).replace("_", "-") for one in modules]
        for extra, modules in EXTRAS.items()
    }


def test_a_gateway_works_without_extras():
    """REST, calls, compositions and the test kit are in the base installation."""
    done = run(GATEWAY)

    assert (done.stdout, done.stderr) == ('200 {"title":"Tent"}\n', "")


@pytest.mark.parametrize(
    ("code", "subject", "extra"),
    [
        ("from bff_core.graphql import part", "bff_core.graphql", "graphql"),
        (
            "from bff_core.auth import BearerAuthenticator",
            "bff_core.auth.BearerAuthenticator",
            "auth",
        ),
        (
            "from bff_core import Connection; Connection(accept_encoding=('br',))",
            "Connection.accept_encoding with br or zstd",
            "compression",
        ),
        (
            REDIS,
            "a store at redis://",
            "redis",
        ),
        (SOCKET, "the web socket /chat", "websockets"),
    ],
)
def test_a_missing_extra_is_named(code: str, subject: str, extra: str):
    """Where a library is missing, the error has the command that installs it."""
    done = run(code)

    assert done.returncode == 1
    assert done.stderr.strip().endswith(
        f": {subject} needs an extra that is not installed: pip install '{WHEEL}[{extra}]'"
    )


@pytest.mark.parametrize(
    ("line", "extras"),
    [
        ('"bff-core @ {root:uri}/wheels/bff_core-1-py3-none-any.whl#sha256=00",', "graphql"),
        ('"bff-core[auth, redis] @ file:///w/bff_core-1.whl"', "auth,graphql,redis"),
        ("'bff_core[openapi]@ file:///w/bff_core-1.whl'", "graphql,openapi"),
    ],
)
def test_a_project_adds_an_extra_to_its_requirement(
    line: str, extras: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In a folder of a project the error has the line of pyproject.toml to change."""
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "shop"\ndependencies = [{line}]\n')
    (tmp_path / "bffs").mkdir()
    monkeypatch.chdir(tmp_path / "bffs")

    assert str(missing("graphql", "GraphQL")) == (
        "GraphQL needs an extra that is not installed: "
        f"write bff-core[{extras}] in line 3 of pyproject.toml, then run: make test"
    )


def test_a_project_without_the_wheel_gets_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The bare name is never advised: on an index it could be anybody's."""
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["bff-core-tools"]\n')
    monkeypatch.chdir(tmp_path)

    assert str(missing("auth", "X")).endswith(f"pip install '{WHEEL}[auth]'")


def test_another_missing_module_is_not_taken_for_an_extra():
    """An error inside an installed library is shown as it is."""
    done = run("from bff_core.extras import needs\nwith needs('redis', 'x'): import no_such_module")

    assert done.stderr.strip().endswith("ModuleNotFoundError: No module named 'no_such_module'")
