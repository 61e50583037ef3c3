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
    recorded = {rule["record"] for rule in rules if "record" in rule}

    assert len(rules) - len(recorded) >= 6
    for rule in rules:
        names = re.findall(r"[\w:]*bff_[\w:]+", rule["expr"])
        labels = {label for name in names for label in labels_of(name)}
        used = re.findall(r"by \(([\w, ]+)\)|\{(\w+)!?=|\$labels\.(\w+)", str(rule))
        assert names
        assert {*names} - recorded <= FAMILIES.keys()
        assert {
            one for found in used for text in found if text for one in text.split(", ")
        } <= labels


def labels_of(name: str) -> set[str]:
    """Return the labels of a metric, or of one that the rules record by gateway and view."""
    if name not in FAMILIES:
        return {"gateway", "view"}
    family = FAMILIES[name]
    is_of_worker = family.kind == "gauge" and not family.is_over_workers
    return {*family.labels, "gateway", *(["worker"] if is_of_worker else [])}


@pytest.mark.needs("promtool")
def test_prometheus_accepts_the_rules(tmp_path):
    """`promtool check rules` finds no error."""
    (tmp_path / "rules.yml").write_text(RULES)

    assert promtool(tmp_path, "check", "rules", "rules.yml") == (0, "")


BURNING = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: bff_objective_target_ratio{gateway="web", view="query home"}
        values: 0.995x120
      - series: bff_objective_answers_total{gateway="web", view="query home", outcome="good"}
        values: 0+%dx120
      - series: bff_objective_answers_total{gateway="web", view="query home", outcome="failed"}
        values: 0+%dx60 %d+0x60
    alert_rule_test:
"""

EXPECTED = """
      - eval_time: %s
        alertname: ErrorBudgetBurnsFast
        exp_alerts: [%s]
"""

ALERT = """{exp_labels: {gateway: web, view: query home, severity: page}, exp_annotations:
  {summary: query home of web spends its error budget 14 times too fast}}"""


@pytest.mark.needs("promtool")
@pytest.mark.parametrize(("bad", "is_firing"), [(8, True), (6, False)])
def test_the_alert_fires_while_a_view_spends_its_budget(tmp_path, bad, is_firing):
    """From 7.2 % of bad answers on where 0.5 % are allowed; not ten minutes after the last one."""
    (tmp_path / "rules.yml").write_text(RULES)
    burning = EXPECTED % ("60m", ALERT if is_firing else "")
    over = EXPECTED % ("70m", "")
    (tmp_path / "test.yml").write_text(BURNING % (100 - bad, bad, 60 * bad) + burning + over)

    assert promtool(tmp_path, "test", "rules", "test.yml") == (0, "")


def promtool(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run promtool in a folder; return its status and errors."""
    done = subprocess.run(
        ("promtool", *arguments), cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr + (done.stdout if done.returncode else "")
