"""Generated gateways are linted, typed strictly, and pass their own tests at once.

The project has a gateway for each two options; with ALL_TEMPLATES=1 (`make test-templates`) it has
one for each combination of options.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bff_core.cli.scaffold.render import render_wiring
from tests.templates.combinations import Combination, project_of, wanted, write

pytestmark = pytest.mark.slow

CODE = ("bffs", "mocks", "tests")

FIRST_ANSWERS = """
import asyncio, importlib, json, os, sys
from bff_core.testing import running

async def status(app):
    async with running(app, headers={"host": "localhost"}) as client:
        return (await client.get("/v1/home")).status_code

for name, env in json.load(sys.stdin).items():
    os.environ.update(env)
    app = importlib.import_module(f"bffs.{name}.app").app
    print(name, asyncio.run(status(app)))
    for variable in env:
        del os.environ[variable]
"""
"""Starts each gateway with its settings, and prints what an anonymous caller gets."""


FAULTY = """
import asyncio
import httpx
from mocks.catalog import app

async def main():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9001") as client:
        faults = [{"kind": "error", "status": 503}]
        for wanted in (faults, []):
            await client.put("/__faults__", json={"faults": wanted})
            print((await client.get("/featured")).status_code)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Return the folder of a project with all these gateways."""
    folder = tmp_path_factory.mktemp("generated") / "shop"
    write(project_of(wanted()), folder)
    return folder


def run(folder: Path, *arguments: str, stdin: str = "") -> str:
    """Run Python in a folder; its output is the error if it fails."""
    foreign = ("PYTEST_", "BFF_")
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if not key.startswith(foreign)},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_generated_code_is_linted_and_formatted(project) -> None:
    """The rules of the project, which are nearly all of ruff's, find nothing."""
    run(project, "-m", "ruff", "check", "--no-cache", *CODE)
    run(project, "-m", "ruff", "format", "--no-cache", "--check", *CODE)


def test_generated_code_is_typed(project, pytestconfig) -> None:
    """`mypy --strict` accepts gateways, mocks and tests."""
    cache = pytestconfig.cache.mkdir("mypy-of-templates")

    run(project, "-m", "mypy", "--cache-dir", str(cache))


def test_generated_tests_pass(project) -> None:
    """The tests of each gateway are green before anything is edited."""
    output = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")

    tests = int(re.search(r"(\d+) passed", output)[1])
    assert tests > 5 * len(wanted())
    assert not re.search(r"skipped|warning", output)


def test_the_mock_takes_faults(project) -> None:
    """The Faults page of the console has sliders for it."""
    assert run(project, "-c", FAULTY).split() == ["503", "200"]


def test_gateways_start_with_the_settings_of_the_project(project) -> None:
    """`bff dev` needs no other settings, and each authenticator refuses anonymous callers."""
    services = {"BFF_ENV": "development", "BFF_LOG": "off", "BFF_API_KEYS_URL": "sqlite://"}
    services |= {f"BFF_UPSTREAM_{name}": "http://127.0.0.1:9" for name in ("CATALOG", "IDENTITY")}
    settings = {}
    for one in wanted():
        env = render_wiring("gateway", one.values()).gateway.get("env", {})
        settings[one.name] = services | {
            variable: value.format(port=8001) for variable, value in env.items()
        }

    output = run(project, "-c", FIRST_ANSWERS, stdin=json.dumps(settings))

    statuses = dict(line.split() for line in output.splitlines())
    assert statuses == {one.name: str(first_status(one)) for one in wanted()}


def first_status(combination: Combination) -> int:
    """Return what an anonymous caller of the home screen gets while no service answers."""
    if combination.client == "blank":
        return 404
    if combination.auth != "none":
        return 401
    return 502 if combination.has_home else 200
