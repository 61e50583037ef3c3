"""A project with generated services: its own tools accept it, before and after a change."""

import copy
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from bff_core.cli.scaffold.render import TEMPLATES
from tests.cli.scaffold.projects import make_scaffold
from tests.cli.union_contracts import UNION_SDL, union_document
from tests.mocks.contract import document

pytestmark = pytest.mark.slow

SDL = """
type Query { review(id: ID!): Review reviews(first: Int, after: String): ReviewConnection! }
type Review { id: ID! text: String! stars: Int! written: DateTime }
type ReviewConnection { edges: [ReviewEdge!]! pageInfo: PageInfo! totalCount: Int! }
type ReviewEdge { node: Review! cursor: String! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
scalar DateTime
"""


PAGES = '''
"""All pages of the mocks."""

import pytest

from bff_core import ANYONE, Composition, Gateway, Views, gateway
from bff_core.testing import asgi, client
from bffs.services.pets import Pets
from bffs.services.reviews import Reviews
from mocks.pets import app as pets
from mocks.reviews import app as reviews

pytestmark = pytest.mark.virtual_time

views = Views(prefix="/v1", access=ANYONE)


class Screen(Composition):
    """A screen that reads lists."""

    pets: Pets
    reviews: Reviews


@views.get("/ids")
async def get_ids(screen: Screen) -> dict[str, list[str]]:
    """Return the ids of all items."""
    return {
        "pets": [str(one.id) async for one in screen.pets.all_pets()],
        "toys": [one.sku async for one in screen.pets.all_pets_by_pet_id_toys(pet_id=4)],
        "batch": [str(id_) for id_ in await screen.pets.pet_summaries_by_id([9, 2])],
        "reviews": [one.id async for one in screen.reviews.each_reviews()],
    }


def make_app() -> Gateway:
    """Return a gateway with the services."""
    return gateway("test", faces=[views])


async def test_lists_have_an_end() -> None:
    """The iterators of the clients read each item of the mocks once."""
    services = {"pets": asgi(pets), "reviews": asgi(reviews)}
    async with client(make_app, services=services) as c:
        answer = await c.get("/v1/ids")

    ids = [str(number) for number in range(1, 13)]
    found = answer.json()
    assert found["pets"] == found["reviews"] == ids
    assert len(set(found["toys"])) == len(found["toys"]) == 12
    assert sorted(found["batch"]) == ["2", "9"]
'''


def run(root: Path, *words: str) -> str:
    """Run Python in the project; its output is the error if it fails."""
    foreign = ("PYTEST_", "BFF_")
    done = subprocess.run(
        [sys.executable, *words],
        cwd=root,
        env={key: value for key, value in os.environ.items() if not key.startswith(foreign)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check(root: Path, cache: Path) -> int:
    """Run what `make check test` runs; return the number of tests."""
    run(root, "-m", "ruff", "check", "--no-cache", ".")
    run(root, "-m", "ruff", "format", "--no-cache", "--check", ".")
    run(root, "-m", "mypy", "--cache-dir", str(cache))
    output = run(root, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    found = re.search(r"(\d+) passed", output)
    assert found is not None
    return int(found[1])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new project with a service of OpenAPI, one of GraphQL, and a screen over both."""
    folder = tmp_path_factory.mktemp("services")
    scaffold = make_scaffold(folder)
    words = ("-m", "bff_core", "init", "shop", "--wheels", str(scaffold.wheels))
    run(folder, *words)
    assert (TEMPLATES / "gateway").is_dir()
    (folder / "pets.json").write_text(json.dumps(document()))
    (folder / "reviews.graphql").write_text(SDL)
    project = folder / "shop"
    bff = ("-m", "bff_core", "add")
    run(project, *bff, "service", "pets", "--openapi", "../pets.json")
    run(project, *bff, "service", "reviews", "--graphql", "../reviews.graphql")
    parts = ("--part", "pets.get_pet", "--part", "reviews.reviews")
    run(project, *bff, "screen", "pet_page", *parts)
    run(project, *bff, "view", "pet_page")
    (folder / "orders.json").write_text(json.dumps(union_document()))
    (folder / "library.graphql").write_text(UNION_SDL)
    run(project, *bff, "service", "orders", "--openapi", "../orders.json")
    run(project, *bff, "service", "library", "--graphql", "../library.graphql")
    unions = ("orders.get_order", "orders.list_pets", "orders.list_boxes")
    unions += ("library.item", "library.search")
    run(project, *bff, "screen", "unions", *(word for one in unions for word in ("--part", one)))
    run(project, *bff, "view", "unions")
    (project / "tests/services/test_pages.py").write_text(PAGES.lstrip())
    return project


def changed() -> dict[str, Any]:
    """Return the contract with another property, and without one operation."""
    found = copy.deepcopy(document())
    found["components"]["schemas"]["Pet"]["properties"]["colour"] = {"type": "string"}
    del found["paths"]["/toys"]
    return found


def test_the_project_passes_its_own_checks(root: Path, pytestconfig: pytest.Config) -> None:
    """ruff, `mypy --strict` and the tests accept it, also after the contract has changed."""
    cache = pytestconfig.cache.mkdir("mypy-of-services")
    count = check(root, cache)
    (root.parent / "pets.json").write_text(json.dumps(changed()))

    shown = run(root, "-m", "bff_core", "add", "service", "pets")

    assert "new: Pet.colour: str | None" in shown
    assert re.search(r"removed: PetsOperations\.\w*toys", shown)
    assert check(root, cache) == count > 8


def test_explain_reads_generated_methods(root: Path) -> None:
    """`bff explain` and `bff graph` name the path and the operation that the methods request."""
    shown = run(root, "-m", "bff_core", "explain", "GET", "/v1/pet-page/7")
    graph = run(root, "-m", "bff_core", "graph")

    assert re.search(r"pets +GET /pets/\{petId\}", shown)
    assert re.search(r"reviews +query Reviews", shown)
    assert "GET /pets/{petId}" in graph


def test_the_mock_runs_as_a_program(root: Path) -> None:
    """`python -m mocks.pets --port` serves, as `bff dev` starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "mocks.pets", "--port", str(port)]
    with subprocess.Popen(words, cwd=root) as program:
        try:
            answer = fetched(f"http://127.0.0.1:{port}/pets/7")
        finally:
            program.terminate()

    assert answer["id"] == 7


def fetched(address: str) -> dict[str, Any]:
    """Return the JSON of an address, once there is a server."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                found: dict[str, Any] = json.loads(answer.read())
                return found
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)  # a process needs real time
