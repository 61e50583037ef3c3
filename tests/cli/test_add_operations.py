"""`bff add operations`: the files for operators, for the gateways of a project."""

import json
import re
from pathlib import Path

import pytest
import yaml

from bff_core.cli.errors import CannotRun
from bff_core.cli.scaffold.operations import add_operations
from bff_core.operations import files

PYPROJECT = """
[tool.bff.gateways.shop]
app = "shop:app"
port = 8000

[tool.bff.gateways.kiosk]
app = "kiosk:app"
port = 8001
"""


THIRD_GATEWAY = """
[tool.bff.gateways.web]
app = "web:app"
port = 8002
"""

PROMETHEUS = "operations/prometheus/prometheus.yml"


def targets_of(project: Path) -> list[str]:
    """Return what Prometheus scrapes as gateways."""
    settings = yaml.safe_load((project / PROMETHEUS).read_text())
    found: list[str] = settings["scrape_configs"][0]["static_configs"][0]["targets"]
    return found


def links_of(project: Path) -> dict[str, str]:
    """Return the address of the runbook of each alert."""
    groups = yaml.safe_load((project / "operations/prometheus/rules.yml").read_text())["groups"]
    return {
        rule["alert"]: rule["annotations"]["runbook_url"]
        for group in groups
        for rule in group["rules"]
        if "alert" in rule
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the folder of a project with two gateways."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return tmp_path


def test_the_files_are_written_for_the_gateways_of_the_project(project):
    """Prometheus scrapes each of them; nothing else of the project changes."""
    outcome = add_operations(start=project)

    assert outcome.created == sorted(f"operations/{path}" for path in files())
    assert outcome.changed == []
    assert targets_of(project) == ["shop:9464", "kiosk:9464"]


def test_a_further_run_adds_a_new_gateway(project):
    """A file that is as it was written is written again, and only such a file is."""
    add_operations(start=project)
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + THIRD_GATEWAY)

    outcome = add_operations(start=project)

    assert (outcome.created, outcome.changed) == ([], [PROMETHEUS])
    assert targets_of(project) == ["shop:9464", "kiosk:9464", "web:9464"]
    assert add_operations(start=project).changed == []


def test_a_changed_prometheus_stays_and_what_it_lacks_is_named(project):
    """Also in the run after that, until the change is taken back."""
    add_operations(start=project)
    path, pyproject = project / PROMETHEUS, project / "pyproject.toml"
    original = path.read_text()
    path.write_text(original.replace("10s", "15s"))
    pyproject.write_text(pyproject.read_text() + THIRD_GATEWAY)

    for _ in range(2):
        outcome = add_operations(start=project)
        assert outcome.changed == []
        assert "15s" in path.read_text()
        assert f"{PROMETHEUS} does not name web:9464: add it to the targets" in outcome.notes

    path.write_text(original)
    assert add_operations(start=project).changed == [PROMETHEUS]


def test_another_layout_is_no_change(project):
    """Line ends of Windows, and dashboards that an editor has formatted, stay without a word."""
    add_operations(start=project)
    rules = project / "operations/prometheus/rules.yml"
    board = project / "operations/grafana/dashboards/overview.json"
    rules.write_bytes(rules.read_bytes().replace(b"\n", b"\r\n"))
    board.write_text(json.dumps(json.loads(board.read_text())))
    layout = rules.read_bytes(), board.read_bytes()

    outcome = add_operations(start=project)

    assert outcome.changed == []
    assert not [note for note in outcome.notes if "left as they are" in note]
    assert (rules.read_bytes(), board.read_bytes()) == layout


def test_a_record_that_is_damaged_is_an_error(project):
    """It says what to do."""
    add_operations(start=project)
    (project / ".bff/operations.toml").write_text("files = 1\n")

    with pytest.raises(CannotRun, match="restore it from version control"):
        add_operations(start=project)


def test_settings_of_the_gateways_are_named(project):
    """Without them Prometheus finds no metrics; a Compose file that has them is named."""
    (note,) = add_operations(start=project).notes
    assert "scrapes shop:9464, kiosk:9464." in note
    assert "BFF_METRICS_PORT=9464\n" in note
    assert "docker-compose.yml" not in note

    (project / "docker-compose.yml").write_text("x-all: { BFF_METRICS_PORT: 9464 }\n")
    (note,) = add_operations(start=project).notes
    assert note.endswith("docker-compose.yml has them.")


def test_alerts_link_to_the_runbooks_of_the_project(project):
    """Each to its heading."""
    add_operations("https://wiki.example/gateways", project)
    links = links_of(project)

    assert links["BreakerOpen"] == "https://wiki.example/gateways#breakeropen"
    assert {link.partition("#")[0] for link in links.values()} == {"https://wiki.example/gateways"}


def test_without_an_address_alerts_link_to_runbooks_that_are_in_the_project(project):
    """Each link leads to a heading of the file, and each link of that file to a file."""
    add_operations(start=project)
    links = links_of(project).values()
    page = project / "operations/runbooks.md"
    headings = re.findall(r"^### (\w+)$", page.read_text(), re.MULTILINE)
    onward = re.findall(r"\]\(([^)]+)\)", page.read_text())

    assert [*links] == [f"operations/runbooks.md#{heading.lower()}" for heading in headings]
    assert onward == ["prometheus/rules.yml"]
    assert (page.parent / onward[0]).is_file()


@pytest.mark.parametrize("address", ["https://wiki.example/gateways", "docs/runbooks.md"])
def test_a_further_run_remembers_the_address_of_the_runbooks(project, address):
    """Until it gets another one."""
    (project / "docs").mkdir()
    (project / "docs/runbooks.md").write_text("# Runbooks\n")
    add_operations(f"{address}#", project)

    assert add_operations(start=project).changed == []
    assert links_of(project)["BreakerOpen"] == f"{address}#breakeropen"

    back = add_operations("operations/runbooks.md", project)
    assert back.changed == ["operations/prometheus/rules.yml"]
    assert links_of(project)["BreakerOpen"] == "operations/runbooks.md#breakeropen"


@pytest.mark.parametrize(
    "address",
    [
        *("", "not a url", "ftp://wiki.example/runbooks", "https://", "https:///runbooks"),
        *("https://wiki.example/a b", "https://wiki.example/runbooks#top", "wiki.example/runbooks"),
        "docs/absent.md",
    ],
)
def test_another_address_of_runbooks_is_an_error(project, address):
    """It says what is accepted, and nothing is written."""
    with pytest.raises(CannotRun, match=r"give an http\(s\) URL .* or the path of a file in "):
        add_operations(address, project)

    assert not (project / "operations").exists()


def test_a_further_run_adds_what_is_missing_and_leaves_what_was_changed(project):
    """Thresholds that were adapted stay; --force takes ours."""
    add_operations(start=project)
    rules, collector = (
        project / "operations/prometheus/rules.yml",
        project / "operations/otel-collector.yml",
    )
    original = rules.read_text()
    rules.write_text(original.replace("> 0.05", "> 0.5"))
    collector.unlink()

    outcome = add_operations(start=project)
    assert outcome.created == ["operations/otel-collector.yml"]
    assert outcome.changed == []
    assert "operations/prometheus/rules.yml" in outcome.notes[0]
    assert "> 0.5\n" in rules.read_text()

    forced = add_operations(start=project, is_forced=True)
    assert forced.changed == ["operations/prometheus/rules.yml"]
    assert rules.read_text() == original
