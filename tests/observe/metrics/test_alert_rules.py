"""The alert rules of the page about metrics: Prometheus accepts them, and their metrics exist."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from bff_core.observe.metrics.families import FAMILIES

PAGE = Path(__file__).parents[3] / "docs/how-to/metrics.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
(RULES,) = [one for one in BLOCKS if one.startswith("groups:")]


def test_each_rule_is_about_metrics_and_labels_that_exist():
    """A renamed metric or label must not silence an alert."""
    rules = [rule for group in yaml.safe_load(RULES)["groups"] for rule in group["rules"]]

    assert len(rules) >= 5
    for rule in rules:
        names = re.findall(r"bff_\w+", rule["expr"])
        labels = {label for name in names for label in FAMILIES[name].labels} | {"gateway"}
        used = re.findall(r"\((\w+(?:, \w+)*)\)|\{(\w+)=|\$labels\.(\w+)", str(rule))
        assert names
        assert {
            one for found in used for text in found if text for one in text.split(", ")
        } <= labels


@pytest.mark.needs("promtool")
def test_prometheus_accepts_the_rules(tmp_path):
    """`promtool check rules` finds no error."""
    (tmp_path / "rules.yml").write_text(RULES)
    command = ("promtool", "check", "rules", "rules.yml")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
