"""`bff add operations`: the files for operators, for the gateways of a project."""

from pathlib import Path

import pytest
import yaml

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
    settings = yaml.safe_load((project / "operations/prometheus/prometheus.yml").read_text())
    (gateways, _) = settings["scrape_configs"]
    assert gateways["static_configs"] == [{"targets": ["shop:9464", "kiosk:9464"]}]


def test_alerts_link_to_the_runbooks_of_the_project(project):
    """Each to its heading."""
    add_operations("https://wiki.example/gateways", project)
    groups = yaml.safe_load((project / "operations/prometheus/rules.yml").read_text())["groups"]
    links = {
        rule["alert"]: rule["annotations"]["runbook_url"]
        for group in groups
        for rule in group["rules"]
        if "alert" in rule
    }

    assert links["BreakerOpen"] == "https://wiki.example/gateways#breakeropen"
    assert {link.partition("#")[0] for link in links.values()} == {"https://wiki.example/gateways"}


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
