"""`bff add screen`: names that generated code has already, and methods of each signature."""

import json
from pathlib import Path

import pytest

from bff_core.cli.scaffold.python_edit import free_name
from tests.cli.scaffold.projects import make_scaffold
from tests.cli.scaffold.test_screens import VERBS, python

KINDS = '''\
"""What the pages service returns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """A page."""

    title: str
'''

PAGES = '''\
"""The pages service."""

from bff_core import Upstream

from .kinds import Page


class Pages(Upstream):
    """Pages."""

    async def page(self, page: str) -> Page:
        """Return a page."""
        return await self.get("/page", Page, query={"id": page})

    async def number(self, id: int) -> Page:
        """Return a page by its number."""
        return await self.get("/number", Page, query={"id": id})

    async def quoted(self, id: "str", /) -> "list[Page]":
        """Return a page by its id."""
        return await self.get("/quoted", list[Page], query={"id": id})

    async def found(self, page_url: str, first_name: str, pages: str) -> Page:
        """Return a page by its address."""
        return await self.get("/found", Page, query={"url": page_url + first_name + pages})
'''

COLLIDING = ("product", "catalog", "gateway", "views", "composition", "str", "list", "loaded")
STEPS = (
    ("screen", ["app"]),
    ("screen", ["one", ["pages.page"]]),
    ("screen", ["one", ["pages.number", "pages.quoted"]]),
    ("screen", ["quoted", ["pages.quoted"]]),
    ("view", ["quoted"]),
    ("screen", ["found", ["pages.found"]]),
    ("view", ["found"]),
    *(step for name in COLLIDING for step in (("screen", [name]), ("view", [name]))),
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with a service whose methods have signatures of all kinds."""
    root = make_scaffold(tmp_path_factory.mktemp("names")).init()
    (root / "bffs/services/pages.py").write_text(PAGES)
    (root / "bffs/services/kinds.py").write_text(KINDS)
    return root


@pytest.fixture(scope="module")
def outcomes(project: Path) -> list[object]:
    """Run all verbs of `STEPS`, and return what each one has done or refused."""
    done = python(project, "-c", VERBS, given=json.dumps(STEPS))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (0, "'app' is a module of gateways: choose another name, such as app_screen"),
        (1, "pages.page takes 'page', which is the name of a part, too"),
        (2, "pages.quoted takes 'id' as another type than the other part"),
    ],
)
def test_what_can_not_work_is_refused(outcomes: list[object], step: int, message: str) -> None:
    """The error comes before files that fail."""
    assert message in str(outcomes[step])


def test_generated_tests_pass(project: Path, outcomes: list[object]) -> None:
    """Screens with the names of services, of their types and of the framework work at once."""
    refused = [one for one in outcomes if isinstance(one, str)]
    done = python(project, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header")

    assert len(refused) == 3, refused
    assert done.returncode == 0, done.stdout[-3000:]


def test_generated_code_hides_no_name(project: Path, outcomes: list[object]) -> None:
    """The linter of the project finds no name that is defined twice."""
    assert outcomes
    folders = ["bffs/mobile", "bffs/compositions", "tests"]
    done = python(project, "-m", "ruff", "check", *folders, "--select", "F,A,I")

    assert done.returncode == 0, done.stdout
    code = (project / "bffs/compositions/product.py").read_text()
    assert "class ProductScreen(Composition)" in code


def test_a_request_is_an_address(project: Path, outcomes: list[object]) -> None:
    """Inputs with slashes go into the query, and spaces are quoted."""
    assert outcomes
    test = (project / "tests/mobile/test_found.py").read_text()

    assert '"GET /v1/found/first%20name/pages?page_url=https:%2F%2Fexample.com%2F1"' in test


def test_an_imported_name_is_not_hidden() -> None:
    """A view that was added before has its name again."""
    source = "from bff_core import gateway\nfrom bffs.web import links\n"

    assert free_name(source, "bffs.web", "gateway", "other") == "other"
    assert free_name(source, "bffs.web", "links", "other") == "links"
