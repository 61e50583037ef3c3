"""`bff new --area`: a package of one team inside a gateway."""

import pytest

from bff_core.cli.errors import CannotRun
from bff_core.cli.scaffold.areas import NewArea, new_area
from bff_core.cli.scaffold.outcome import Outcome
from tests.cli.scaffold.projects import Scaffold, contents


def add(scaffold: Scaffold, root, name="checkout", gateway=None, owner=None) -> Outcome:
    """Add an area."""
    return new_area(NewArea(name, gateway, owner), root, templates=scaffold.templates)


def test_an_area_has_an_owner_and_is_served(scaffold: Scaffold) -> None:
    """Its package is there, its views are faces of the gateway, and its team reviews changes."""
    root = scaffold.init()

    outcome = add(scaffold, root, owner="@shop/checkout")

    app = (root / "bffs/mobile/app.py").read_text()
    assert outcome.created == [
        ".github/CODEOWNERS",
        "bffs/mobile/checkout/__init__.py",
        "bffs/mobile/checkout/screens.py",
        "bffs/mobile/checkout/views.py",
        "tests/mobile/checkout/test_checkout.py",
    ]
    assert "from bffs.mobile.checkout import views as checkout\n" in app
    assert "faces=[home.views, checkout.views]," in app
    assert 'owner="@shop/checkout"' in (root / "bffs/mobile/checkout/views.py").read_text()
    assert (root / ".github/CODEOWNERS").read_text().splitlines()[1:] == [
        "/bffs/mobile/checkout/ @shop/checkout",
        "/tests/mobile/checkout/ @shop/checkout",
    ]


@pytest.mark.parametrize("name", ["gateway", "str", "home"])
def test_the_name_of_an_area_hides_no_other(scaffold: Scaffold, name: str) -> None:
    """An area may have the name of something that the module of its gateway has already."""
    root = scaffold.init()
    (root / "bffs/mobile/home.py").unlink()

    new_area(NewArea(name, "mobile", "@shop/all"), root, templates=scaffold.templates)

    app = (root / "bffs/mobile/app.py").read_text()
    assert f"from bffs.mobile.{name} import views as {name}_area\n" in app
    assert f"faces=[home.views, {name}_area.views]," in app
    assert "up to date" in scaffold.update(root).summary


def test_the_file_of_owners_is_extended(scaffold: Scaffold) -> None:
    """Lines of the user stay; the file may stand at each place where GitHub looks."""
    root = scaffold.init()
    (root / "CODEOWNERS").write_text("*  @shop/all   # everything else\n")

    add(scaffold, root, owner="ann@shop.example")

    assert (root / "CODEOWNERS").read_text().splitlines() == [
        "*  @shop/all   # everything else",
        "/bffs/mobile/checkout/ ann@shop.example",
        "/tests/mobile/checkout/ ann@shop.example",
    ]
    assert not (root / ".github/CODEOWNERS").exists()


@pytest.mark.parametrize("place", [".github/CODEOWNERS", "docs/CODEOWNERS"])
def test_an_area_changes_hands(scaffold: Scaffold, place: str) -> None:
    """A further run with another owner changes it where it is written; edits stay."""
    root = scaffold.init()
    (root / place).parent.mkdir(exist_ok=True)
    (root / place).write_text("* @shop/all\n")
    add(scaffold, root, owner="@shop/checkout")
    views = root / "bffs/mobile/checkout/views.py"
    views.write_text(views.read_text() + "\n# mine\n")

    outcome = add(scaffold, root, owner="@shop/payments")

    assert outcome.status == 0
    assert 'owner="@shop/payments"' in views.read_text()
    assert "# mine" in views.read_text()
    assert "checkout" not in "".join(
        line.partition(" ")[2] for line in (root / place).read_text().splitlines()
    )


def test_the_second_run_changes_nothing(scaffold: Scaffold) -> None:
    """With the same owner and without one."""
    root = scaffold.init()
    add(scaffold, root, owner="@shop/checkout")
    before = contents(root)

    for owner in ("@shop/checkout", None):
        assert "nothing changed" in add(scaffold, root, owner=owner).summary
    assert contents(root) == before


def test_a_gateway_that_is_written_otherwise_is_left_alone(scaffold: Scaffold) -> None:
    """If there is no list of faces, the user reads what to add."""
    root = scaffold.init()
    app = root / "bffs/mobile/app.py"
    app.write_text(app.read_text().replace("[home.views]", "FACES"))
    before = app.read_text()

    outcome = add(scaffold, root, owner="@shop/checkout")

    (note,) = outcome.notes
    assert "from bffs.mobile.checkout import views as checkout" in note
    assert app.read_text() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"who owns checkout\? --owner TEAM, such as @shop/checkout"),
        ({"owner": "the team"}, "'the team' can't be an owner"),
        ({"owner": "@shop/c", "gateway": "mobil"}, r"'mobil' \(did you mean mobile\?\)"),
        ({"owner": "@shop/c", "name": "check-out"}, "such as check_out"),
        ({"owner": "@shop/c", "name": "home"}, r"bffs/mobile/home\.py exists"),
    ],
)
def test_a_wrong_area_is_refused(scaffold: Scaffold, options: dict[str, str], message: str) -> None:
    """The error says what to type, and nothing is written."""
    root = scaffold.init()
    before = contents(root)

    with pytest.raises(CannotRun, match=message):
        add(scaffold, root, **options)

    assert contents(root) == before


def test_of_several_gateways_one_has_to_be_named(scaffold: Scaffold) -> None:
    """The error lists them."""
    root = scaffold.init()
    scaffold.new(root, "web")

    with pytest.raises(CannotRun, match=r"which gateway\? --gateway NAME, of mobile, web"):
        add(scaffold, root, owner="@shop/checkout")
