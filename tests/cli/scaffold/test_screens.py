"""`bff add screen` and `bff add view`: what they generate is right at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.scaffold.projects import Scaffold, make_scaffold

VERBS = """
import json, sys
from bff_core.cli.errors import CannotRun
from bff_core.cli.scaffold.areas import NewArea, new_area
from bff_core.cli.scaffold.screens import add_screen
from bff_core.cli.scaffold.views import add_view

outcomes = []
for verb, arguments in json.load(sys.stdin):
    try:
        if verb == "area":
            outcome = new_area(NewArea(*arguments))
        else:
            outcome = {"screen": add_screen, "view": add_view}[verb](*arguments)
        outcomes.append([*outcome.created, *outcome.changed, *outcome.notes])
    except CannotRun as error:
        outcomes.append(str(error))
print(json.dumps(outcomes))
"""

REVIEWS = '''\
"""The reviews service."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bff_core import Upstream


@dataclass(frozen=True, slots=True)
class Review:
    """An opinion."""

    stars: float
    text: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list."""

    items: tuple[Review, ...]


class ProductReviews(Upstream):
    """Opinions on products."""

    async def newest(self, author: UUID, *, first: int = 3) -> Sequence[Review]:
        """Return the newest reviews of an author."""
        query = {"author": author, "first": first}
        return (await self.get("/reviews", Page, query=query)).items

    async def publish(self, text: str) -> None:
        """Write a review."""
        await self.post("/reviews", None, json={"text": text})
'''

SHELF = '''\
"""A screen that was written by hand."""

from collections.abc import Mapping, Sequence

from bff_core import Composition, Viewer, critical, loader, optional
from bffs.services.catalog import Catalog, Product
from bffs.services.reviews import ProductReviews

READ = "shelf:read"


class Shelf(Composition):
    """A shelf of products."""

    catalog: Catalog
    reviews: ProductReviews
    viewer: Viewer
    shelf_id: int
    first: int = 3

    @critical
    async def ids(self) -> Sequence[str]:
        """Return which products are on it."""
        self.viewer.require(READ)
        return await self.catalog.featured(self.first)

    @optional
    async def best(self) -> Product:
        """Return the first one."""
        ids = await self.ids()
        return await self.catalog.product(ids[0])

    @optional(fallback=())
    async def pages(self, number: int) -> Sequence[Product]:
        """Return a page of products; a view has to say which."""
        return (await self.catalog.products([str(number)]))

    @loader(missing=None, fallback=None)
    async def product(self, ids: tuple[str, ...]) -> Mapping[str, Product]:
        """Load products by id."""
        return {product.id: product for product in await self.catalog.products(ids)}
'''

ACCOUNT = '''\
"""A screen for signed-in viewers."""

from bff_core import Composition, Viewer, critical, optional
from bffs.services.catalog import Catalog, Product


class Account(Composition):
    """What a viewer gets; anonymous callers get less."""

    catalog: Catalog
    caller: Viewer

    @critical
    async def name(self) -> str:
        """Return how the viewer is called."""
        return self.caller.subject

    @optional(fallback=None)
    async def own(self) -> Product | None:
        """Return the product of the viewer."""
        return None if self.caller.is_anonymous else await self.catalog.product(self.caller.subject)
'''

STEPS = (
    ("screen", ["product_page"]),
    ("view", ["product_page"]),
    ("screen", ["opinions", ["product_reviews.newest", "catalog.product"]]),
    ("view", ["opinions", "mobile"]),
    ("view", ["shelf", "mobile"]),
    ("screen", ["product_page"]),
    ("view", ["product_page", "mobile"]),
    ("screen", ["wrong", ["catalog.produkt"]]),
    ("screen", ["wrong", ["catalog.products"]]),
    ("screen", ["wrong", ["product_reviews.publish"]]),
    ("screen", ["Product-Page"]),
    ("view", ["oppinions"]),
    ("view", ["opinions", "mobil"]),
    ("view", ["ProductPage"]),
    ("area", ["check_out", "mobile", "@shop/checkout"]),
    ("screen", ["full", ["catalog.product", "catalog.featured", "product_reviews.newest"]]),
    ("view", ["full"]),
    ("view", ["account"]),
)


def python(root: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python in a project, in a process of its own: its packages are named like ours."""
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=root, input=given, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with a further service, and a screen that was written by hand."""
    scaffold: Scaffold = make_scaffold(tmp_path_factory.mktemp("screens"))
    root = scaffold.init()
    (root / "bffs/services/reviews.py").write_text(REVIEWS)
    (root / "bffs/compositions/shelf.py").write_text(SHELF)
    (root / "bffs/compositions/account.py").write_text(ACCOUNT)
    return root


@pytest.fixture(scope="module")
def outcomes(project: Path) -> list[object]:
    """Run all verbs of `STEPS`, and return what each one has done or refused."""
    done = python(project, "-c", VERBS, given=json.dumps(STEPS))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_screens_and_views_are_written_with_tests(outcomes: list[object]) -> None:
    """A screen and its test, then a view, its test, and the face of the gateway."""
    assert outcomes[0] == [
        "bffs/compositions/product_page.py",
        "tests/compositions/test_product_page.py",
    ]
    assert outcomes[1] == [
        "bffs/mobile/product_page.py",
        "tests/mobile/test_product_page.py",
        "bffs/mobile/app.py",
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("outcomes")
def test_all_generated_tests_pass(project: Path) -> None:
    """Each screen and each view survives the failures of each of its services."""
    done = python(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header")

    assert done.returncode == 0, done.stdout[-3000:]
    # Matrices of 1, 1, 2, 2, 1, 1, 2, 2 and 1 services, with four failures each; nine
    # tests.
    assert "61 passed" in done.stdout, done.stdout[-300:]


@pytest.mark.slow
@pytest.mark.usefixtures("outcomes")
def test_generated_code_has_no_findings(project: Path) -> None:
    """Linter, formatter and type checker accept it, with the settings of the project."""
    (project / "bffs/compositions/shelf.py").write_text(
        SHELF.replace("(await ", "await ").replace("number)]))", "number)])")
    )
    app = project / "bffs/mobile/app.py"
    assert "import views as check_out\n" in app.read_text()
    for arguments in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        done = python(project, "-m", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("outcomes")
@pytest.mark.parametrize("test", ["compositions/test_full.py", "mobile/test_full.py"])
def test_scripts_have_a_type(project: Path, test: str) -> None:
    """A service with a script per route and one with a reply fit into one mapping."""
    code = (project / "tests" / test).read_text()

    assert "SERVICES: Mapping[str, Script] = {\n" in code
    assert '"GET /featured": reply(200, FEATURED)' in code
    assert '"product_reviews": reply(200, NEWEST),' in code


@pytest.mark.usefixtures("outcomes")
def test_a_screen_has_the_inputs_of_its_parts(project: Path) -> None:
    """Parameters without default are inputs; the first part is critical, the others are not."""
    code = (project / "bffs/compositions/opinions.py").read_text()

    assert "    product_reviews: ProductReviews\n    catalog: Catalog\n    author: UUID\n" in code
    assert "from uuid import UUID" in code
    assert "await self.product_reviews.newest(self.author)" in code
    assert code.index("@critical") < code.index("@optional(timeout=0.5)")


@pytest.mark.usefixtures("outcomes")
def test_a_view_shows_the_parts_that_need_no_arguments(project: Path) -> None:
    """Loaders and parts with required arguments are left to the user; scopes are in the test."""
    code = (project / "bffs/mobile/shelf.py").read_text()
    test = (project / "tests/mobile/test_shelf.py").read_text()

    assert "    ids: Sequence[str]\n    best: Product | None\n" in code
    assert "pages" not in code
    assert '@views.get("/shelf/{shelf_id}")' in code
    assert 'Viewer("1", scopes=frozenset({"shelf:read"}))' in test
    assert 'not_called=["product_reviews"]' in test


@pytest.mark.usefixtures("outcomes")
def test_a_screen_of_the_viewer_is_tested_with_a_viewer(
    project: Path, outcomes: list[list[str]]
) -> None:
    """On a gateway without an authenticator the tests sign a viewer in, and the verb says so."""
    test = (project / "tests/mobile/test_account.py").read_text()

    assert 'VIEWER = Viewer("1")\n' in test
    assert test.count("viewer=VIEWER") == 2
    assert "the gateway mobile has no authenticator" in outcomes[17][-1]
    assert "bff new mobile --auth session|bearer|key" in outcomes[17][-1]
    assert not any("authenticator" in one for one in outcomes[16])


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (5, "bffs/compositions/product_page.py exists, and is not overwritten"),
        (6, "bffs/mobile/product_page.py exists, and is not overwritten"),
        (7, "there is no 'catalog.produkt' (did you mean catalog.product?)"),
        (8, "catalog.products takes more than texts and numbers"),
        (9, "there is no 'product_reviews.publish'"),
        (10, "such as product_page"),
        (11, "no bffs/compositions/oppinions.py (did you mean opinions?)"),
        (12, "there is no gateway 'mobil' (did you mean mobile?)"),
        (13, "no bffs/compositions/ProductPage.py (did you mean product_page?)"),
    ],
)
def test_a_mistake_is_refused_with_a_suggestion(
    outcomes: list[object], step: int, message: str
) -> None:
    """Nothing is overwritten, and a near miss is suggested."""
    assert message in str(outcomes[step])


def test_only_methods_that_can_be_parts_are_listed(scaffold: Scaffold) -> None:
    """A method that takes a list of ids is refused by name, and is not among those to choose."""
    root = scaffold.init()
    service = root / "bffs" / "services" / "library.py"
    service.write_text(
        '"""Books."""\n\nfrom bff_core import Upstream\n\n\nclass Library(Upstream):\n'
        '    """Books."""\n\n'
        "    async def book(self, book_id: str) -> str:\n"
        '        """Return one."""\n'
        '        return await self.get("/books/{id}", str, id=book_id)\n\n'
        "    async def books(self, ids: list[str]) -> list[str]:\n"
        '        """Return many."""\n'
        '        return await self.get("/books", list[str], query={"ids": ids})\n'
    )
    words = ["-m", "bff_core", "add", "screen", "shelf", "--part"]
    shown = [
        subprocess.run(
            [sys.executable, *words, part], cwd=root, capture_output=True, text=True, check=False
        ).stderr
        for part in ("library.bok", "library.books")
    ]

    assert "(did you mean library.book?)" in shown[0]
    assert "library.books" not in shown[0]
    assert "library.books takes more than texts and numbers" in shown[1]
