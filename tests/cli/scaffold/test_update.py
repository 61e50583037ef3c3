"""`bff update`: changes of templates are merged into files that users have edited."""

import hashlib
import shutil
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from bff_core.cli.errors import CannotRun
from bff_core.cli.scaffold.clients import CLIENTS
from bff_core.cli.scaffold.formatting import edited
from bff_core.cli.scaffold.python_edit import add_view
from bff_core.cli.scaffold.record import PATH
from bff_core.cli.scaffold.render import TEMPLATES
from tests.cli.scaffold.projects import WHEEL, Scaffold, contents, write_wheel

HOME = "gateway/bffs/{{ gateway }}/home.py"
APP = "gateway/bffs/{{ gateway }}/app.py"


def replace(path: Path, old: str, new: str) -> None:
    """Edit a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_without_changes_the_project_is_up_to_date(scaffold: Scaffold) -> None:
    """An update after an update has nothing to do, whatever was edited."""
    root = scaffold.init()
    replace(root / "bffs/mobile/app.py", "TIMEOUT = 5", "TIMEOUT = 9")
    before = contents(root)

    outcome = scaffold.update(root)

    assert "up to date" in outcome.summary
    assert (outcome.status, contents(root)) == (0, before)


def test_a_project_from_before_the_services_option_is_updated(scaffold: Scaffold) -> None:
    """The record of an older version has no answer to it: the project has the sample."""
    root = scaffold.init()
    record = root / PATH
    lines = record.read_text().splitlines(keepends=True)
    old = [one for one in lines if not one.startswith(("sample = ", "[units.values.services]"))]
    assert len(old) == len(lines) - 2
    record.write_text("".join(old))

    assert "up to date" in scaffold.update(root).summary
    assert (root / "mocks/catalog.py").is_file()


def test_edits_and_changes_of_templates_come_together(scaffold: Scaffold) -> None:
    """An edit in one place of a file and a change of its template in another are both there."""
    root = scaffold.init()
    app = root / "bffs/mobile/app.py"
    replace(app, "TIMEOUT = 5", "TIMEOUT = 9  # mine")
    replace(scaffold.template(APP), "faces=[home.views],", "faces=[home.views],\n    title='new',")

    outcome = scaffold.update(root)

    assert (outcome.status, outcome.changed) == (0, ["bffs/mobile/app.py"])
    assert "TIMEOUT = 9  # mine" in app.read_text()
    assert "title='new'" in app.read_text()
    assert "up to date" in scaffold.update(root).summary


@pytest.mark.parametrize(
    ("client", "options"),
    [
        *((client, {"auth": "key", "graphql": True}) for client in CLIENTS),
        ("android", {"auth": "bearer"}),
        ("web", {"graphql": True}),
    ],
)
def test_an_added_view_is_no_conflict(
    tmp_path: Path, scaffold: Scaffold, client: str, options: dict[str, object]
) -> None:
    """A gateway of each kind that has got a view gets other options, too."""
    scaffold = Scaffold(tmp_path, TEMPLATES, scaffold.wheels)
    root = scaffold.init()
    scaffold.new(root, "app2", client=client, auth="none")
    app = root / "bffs/app2/app.py"
    before = app.read_text()
    after = add_view(before, "bffs.app2", "reviews", "", "reviews.views")
    app.write_text(edited(root, "bffs/app2/app.py", before, after))

    outcome = scaffold.new(root, "app2", **options)

    text = app.read_text()
    assert outcome.conflicts == []
    assert "reviews.views" in text
    assert "reviews" in text.partition("app = gateway(")[0]
    assert ("authenticator=" in text, "GraphQL(schema)" in text) == (
        "auth" in options,
        "graphql" in options,
    )
    assert "up to date" in scaffold.update(root).summary


def test_a_conflict_is_marked_and_listed(scaffold: Scaffold) -> None:
    """Both texts stand in the file, as git marks them, and the status is 1."""
    root = scaffold.init()
    app = root / "bffs/mobile/app.py"
    replace(app, "TIMEOUT = 5", "TIMEOUT = 9")
    replace(scaffold.template(APP), "TIMEOUT = 5", "TIMEOUT = 2")

    outcome = scaffold.update(root)

    assert (outcome.status, outcome.conflicts) == (1, ["bffs/mobile/app.py"])
    marked = "<<<<<<< yours\nTIMEOUT = 9\n=======\nTIMEOUT = 2\n>>>>>>> new template\n"
    assert marked in app.read_text()


def test_an_unresolved_conflict_stops_the_next_update(scaffold: Scaffold) -> None:
    """A file with marks is not merged again; after the user resolved it, it is."""
    root = scaffold.init()
    app = root / "bffs/mobile/app.py"
    replace(app, "TIMEOUT = 5", "TIMEOUT = 9")
    replace(scaffold.template(APP), "TIMEOUT = 5", "TIMEOUT = 2")
    scaffold.update(root)

    with pytest.raises(CannotRun, match=r"bffs/mobile/app\.py has conflicts of an earlier merge"):
        scaffold.update(root)

    text = app.read_text()
    start, end = text.index("<<<<<<<"), text.index(">>>>>>> new template\n")
    app.write_text(text[:start] + "TIMEOUT = 3\n" + text[end:].partition("\n")[2])
    assert "up to date" in scaffold.update(root).summary
    assert "TIMEOUT = 3" in app.read_text()


def test_a_file_that_the_user_deleted_stays_deleted(scaffold: Scaffold) -> None:
    """It is listed, so that its owner can read what has changed."""
    root = scaffold.init()
    (root / "bffs/mobile/home.py").unlink()
    replace(scaffold.template(HOME), "/v1", "/v2")

    outcome = scaffold.update(root)

    assert (outcome.status, outcome.absent) == (0, ["bffs/mobile/home.py"])
    assert not (root / "bffs/mobile/home.py").exists()


def test_new_files_of_templates_appear(scaffold: Scaffold) -> None:
    """Each gateway gets them."""
    root = scaffold.init()
    scaffold.new(root, "web")
    scaffold.template("gateway/bffs/{{ gateway }}/links.py").write_text("LINKS = 1\n")

    outcome = scaffold.update(root)

    assert outcome.created == ["bffs/mobile/links.py", "bffs/web/links.py"]


def test_a_new_file_meets_a_file_of_the_user(scaffold: Scaffold) -> None:
    """The file of the user is not overwritten: the difference is a conflict."""
    root = scaffold.init()
    (root / "bffs/mobile/links.py").write_text("LINKS = 'mine'\n")
    scaffold.template("gateway/bffs/{{ gateway }}/links.py").write_text("LINKS = 1\n")

    outcome = scaffold.update(root)

    assert outcome.conflicts == ["bffs/mobile/links.py"]
    assert "LINKS = 'mine'" in (root / "bffs/mobile/links.py").read_text()


def test_files_that_templates_dropped_go_unless_edited(scaffold: Scaffold) -> None:
    """A file without edits is deleted; one with edits stays, and is listed."""
    root = scaffold.init()
    scaffold.new(root, "web")
    replace(root / "bffs/web/home.py", "/v1", "/mine")
    scaffold.template(HOME).unlink()

    outcome = scaffold.update(root)

    assert outcome.deleted == ["bffs/mobile/home.py"]
    assert any("bffs/web/home.py is no longer generated" in note for note in outcome.notes)
    assert not (root / "bffs/mobile/home.py").exists()
    assert "/mine" in (root / "bffs/web/home.py").read_text()


def test_a_dry_run_changes_nothing(scaffold: Scaffold) -> None:
    """It lists what an update would do, conflicts included, with the same status."""
    root = scaffold.init()
    replace(root / "bffs/mobile/app.py", "TIMEOUT = 5", "TIMEOUT = 9")
    replace(scaffold.template(APP), "TIMEOUT = 5", "TIMEOUT = 2")
    before = contents(root)

    outcome = scaffold.update(root, is_dry_run=True)

    assert (outcome.status, outcome.conflicts) == (1, ["bffs/mobile/app.py"])
    assert "would change 1 file" in outcome.summary
    assert contents(root) == before


def test_a_renamed_gateway_is_updated_under_its_new_name(scaffold: Scaffold) -> None:
    """Its edits stay, and files of the old name do not come back."""
    root = scaffold.init()
    shutil.move(root / "bffs/mobile", root / "bffs/phone")
    shutil.move(root / "tests/mobile", root / "tests/phone")
    app = root / "bffs/phone/app.py"
    replace(root / "pyproject.toml", "mobile", "phone")
    replace(app, "bffs.mobile", "bffs.phone")
    replace(app, '"mobile"', '"phone"')
    replace(app, "TIMEOUT = 5", "TIMEOUT = 9")
    replace(scaffold.template(HOME), "/v1", "/v2")

    outcome = scaffold.update(root)

    assert outcome.status == 0
    assert "The gateway mobile was renamed to phone." in outcome.notes
    assert "bffs/phone/home.py" in outcome.changed
    assert "TIMEOUT = 9" in app.read_text()
    assert not (root / "bffs/mobile").exists()
    assert "nothing changed" in scaffold.new(root, "phone").summary


def test_a_removed_gateway_is_forgotten(scaffold: Scaffold) -> None:
    """A gateway that the user removed does not come back, and is not listed at each update."""
    root = scaffold.init()
    scaffold.new(root, "web")
    text = (root / "pyproject.toml").read_text()
    start = text.index("[tool.bff.gateways.web]")
    end = text.index("[tool.ruff]", start)
    (root / "pyproject.toml").write_text(text[:start] + text[end:])
    shutil.rmtree(root / "bffs/web")
    shutil.rmtree(root / "tests/web")
    replace(scaffold.template(HOME), "/v1", "/v2")

    outcome = scaffold.update(root)

    assert outcome.notes == ["The gateway web was removed: it is no longer updated."]
    assert outcome.absent == []
    units = tomllib.loads((root / PATH).read_text())["units"]
    assert [unit["name"] for unit in units] == ["shop", "mobile"]


def test_line_ends_of_windows_stay_after_a_merge(scaffold: Scaffold) -> None:
    """A file with CRLF has no conflict because of them, and has CRLF afterwards."""
    root = scaffold.init()
    app = root / "bffs/mobile/app.py"
    app.write_bytes(
        app.read_bytes().replace(b"TIMEOUT = 5", b"TIMEOUT = 9").replace(b"\n", b"\r\n")
    )
    replace(scaffold.template(APP), "faces=[home.views],", "faces=[],")

    outcome = scaffold.update(root)

    assert outcome.status == 0
    assert b"faces=[],\r\n" in app.read_bytes()
    assert b"TIMEOUT = 9\r\n" in app.read_bytes()


def test_the_wheel_is_replaced_with_its_hash(scaffold: Scaffold) -> None:
    """A project gets the wheel that `--wheels` names, and no other one stays."""
    root = scaffold.init()
    before = (root / "pyproject.toml").read_text()
    write_wheel(scaffold.wheels / WHEEL, fixed="x = 1\n")

    outcome = scaffold.update(root, wheels=scaffold.wheels)

    assert outcome.changed == ["pyproject.toml"]
    assert outcome.notes == [
        f"The wheel wheels/{WHEEL} is replaced by wheels/{WHEEL}; make installs it."
    ]
    assert (root / "pyproject.toml").read_text() != before
    assert (root / "wheels" / WHEEL).read_bytes() == (scaffold.wheels / WHEEL).read_bytes()


@pytest.mark.parametrize("extras", ["[redis]", "[redis,auth]", "[uploads, redis]"])
def test_extras_of_the_user_stay_when_the_wheel_changes(scaffold: Scaffold, extras: str) -> None:
    """Extra and hash are on one line, and are no conflict."""
    root = scaffold.init()
    replace(root / "pyproject.toml", '    "bff-core @', f'    "bff-core{extras} @')
    write_wheel(scaffold.wheels / WHEEL, fixed="x = 1\n")

    outcome = scaffold.update(root, wheels=scaffold.wheels)

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    digest = hashlib.sha256((scaffold.wheels / WHEEL).read_bytes()).hexdigest()
    assert outcome.status == 0
    assert project["dependencies"][0].startswith(f"bff-core{extras} @ ")
    assert project["dependencies"][0].endswith(digest)


def test_one_line_end_of_another_kind_stays(scaffold: Scaffold) -> None:
    """A merge changes no line end of the user, in a file with both kinds."""
    root = scaffold.init()
    app = root / "bffs/mobile/app.py"
    app.write_bytes(app.read_bytes().replace(b"TIMEOUT = 5\n", b"TIMEOUT = 9\r\n"))
    replace(scaffold.template(APP), "faces=[home.views]", "faces=[]")

    outcome = scaffold.update(root)

    assert outcome.changed == ["bffs/mobile/app.py"]
    assert app.read_bytes().count(b"\r\n") == 1
    assert b"TIMEOUT = 9\r\n" in app.read_bytes()
    assert b"faces=[],\n" in app.read_bytes()


def test_other_options_do_not_hide_a_new_version(
    scaffold: Scaffold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `bff new` with other options, `bff update` still takes the wheel of a new version."""
    root = scaffold.init()
    replace(root / PATH, f'version = "{version("bff-core")}"', 'version = "0.0.1"')
    write_wheel(scaffold.wheels / WHEEL, fixed="x = 1\n")
    monkeypatch.setenv("PIP_FIND_LINKS", str(scaffold.wheels))

    scaffold.new(root, "mobile", auth="bearer")
    scaffold.update(root)

    assert (root / "wheels" / WHEEL).read_bytes() == (scaffold.wheels / WHEEL).read_bytes()


def test_a_project_without_record_is_refused(scaffold: Scaffold) -> None:
    """A project that was written by hand has nothing to update."""
    root = scaffold.init()
    (root / PATH).unlink()

    with pytest.raises(CannotRun, match=r"has no \.bff/scaffold\.toml"):
        scaffold.update(root)


def test_an_older_command_does_not_undo_an_update(scaffold: Scaffold) -> None:
    """Someone with an old installation in another environment reads which command to use."""
    root = scaffold.init()
    replace(root / PATH, f'version = "{version("bff-core")}"', 'version = "99.0.0"')
    before = contents(root)

    with pytest.raises(CannotRun, match=r"templates of bff-core 99\.0\.0, .*\.venv/bin/bff"):
        scaffold.update(root)

    assert contents(root) == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('template = "gateway"', 'template = "gatewya"', "the template 'gatewya' of 'mobile'"),
        ('gateway = "mobile"', 'gateway = "../../../zzz"', "'../../../zzz' can't be the name"),
        ('name = "mobile"', 'name = "/etc"', "'/etc' can't be the name of a folder"),
        ('wheel = "', 'wheel = "../', "can't be the name of a wheel"),
        ('client = "mobile"\n', "", "the gateway 'mobile' has no value 'client'"),
        ("graphql = false\n", "", "lacks a value .*graphql"),
        (f'version = "{version("bff-core")}"', 'version = "99.0.0"', "templates of bff-core 99"),
    ],
)
def test_a_record_that_was_edited_is_refused(
    scaffold: Scaffold, old: str, new: str, message: str
) -> None:
    """Nothing is deleted, and nothing is written outside of the project, by either verb."""
    root = scaffold.init()
    record = root / PATH
    text = record.read_text()
    place = text.rindex(old)
    record.write_text(f"{text[:place]}{new}{text[place + len(old) :]}")
    saved = contents(scaffold.folder)

    for verb in (scaffold.update, lambda root: scaffold.new(root, "mobile", auth="bearer")):
        with pytest.raises(CannotRun, match=message):
            verb(root)

    assert contents(scaffold.folder) == saved


def test_git_is_needed(scaffold: Scaffold, monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone without git reads that this verb needs it."""
    root = scaffold.init()
    monkeypatch.setenv("PATH", str(scaffold.folder))

    with pytest.raises(CannotRun, match="needs git: install it"):
        scaffold.update(root)
